/** Sends event streams (server-sent events), and decides how many may be open, and when a slow reader is disconnected. */
import type { ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import type { Registry } from 'prom-client';
import { tooMany } from '../../access/caller-limits.ts';
import { whoMakesRoom } from '../../access/fair-share.ts';
import type { AnyAnswer } from '../routes.ts';
import { acceptsGzip, gzipHeaders, gzipTo } from './gzip.ts';

/** With more unsent bytes than this, the reader counts as stuck, and the connection is closed. */
const mostUnsentBytes = 4 * 1024 * 1024;
const keepAliveMs = 5000;
/** Ten tabs of ten people have two each. */
const mostStreams = 200;

/** Opens streams, and ends all of them once `stopping` is aborted. */
export function createStreams(
  metrics: Registry,
  stopping: AbortSignal | undefined,
  compresses = false,
) {
  const open = new Set<{ name: string; response: ServerResponse; sent: Writable }>();
  stopping?.addEventListener(
    'abort',
    () => {
      for (const { sent } of open) sent.end();
    },
    { once: true },
  );

  /** The stream that ends for one of `name`. @throws HttpProblem 429: `name` has most of them. */
  function makeRoom(name: string): void {
    if (open.size < mostStreams) return;
    const gone = whoMakesRoom(open, name);
    if (gone === undefined || gone.name === name) {
      const subject = `${name}: too many streams (at most ${mostStreams} for all callers together); close some`;
      throw tooMany(metrics, 'streams', subject, 10);
    }
    open.delete(gone);
    gone.response.destroy();
  }

  /** @throws HttpProblem 429: the caller has too many streams. */
  return function stream(
    response: ServerResponse,
    name: string,
    follow: NonNullable<AnyAnswer['follow']>,
  ): void {
    makeRoom(name);
    const isPacked = compresses && acceptsGzip(response.req);
    response
      .writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'x-accel-buffering': 'no',
        ...(isPacked && gzipHeaders),
      })
      .flushHeaders();
    if (response.req.method === 'HEAD') {
      response.end();
      return;
    }
    const sent = isPacked ? gzipTo(response, { eachWrite: true }) : response;
    const unfollow = follow((event, data, id) => {
      if (sent.writableLength > mostUnsentBytes) response.destroy();
      else {
        const number = id === undefined ? '' : `id: ${id}\n`;
        sent.write(`event: ${event}\n${number}data: ${JSON.stringify(data)}\n\n`);
      }
    });
    const keepAlive = setInterval(() => sent.write(': still here\n\n'), keepAliveMs);
    const entry = { name, response, sent };
    open.add(entry);
    response.on('error', () => response.destroy());
    response.once('close', () => {
      clearInterval(keepAlive);
      unfollow();
      open.delete(entry);
    });
  };
}
