/**
 * The one table of who may keep whom off a machine, and the holds that concern a target. Pure. A test compares the table with that of
 * docs/decisions/2026-11-29-holds.md.
 */
import { HoldKind } from '@skolo/api';
import { count } from '@skolo/base';
import type { Rack } from '@skolo/rack';
import {
  type CycleRecord,
  clientName,
  type Feed,
  type HoldRecord,
  type PendingOn,
  type SwitchedOff,
} from '../state/records.ts';
import { goesDarkNow } from './power-loss.ts';
import type { Target } from './targets.ts';

interface HoldRule {
  /** Whether the machine's agent accepts tasks. Of `busy`, its scheduler decides. */
  newTasks: 'no' | 'yes' | 'undecided';
  /** Automatic repair of the target. */
  repair: 'no' | 'waits';
  /** Cycles that other people request: never, once they have been asked, or with `force`. Programs cannot be asked. */
  others: 'no' | 'asked' | 'force';
  /** The longest duration, in hours; undefined: as rack.yaml says. `busy` may be said again. */
  mostHours?: number;
}

export const holdRules: Record<HoldKind, HoldRule> = {
  'out-of-service': { newTasks: 'no', repair: 'no', others: 'no' },
  'on-it': { newTasks: 'yes', repair: 'no', others: 'asked', mostHours: 4 },
  busy: { newTasks: 'undecided', repair: 'waits', others: 'force', mostHours: 24 },
};

/** Kinds that reject a request for a cycle at once, with `force` too. */
export const rejectingKinds = HoldKind.options.filter((kind) => holdRules[kind].others !== 'force');

/** From its begin; afterwards, a target is busy for longer than any job should be. */
export const overdueHours = 24;
/** Repair waits an hour longer than that, so that somebody can see it first. Jobs that follow one another count as one. */
const repairWaitsMs = 25 * 3_600_000;

/** The holds that cover a target: its own, its machine's, those of the devices it depends on, and the rack's. */
export function holdsOf(
  { name, feeds, machine, equipment }: Target,
  { rack, holds }: { rack: Rack; holds: readonly HoldRecord[] },
  kind: HoldKind = 'out-of-service',
): HoldRecord[] {
  const uplink = machine?.uplink ?? equipment?.uplink;
  const names = new Set([
    rack.name,
    name,
    ...(machine ? [machine.name] : []),
    ...feeds.map(({ device }) => device),
    ...(uplink !== undefined && uplink !== 'internet' ? [uplink.device] : []),
  ]);
  return holds.filter((hold) => hold.kind === kind && names.has(hold.target));
}

/** Who requests a cycle, as far as that is known. */
export type Asker = Pick<CycleRecord, 'origin' | 'by'>;

/**
 * Jobs on anything that loses power or network with the target, except those of the asker. What has been busy for too long is no longer in
 * the way of automatic repair.
 */
export function busyOn(
  target: Target,
  asker: Asker,
  snapshot: {
    rack: Rack;
    holds: readonly HoldRecord[];
    now: number;
    switchedOff: ReadonlyMap<string, SwitchedOff>;
    pendingOns: ReadonlyMap<string, PendingOn>;
  },
): HoldRecord[] {
  const { rack, holds, now } = snapshot;
  const busy = holds.filter(({ kind }) => holdRules[kind].others === 'force');
  if (busy.length === 0) return [];
  const already = [...snapshot.switchedOff.values(), ...snapshot.pendingOns.values()];
  const names = disturbedWith(target, rack, already);
  return busy.filter(
    (hold) =>
      names.has(hold.target) &&
      !isOwn(hold, asker) &&
      !(
        holdRules[hold.kind].repair === 'waits' &&
        isAutomatic(asker) &&
        now - Date.parse(hold.jobsSince ?? hold.since) >= repairWaitsMs
      ),
  );
}

/**
 * Where a job is disturbed when the target is turned off: a job on a machine uses its phones, and one on a phone needs its machine.
 *
 * @param already the outlets that are off already
 */
export function disturbedWith(
  { name, kind, machine, feeds }: Target,
  rack: Rack,
  already: readonly Feed[],
): Set<string> {
  const phones = kind === 'machine' && machine ? machine.devices : [];
  const own = [name, machine?.name ?? name, ...phones.map(({ fullName }) => fullName)];
  return new Set([...own, ...goesDarkNow(rack, feeds, already)]);
}

/** Nobody has requested it: automatic repair, including that of a machine's agent. */
export function isAutomatic({ origin }: Pick<CycleRecord, 'origin'>): boolean {
  return origin !== 'person' && origin !== 'endpoint';
}

/** Its own token; a client of the pdudaemon endpoint has none, so its address counts. */
function isOwn({ by, from }: HoldRecord, asker: Asker): boolean {
  if (asker.origin === 'endpoint') return from !== undefined && asker.by === clientName(from);
  return asker.origin === 'person' && by === asker.by;
}

/** For people: `a is busy: nightly 4711 (ci until 2026-11-20T14:00:00.000Z)` */
export function busyText(holds: readonly HoldRecord[]): string {
  const [first, ...more] = holds;
  if (first === undefined) throw new TypeError('nothing is busy');
  const { target, by, until, reason, overdue } = first;
  const late = overdue ? `, overdue` : '';
  const others = more.length > 0 ? `, and ${count(more.length, 'other job')}` : '';
  return `${target} is busy: ${reason} (${by} until ${until}${late})${others}`;
}
