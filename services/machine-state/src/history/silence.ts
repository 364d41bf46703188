/**
 * A machine's silence, as stored: the facts from which incidents are computed. Of one that falls silent again and again in one incident,
 * the first one is kept, the first with each cause, and the latest: its cost does not grow.
 */
import { Cause, CommonCause } from '@skolo/api';
import { equipmentCause, sharedCause } from '@skolo/api/cause';
import { words } from '@skolo/api/words';
import { z } from 'zod';

/** An incident is over when all have answered for this time: a machine that falls silent within it belongs to the same one. */
export const overAfterMs = 300_000;

/** What was known about the cause at a time. Without `cause`, nothing explains the silence, or not any more. */
const KnownCause = z.object({
  at: z.number(),
  cause: Cause.optional(),
  why: CommonCause.shape.why,
});
type KnownCause = z.output<typeof KnownCause>;

/** As version 0.2.0 wrote it: a sentence, and the names in it, or an empty text. */
const KnownCause020 = z.object({ at: z.number(), what: z.string(), text: z.string() });

/** `left`: the machine is no longer in rack.yaml; `planned`: maintenance began; `not-known`: nobody saw it. */
const Ending = z.enum(['answered', 'left', 'planned', 'not-known']);

const Stored = z.object({
  /** From its start, as first seen, or that of the one that it replaced: {@link idOf}. */
  id: z.string(),
  machine: z.string(),
  /** The ID of the first silence of its incident. */
  incident: z.string(),
  /** Its last answer, in milliseconds since 1970; corrected if the wall clock is set. */
  at: z.number(),
  /** Number of silences, if it replaced earlier ones of its incident. */
  times: z.int().optional(),
  /** When it ended, by a clock that may have been set since. Absent: it is silent. */
  endedAt: z.number().optional(),
  /** How it ended. All but `answered` say nothing about the machine, which may be silent still. */
  ending: Ending.optional(),
  /** The first answer of a machine that left before. It belongs to no incident. */
  answeredAt: z.number().optional(),
  /** As version 0.2.0 wrote `ending: left`. */
  left: z.literal(true).optional(),
  causes: z.array(z.union([KnownCause, KnownCause020])),
  /** What it shared with others then, such as `model pixel 7`: see `traitsOf`. */
  traits: z.array(z.string()),
  /** IDs of tasks that it has lost. */
  lost: z.array(z.string()),
});
export const Silence = Stored.transform(({ causes, left, ending, ...rest }) => ({
  ...rest,
  ...(rest.endedAt !== undefined && { ending: ending ?? (left ? 'left' : 'answered') }),
  causes: causes.map(
    (known): KnownCause =>
      'what' in known
        ? { at: known.at, cause: causeOf020(known, rest.traits), why: words(known.text) }
        : known,
  ),
}));
export type Silence = z.output<typeof Silence>;

/**
 * Returns the cause that version 0.2.0 stored as text, or undefined if it is empty.
 *
 * @param traits of the machine: a sentence does not tell shelves from equipment
 */
export function causeOf020(
  { what, text }: { what: string; text: string },
  traits: readonly string[] = [],
): Cause | undefined {
  if (what === '') return undefined;
  if (/^\d+ of \d+ machines of model /.test(text)) return sharedCause('model', what);
  if (/^\d+ of \d+ machines with agent /.test(text)) return sharedCause('version', what);
  if (traits.includes(`shelf ${what}`)) return sharedCause('shelf', what);
  return equipmentCause(what.split(/,? or |, /));
}

/** Whether the machine has not answered since: if it is silent again, the same silence continues. */
export function isUnanswered({ endedAt, ending, answeredAt }: Silence): boolean {
  return (
    endedAt === undefined ||
    (ending !== 'answered' && ending !== 'not-known' && answeredAt === undefined)
  );
}

/** As long as the ID of an incident may be in the power-cycle daemon. */
const mostLetters = 100;

/** A machine has only one silence that begins at a time. */
export function idOf(machine: string, at: number): string {
  const time = new Date(at).toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
  return `${time}-${machine}`.slice(0, mostLetters);
}

/** Number of silences that it stands for. */
export function timesOf({ times = 1 }: Pick<Silence, 'times'>): number {
  return times;
}

type Explained = Pick<Silence, 'causes'>;

/** The cause as it is known now. */
export function causeOf({ causes }: Explained): Cause | undefined {
  return causes.at(-1)?.cause;
}

/** The cause of its incident: not what a machine that did not return with the others shares with a later one. */
export function firstCauseOf({ causes }: Explained): Cause | undefined {
  return causes.some(({ cause }) => cause === undefined) ? undefined : causeOf({ causes });
}

/** Whether it lasted longer than its cause, as that of a machine that did not return with the others. */
export function isLeftover({ causes }: Explained): boolean {
  return causes.length > 0 && causeOf({ causes }) === undefined;
}
