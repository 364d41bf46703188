/**
 * A machine's silence, as stored: the facts from which incidents are computed. One that falls silent again and again in one incident has
 * one record there, so that it costs no more than one that stays silent.
 */
import { z } from 'zod';

/** An incident is over when all have answered for this time: a machine that falls silent within it belongs to the same one. */
export const overAfterMs = 300_000;

/** What was known about the cause at a time. `what` is empty if nothing explains the silence, or not any more. */
const KnownCause = z.object({ at: z.number(), what: z.string(), text: z.string() });

export const Silence = z.object({
  /** From its start, as first seen: {@link idOf}. */
  id: z.string(),
  machine: z.string(),
  /** The ID of the first silence of its incident. */
  incident: z.string(),
  /** Its last answer, in milliseconds since 1970; corrected if the wall clock is set. */
  at: z.number(),
  /** If it fell silent again before its incident was over: how often in all, and its last answer before the last time. */
  again: z.object({ times: z.int(), at: z.number() }).optional(),
  /** Its next answer. Absent: it is silent. */
  endedAt: z.number().optional(),
  /** It left rack.yaml. */
  left: z.literal(true).optional(),
  causes: z.array(KnownCause),
  /** What it shared with others then, such as `model pixel 7`: see `traitsOf`. */
  traits: z.array(z.string()),
  /** IDs of tasks that it has lost. */
  lost: z.array(z.string()),
});
export type Silence = z.output<typeof Silence>;

/** As long as the ID of an incident may be in the power-cycle daemon. */
const mostLetters = 100;

/** A machine has only one silence that begins at a time. */
export function idOf(machine: string, at: number): string {
  const time = new Date(at).toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
  return `${time}-${machine}`.slice(0, mostLetters);
}

/** Its last answer before it fell silent for the last time. */
export function latestAt({ at, again }: Pick<Silence, 'at' | 'again'>): number {
  return again?.at ?? at;
}

/** Number of its silences. */
export function timesOf({ again }: Pick<Silence, 'again'>): number {
  return again?.times ?? 1;
}

type Explained = Pick<Silence, 'again' | 'causes'>;

/** The cause as it is known now. */
export function causeOf(silence: Explained): string {
  return latestCauses(silence).at(-1)?.what ?? '';
}

/** The cause of its incident: not what a machine that did not return with the others shares with a later one. */
export function firstCauseOf(silence: Explained): string {
  return latestCauses(silence).some(({ what }) => what === '') ? '' : causeOf(silence);
}

function latestCauses({ again, causes }: Explained): Silence['causes'] {
  return again === undefined ? causes : causes.filter(({ at }) => at >= again.at);
}
