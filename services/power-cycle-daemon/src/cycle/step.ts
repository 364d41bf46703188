/** Decides whether a cycle's step may still run, and how its target is observed. */
import type { Clock } from '@skolo/common';
import type { HostKeys } from '@skolo/equipment/transports';
import { formatOutlet, type PowerCycleDaemonSettings, type Rack } from '@skolo/rack';
import type { Controllers } from '../equipment/controllers.ts';
import type { Timing } from '../equipment/timing.ts';
import { agentOf } from '../machines/agent.ts';
import { equipmentProbe, probeOf } from '../machines/probe.ts';
import { chargeProbe, type Observer } from '../machines/watch.ts';
import { busyOn, busyText } from '../rules/holds.ts';
import { type Snapshot, whyNoLonger } from '../rules/preconditions.ts';
import type { Target } from '../rules/targets.ts';
import { type CycleRecord, feedKey } from '../state/records.ts';
import type { CycleEvent } from './cycle.ts';

export interface StepDeps {
  controllers: Pick<Controllers, 'get'>;
  hostKeys: HostKeys;
  clock: Pick<Clock, 'now'>;
  /** What requests are checked against, now. */
  snapshot: () => Snapshot;
  timing: Timing;
  /** What an outlet supplied within the last week; undefined: nothing, or it has no meter. */
  suppliedWatts: (outlet: string) => number | undefined;
}

export interface Step extends StepDeps {
  record: CycleRecord;
  rack: Rack;
  settings: PowerCycleDaemonSettings;
  /** Undefined: it is no longer in rack.yaml. */
  target: Target | undefined;
  /** Feeds an event into the cycle while the step continues. */
  report: (event: CycleEvent) => void;
  /** Aborted when the daemon is about to stop: what is off is turned on now. */
  ending: AbortSignal;
  /** Aborted when the daemon stops. */
  signal: AbortSignal;
}

/** Why it may not begin, or may not continue. */
export function whyNot(step: Step): string | undefined {
  const { record, target, snapshot } = step;
  return whyMoved(step) ?? (target && whyNoLonger(target, record, snapshot()));
}

/** Which jobs of others it would end, for people; undefined: none. */
export function jobsOn({ record, target, snapshot }: Step): string | undefined {
  const jobs = target === undefined ? [] : busyOn(target, record, snapshot());
  return jobs.length > 0 ? busyText(jobs) : undefined;
}

/** Since the request, rack.yaml may have assigned its outlet to something else. */
export function whyMoved({ record, target }: Step): string | undefined {
  if (target === undefined) return `${record.target} is no longer in rack.yaml`;
  const then = record.feeds.map(feedKey).join(', ');
  const now = target.feeds.map(formatOutlet).join(', ');
  if (then === now) return undefined;
  return `${record.target} is now powered by ${now || 'nothing'} instead of ${then}; send the request again`;
}

/** Undefined: nothing shows whether it is up. Only its machine's agent sees a phone, which is up while it charges. */
export function observerOf(rack: Rack, target: Target | undefined): Observer | undefined {
  const { kind, machine, phone, equipment } = target ?? {};
  if (machine !== undefined && phone !== undefined) {
    const agent = agentOf(rack, machine);
    return agent && { probe: chargeProbe(agent, phone.name), agent };
  }
  if (kind === 'machine' && machine !== undefined) {
    const probe = probeOf(rack, machine);
    return probe && { probe, agent: agentOf(rack, machine) };
  }
  const probe = kind === 'equipment' && equipment && equipmentProbe(equipment);
  return probe ? { probe, agent: undefined } : undefined;
}

/** Whether anything can show that it is back. */
export function canBeSeen(rack: Rack, target: Target): boolean {
  if (target.kind === 'phone') return target.machine?.address !== undefined;
  return observerOf(rack, target) !== undefined;
}
