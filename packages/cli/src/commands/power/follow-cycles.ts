/** Follows cycles until they end, reconnects when the connection fails, and decides when to give up. */

import type { Client, PowerCycle, powerCycleDaemonApi } from '@skolo/api';
import { followed } from '@skolo/api/server-events';
import type { BackOffOptions } from '@skolo/base';
import { temporaryReason } from '../../reach/service-client.ts';
import { isOver } from './cycle-text.ts';

interface Watcher {
  /** The service responds. Its clock is ahead of ours by `clockAheadMs`. */
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
  pauses?: BackOffOptions;
  /** Gives up after this long without a connection; default 10 min: a jumphost takes a few to boot. */
  giveUpMs?: number;
}

/** Servers and proxies accept URLs of at least 8 kB. */
const mostInUrl = 6000;

/**
 * Resolves when all have ended.
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
    // If one of them throws, ends the others.
    failed.abort();
  }
}

async function followSome(options: FollowOptions): Promise<void> {
  const { client, watcher, signal, now, giveUpMs = 600_000 } = options;
  const waiting = new Set(options.ids);
  let lastAnswer = performance.now();
  const changes = followed({
    async connect() {
      const query = { ids: [...waiting].join(',') };
      const { events, headers } = await client.cycleEvents({ query, signal });
      watcher.connected(aheadMs(Date.parse(headers.get('date') ?? ''), now()));
      return events;
    },
    lost(error, failures) {
      const why = temporaryReason(error);
      if (why === undefined) throw error;
      if (failures === 1) lastAnswer = performance.now();
      if (performance.now() - lastAnswer >= giveUpMs) throw error;
      watcher.lost(why);
    },
    signal,
    pauses: options.pauses,
  });
  for await (const { data: cycle } of changes) {
    watcher.changed(cycle);
    if (isOver(cycle)) waiting.delete(cycle.id);
    if (waiting.size === 0) return;
  }
}

/** The header has whole seconds, and the response takes some time, so less than 2 s is ignored. */
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
