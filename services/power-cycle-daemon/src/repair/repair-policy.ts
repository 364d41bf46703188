/**
 * Decides whether a missing (dead) machine is power-cycled automatically, how often, when automatic repair gives up, and when it pauses:
 * after a boot of the rack, or if many are missing. Pure. In doubt it is not: a machine that stays dead an hour longer is cheaper than a
 * rack that is cycled because its switch was down.
 */
import { count } from '@skolo/base';
import type { Presence } from '@skolo/common';
import {
  connectedTo,
  dependsOn,
  type Machine,
  type PowerCycleDaemonSettings,
  type Rack,
} from '@skolo/rack';
import type { RepairOutcome } from '../events.ts';
import type { RepairRecord } from '../state/records.ts';

type RepairSettings = PowerCycleDaemonSettings['repair'];

/** An alert about one machine, timed by a clock that does not jump. */
export interface Missing {
  machine: string;
  /** When it went missing, in seconds since boot. */
  since: number;
  /** When its first alert arrived, in seconds since boot. */
  firstAlertAt: number;
  /** The same for the latest alert; Alertmanager repeats alerts that fire and are not silenced. */
  lastAlertAt: number;
}

export interface RepairFacts {
  rack: Rack;
  /** Seconds since boot. */
  uptime: number;
  /** Pauses of the daemon are no absence of a machine. */
  presence: Pick<Presence, 'ageOf' | 'latestGap'>;
  /** Everything that is missing, including the machine in question. */
  missing: readonly Missing[];
  record: RepairRecord | undefined;
  /** When it was last tried, in seconds since boot; undefined: never, or so long ago that it does not matter. */
  lastTryAt: number | undefined;
  /** Whether a device of the rack does not respond. */
  isDown: (equipment: string) => boolean;
  /** Jobs that run on it, for people. */
  busy: string | undefined;
  /** Whether automatic repair may use the driver of this switch or PDU. */
  mayUse: (controller: string) => boolean;
}

type Decision =
  | { is: 'cycle' }
  | { is: 'needs-attention'; why: string }
  /** Not now, and why: a brake applies. `quiet`: it is only too early. */
  | { is: 'wait'; why: string; brake: RepairOutcome; quiet: false }
  | { is: 'wait'; why: string; brake: TooEarly; quiet: true };

type TooEarly = 'silent' | 'settling' | 'not-long' | 'pause' | 'boot' | 'busy';

/**
 * Only recent alerts are acted upon: Alertmanager repeats firing alerts and omits silenced ones. Configure it to repeat every few minutes;
 * the longer the interval, the later a machine is repaired.
 */
const freshSeconds = 2 * 60;
/** Alerts of machines that went missing together arrive group by group. */
const settleSeconds = 60;
/** How long a machine counts as missing. */
export const countedSeconds = 15 * 60;

export function decideRepair(machine: Machine, missing: Missing, facts: RepairFacts): Decision {
  const { rack, uptime, presence, record, lastTryAt } = facts;
  const settings = rack.services['power-cycle-daemon'].repair;
  const brake = brakeFor(machine, settings, facts);
  if (uptime - missing.lastAlertAt > freshSeconds) {
    return tooEarly(
      'silent',
      'waiting for the next alert, because this one may have been silenced',
    );
  }
  // After a pause that alerts did not outlast, too, they arrive group by group. Shorter ones, however many, delay nothing.
  const settlesFrom = Math.max(missing.firstAlertAt, presence.latestGap(settleSeconds)?.until ?? 0);
  if (uptime - settlesFrom < settleSeconds) {
    return tooEarly('settling', 'waiting to see whether more machines are missing');
  }
  const deadSeconds = settings.deadMinutes * 60;
  if (presence.ageOf(missing.since, deadSeconds) < deadSeconds) {
    return tooEarly('not-long', `missing for less than ${count(settings.deadMinutes, 'minute')}`);
  }
  if (record?.needsAttention !== undefined)
    return { is: 'needs-attention', why: record.needsAttention };
  const sinceTry = lastTryAt === undefined ? Number.POSITIVE_INFINITY : uptime - lastTryAt;
  if (sinceTry < settings.pauseMinutes * 60) {
    return tooEarly(
      'pause',
      `the last attempt was less than ${count(settings.pauseMinutes, 'minute')} ago`,
    );
  }
  if (record !== undefined && record.tries >= settings.tries) {
    const why = record.notDone
      ? `still missing; skolo would have power-cycled it ${count(record.tries, 'time')}, but rack.yaml has \`acts: false\` for it`
      : `still missing after ${count(record.tries, 'cycle')}`;
    return { is: 'needs-attention', why };
  }
  return brake ?? { is: 'cycle' };
}

function brakeFor(
  machine: Machine,
  settings: RepairSettings,
  facts: RepairFacts,
): Decision | undefined {
  const { rack, uptime, isDown, busy, mayUse } = facts;
  if (uptime < settings.bootGraceMinutes * 60) {
    return tooEarly(
      'boot',
      `the rack booted less than ${count(settings.bootGraceMinutes, 'minute')} ago`,
    );
  }
  const down = dependsOn(rack, machine.name).find(
    (name) => rack.equipment.has(name) && isDown(name),
  );
  if (down !== undefined)
    return wait('shared-down', `${down}, which it depends on, is not responding`);
  const excluded = machine.power.find(({ device }) => !mayUse(device));
  if (excluded !== undefined) return wait('driver-excluded', whyExcluded(excluded.device));
  return (
    tooMany(machine, settings, facts) ?? (busy === undefined ? undefined : tooEarly('busy', busy))
  );
}

/** Why automatic repair does not use the driver of a switch or PDU. */
export function whyExcluded(controller: string): string {
  return `automatic repair does not use the driver of ${controller}, because some of its commands have only been tested with skolo's own simulator`;
}

/** Many missing machines at the same time are not many dead machines: something that they share is dead. */
function tooMany(
  machine: Machine,
  { maxDown, maxDownPercent }: RepairSettings,
  { rack, missing, uptime }: RepairFacts,
): Decision | undefined {
  const recent = new Set(
    missing
      .filter(({ lastAlertAt }) => uptime - lastAlertAt <= countedSeconds)
      .map(({ machine: name }) => name),
  );
  for (const equipment of connectedTo(machine)) {
    const peers = [...rack.machines.values()].filter((peer) => connectedTo(peer).has(equipment));
    const down = peers.filter(({ name }) => recent.has(name)).length;
    const most = Math.max(maxDown, (peers.length * maxDownPercent) / 100);
    if (down > most) {
      return wait(
        'many-down',
        `${down} of the ${peers.length} machines connected to ${equipment} are missing`,
      );
    }
  }
  return undefined;
}

function wait(brake: RepairOutcome, why: string): Decision {
  return { is: 'wait', why, brake, quiet: false };
}

function tooEarly(brake: TooEarly, why: string): Decision {
  return { is: 'wait', why, brake, quiet: true };
}
