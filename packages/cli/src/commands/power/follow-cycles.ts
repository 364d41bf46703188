/** Follows cycles until they are over, and reconnects when the connection fails. */

import type { Client, PowerCycle, powerCycleDaemonApi } from '@skolo/api';
import { pause } from '@skolo/base';
import { temporaryReason } from '../../reach/service-client.ts';
import { isOver } from './cycle-text.ts';

interface Watcher {
  /** The service answers. Its clock is ahead of ours by `clockAheadMs`. */
  connected(clockAheadMs: number): void;
  /** May repeat a state after a reconnect. */
  changed(cycle: PowerCycle): void;
  /** The connection failed; a retry follows. */
  lost(why: string): void;
}

export interface FollowOptions {
  client: Pick<Client<typeof powerCycleDaemonApi>, 'cycleEvents'>;
  ids: readonly string[];
  watcher: Watcher;
  signal: AbortSignal;
  /** Milliseconds since 1970. */
  now(): number;
  /** Pauses between attempts double from the first to the last; default 0.5 to 10 s. */
  pauseMs?: { first: number; most: number };
  /** Gives up after this long without a connection; default 10 min: a jumphost needs some to boot. */
  giveUpMs?: number;
}

/** Servers and proxies accept URLs of at least 8 kB. */
const mostInUrl = 6000;

/**
 * Fulfilled when all are over.
 *
 * @throws ApiUnreachable No connection for `giveUpMs`.
 * @throws ApiError The service rejects the request.
 */
export async function followCycles(options: FollowOptions): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  try {
    const parts = inUrls(options.ids);
    await Promise.all(parts.map((ids) => followSome({ ...options, ids, signal })));
  } finally {
    // When one of them throws, end the others.
    failed.abort();
  }
}

async function followSome(options: FollowOptions): Promise<void> {
  const { client, watcher, signal, now, giveUpMs = 600_000 } = options;
  const waiting = new Set(options.ids);
  let failures = 0;
  let lastAnswer = performance.now();
  while (waiting.size > 0) {
    try {
      const query = { ids: [...waiting].join(',') };
      const { events, headers } = await client.cycleEvents({ query, signal });
      watcher.connected(aheadMs(Date.parse(headers.get('date') ?? ''), now()));
      for await (const { data: cycle } of events) {
        failures = 0;
        watcher.changed(cycle);
        if (isOver(cycle)) waiting.delete(cycle.id);
        if (waiting.size === 0) break;
      }
    } catch (error) {
      signal.throwIfAborted();
      const why = temporaryReason(error);
      if (why === undefined) throw error;
      if (failures === 0) lastAnswer = performance.now();
      if (performance.now() - lastAnswer >= giveUpMs) throw error;
      failures++;
      watcher.lost(why);
      await pause(pauseOf(failures, options.pauseMs), signal);
    }
  }
}

/** The header has whole seconds, and the response takes some time: ignore less than 2 s. */
function aheadMs(serverTime: number, now: number): number {
  const ahead = serverTime - now;
  return Math.abs(ahead) >= 2000 ? ahead : 0;
}

function inUrls(ids: readonly string[]): string[][] {
  const parts: string[][] = [];
  let left = 0;
  for (const id of ids) {
    const length = encodeURIComponent(`${id},`).length;
    if (length > left) {
      parts.push([]);
      left = mostInUrl;
    }
    parts.at(-1)?.push(id);
    left -= length;
  }
  return parts;
}

function pauseOf(failures: number, { first, most } = { first: 500, most: 10_000 }): number {
  const full = Math.min(most, first * 2 ** (failures - 1));
  // Jitter, so that many clients of one jumphost do not reconnect at once.
  return full * (1 - Math.random() / 2);
}
