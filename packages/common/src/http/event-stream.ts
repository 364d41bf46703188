/** Server-sent events (WHATWG HTML, 9.2). */
import type { ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import { acceptsGzip, gzipHeaders, gzipTo } from './gzip.ts';
import { HttpProblem } from './problem.ts';
import type { AnyAnswer } from './routes.ts';

/** With more unsent bytes than this, the reader is stuck, and the connection is closed. */
const mostUnsentBytes = 4 * 1024 * 1024;
const keepAliveMs = 15_000;
const mostStreams = 200;

/** Opens streams, and ends all of them once `stopping` is aborted. */
export function createStreams(stopping: AbortSignal | undefined, compresses = false) {
  const open = new Set<Writable>();
  stopping?.addEventListener(
    'abort',
    () => {
      for (const stream of open) stream.end();
    },
    { once: true },
  );

  /** @throws HttpProblem 503: too many streams. */
  return function stream(response: ServerResponse, follow: NonNullable<AnyAnswer['follow']>): void {
    if (open.size >= mostStreams) {
      throw new HttpProblem(503, `too many streams: the limit is ${mostStreams}; try again later`, {
        headers: { 'retry-after': '10' },
      });
    }
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
    const unfollow = follow((name, data, id) => {
      if (sent.writableLength > mostUnsentBytes) response.destroy();
      else {
        const number = id === undefined ? '' : `id: ${id}\n`;
        sent.write(`event: ${name}\n${number}data: ${JSON.stringify(data)}\n\n`);
      }
    });
    const keepAlive = setInterval(() => sent.write(': still here\n\n'), keepAliveMs);
    open.add(sent);
    response.on('error', () => response.destroy());
    response.once('close', () => {
      clearInterval(keepAlive);
      unfollow();
      open.delete(sent);
    });
  };
}
