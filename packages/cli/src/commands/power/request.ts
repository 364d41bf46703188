/** Sends requests to the power-cycle daemon. */

import {
  ApiError,
  ApiUnreachable,
  type Client,
  type PowerCycle,
  type powerCycleDaemonApi,
  Rejection,
} from '@skolo/api';
import { cyclesUnderWay } from '@skolo/api/cycles-under-way';
import { isIdOf } from '@skolo/api/ids';
import { pause } from '@skolo/base';
import { z } from 'zod';
import { complain, exitCodes } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { byNumber, expandedNames } from '../../names.ts';
import type { PowerCycleDaemon } from '../../reach/service-client.ts';

const pausesMs = [500, 2000];

/**
 * Retries a request without a response. Only for requests with an `Idempotency-Key`.
 *
 * @throws ApiUnreachable No response; the service may have received the request.
 */
export async function withRetries<T>(io: Io, ask: () => Promise<T>): Promise<T> {
  for (const pauseMs of pausesMs) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof ApiUnreachable)) throw error;
      complain(io, `${error.message}; retrying the same request`);
    }
    await pause(pauseMs);
  }
  return ask();
}

type Question<T> = (client: Client<typeof powerCycleDaemonApi>) => Promise<T>;

const Rejected = z.object({ rejected: z.array(Rejection).min(1) });

/** Rejected targets; undefined for any other error. */
export function rejectedBy(error: unknown): Rejection[] | undefined {
  if (!(error instanceof ApiError) || ![404, 409].includes(error.status)) return undefined;
  return Rejected.safeParse(error.problem).data?.rejected;
}

/** Undefined when the service rejects the names; the reasons are then printed. */
export async function askAboutNames<T>(
  io: Io,
  daemon: PowerCycleDaemon,
  question: Question<T>,
): Promise<T | undefined> {
  return daemon.ask(async (client) => {
    try {
      return await question(client);
    } catch (error) {
      const rejected = rejectedBy(error);
      if (rejected === undefined) throw error;
      for (const { detail } of rejected) complain(io, detail);
      io.exitCode = exitCodes.failed;
      return undefined;
    }
  });
}

interface FoundCycles {
  cycles: PowerCycle[];
  /** Words that match no queued or running cycle. */
  unknown: string[];
}

/** Queued and running cycles with one of these ids, targets or outlets. */
export async function openCycles(
  daemon: PowerCycleDaemon,
  words: readonly string[],
): Promise<FoundCycles> {
  const wanted = expandedNames(words);
  const all = await daemon.ask(cyclesUnderWay);
  const found = new Set<PowerCycle>();
  const unknown: string[] = [];
  for (const word of wanted) {
    const cycles = all.filter(
      ({ id, target, outlets }) => isIdOf(id, word) || [target, ...outlets].includes(word),
    );
    for (const cycle of cycles) found.add(cycle);
    if (cycles.length === 0) unknown.push(word);
  }
  return { cycles: [...found].sort((a, b) => byNumber(a.target, b.target)), unknown };
}

/** The newest cycle with this id or target, or why there is none. */
export async function lastCycle(
  daemon: PowerCycleDaemon,
  word: string,
): Promise<PowerCycle | { why: string }> {
  const byId = await asked(daemon, (client) => client.cycle({ params: { id: word } }));
  if (!('why' in byId)) return byId;
  const query = { target: word, limit: 1 };
  const ofTarget = await asked(daemon, (client) => client.cycles({ query }));
  if ('why' in ofTarget) return ofTarget;
  return ofTarget.cycles[0] ?? { why: `${word} has no cycles in the log` };
}

/** The response, or the reason of a 404. */
async function asked<T extends object>(
  daemon: PowerCycleDaemon,
  question: Question<T>,
): Promise<T | { why: string }> {
  return daemon.ask(async (client) => {
    try {
      return await question(client);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
      return { why: rejectedBy(error)?.[0]?.detail ?? error.problem.detail };
    }
  });
}
