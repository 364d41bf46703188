/** Asking for cycles: once, whatever the connection does; and what is said of those that are refused. */
import { setTimeout } from 'node:timers/promises';
import { ApiError, ApiUnreachable, Refusal } from '@skolo/api';
import { z } from 'zod';
import { complain } from '../../errors.ts';
import { exitCodes } from '../../exit-codes.ts';
import type { Io } from '../../io.ts';

const pausesMs = [500, 2000];

/**
 * Asks again where there was no answer. Only for requests that are the same one when they arrive twice: with an
 * `Idempotency-Key`.
 *
 * @throws ApiUnreachable Nobody answers, so it is not known whether it was heard.
 */
export async function persistently<T>(io: Io, ask: () => Promise<T>): Promise<T> {
  for (const pauseMs of pausesMs) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof ApiUnreachable)) throw error;
      complain(io, `${error.message}; asking again, it stays one request`);
    }
    await setTimeout(pauseMs);
  }
  return ask();
}

const Refused = z.object({ refused: z.array(Refusal).min(1) });

/** What was refused; undefined where the error is another one. */
export function refusedBy(error: unknown): Refusal[] | undefined {
  if (!(error instanceof ApiError) || ![404, 409].includes(error.status)) return undefined;
  return Refused.safeParse(error.problem).data?.refused;
}

/**
 * Where nothing but the names can be wrong: says of each why, and gives undefined.
 *
 * @throws The error, where it is another one.
 */
export function complainOfNames(io: Io, error: unknown): undefined {
  const refused = refusedBy(error);
  if (refused === undefined) throw error;
  for (const { detail } of refused) complain(io, detail);
  io.exitCode = exitCodes.failed;
}
