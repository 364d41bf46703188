/** Finds what silent machines have in common, such as a model or a version, if no switch, PDU or router explains it. Pure. */
import type { Cause, CommonCause, Machine } from '@skolo/api';
import { sharedCause } from '@skolo/api/cause';
import { modelsOf } from '@skolo/api/machine-filter';
import { words } from '@skolo/api/words';
import { isoTime } from '@skolo/base';
import type { Machine as RackMachine } from '@skolo/rack';

/** Something that machines share. Of equally telling ones, the first kind is named. */
type Trait = { kind: Exclude<Cause['kind'], 'planned'>; what: string };
const kinds: Trait['kind'][] = ['equipment', 'shelf', 'model', 'version'];

/** A machine that has reported before. */
export interface Reported {
  name: string;
  traits: readonly Trait[];
  /** Its last answer, in milliseconds since 1970; absent: it responds. */
  silentSince?: number | undefined;
}

/** Without a report that a piece of equipment is down, fewer silent machines may be a coincidence. */
export const leastSilent = 3;
/** How much more often a machine with the trait is silent than one without it. */
const leastRatio = 3;
/** Agents report models and versions: a longer name is no name. */
const isName = /^[\w .:/+-]{1,60}$/;

/** @param last what its agent reported */
export function traitsOf(
  machine: RackMachine,
  last: Pick<Machine, 'devices' | 'versions'> = { devices: [] },
): Trait[] {
  const { kind, shelf, uplink, power } = machine;
  const agent = last.versions?.agent;
  const equipment = [uplink, ...power].flatMap((outlet) => outlet?.device ?? []);
  const traits: Trait[] = [
    ...[...new Set(equipment)].map((what) => ({ kind: 'equipment', what }) as const),
    ...(shelf === undefined ? [] : [{ kind: 'shelf', what: shelf } as const]),
    ...[...modelsOf({ kind, devices: last.devices })].map(
      (what) => ({ kind: 'model', what }) as const,
    ),
    ...(agent === undefined ? [] : [{ kind: 'version', what: agent } as const]),
  ];
  return traits.filter(({ what }) => isName.test(what));
}

/**
 * Names what at least three machines, and half of those that have it, are silent with, if those without it are silent at most a third as
 * often. No machine has two causes.
 */
export function sharedSilence(machines: readonly Reported[]): CommonCause[] {
  const found = mostTelling(machines);
  if (found === undefined) return [];
  const { kind, what, silent, why } = found;
  const heardAt = new Map(silent.map(({ name, silentSince = 0 }) => [name, silentSince]));
  const whom = together([...heardAt.keys()], (name) => heardAt.get(name));
  const cause = { ...sharedCause(kind, what), isPartial: true as const, why, ...whom };
  return [cause, ...sharedSilence(machines.filter(({ name }) => !heardAt.has(name)))];
}

function mostTelling(machines: readonly Reported[]) {
  const allSilent = machines.filter(isSilent).length;
  const having = Map.groupBy(
    machines.flatMap((machine) => machine.traits.map((trait) => ({ ...trait, machine }))),
    ({ kind, what }) => `${kind} ${what}`,
  );
  return [...having.values()]
    .flatMap((entries) => {
      const [{ kind, what } = { kind: 'equipment', what: '' } as const] = entries;
      const silent = entries.map(({ machine }) => machine).filter(isSilent);
      const [all, others] = [entries.length, machines.length - entries.length];
      const silentOthers = allSilent - silent.length;
      const isTelling =
        silent.length >= leastSilent &&
        silent.length * 2 >= all &&
        others > 0 &&
        silent.length * others >= leastRatio * silentOthers * all;
      const where = { equipment: 'on', shelf: 'on', model: 'of model', version: 'with agent' }[
        kind
      ];
      const why = `${silent.length} of ${all} machines ${where} ${what} are silent, ${silentOthers} of ${others} others`;
      // What all silent machines have, and no other machine, tells most.
      const share = silent.length / (all + silentOthers);
      return isTelling ? [{ kind, what, silent, why: words(why), share }] : [];
    })
    .toSorted((a, b) => b.share - a.share || kinds.indexOf(a.kind) - kinds.indexOf(b.kind))[0];
}

function isSilent({ silentSince }: Reported): boolean {
  return silentSince !== undefined;
}

/** One that was silent long before does not date the others. */
export function together(
  machines: readonly string[],
  heardAt: (machine: string) => number | undefined,
): Pick<CommonCause, 'machines' | 'since'> {
  const times = machines.map((each) => heardAt(each) ?? 0).toSorted((a, b) => a - b);
  return { machines: [...machines], since: isoTime(times[(times.length - 1) >> 1] ?? 0) };
}
