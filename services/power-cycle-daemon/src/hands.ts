/** What there is to act with, and how a target is looked at. */
import type { Clock } from '@skolo/common';
import type { HostKeys } from '@skolo/equipment';
import type { PowerCycleDaemonSettings, Rack } from '@skolo/rack';
import type { Controller } from './controller.ts';
import { agentOf } from './machines/agent.ts';
import { infrastructureProbe } from './machines/infrastructure-probe.ts';
import { probeOf } from './machines/probe.ts';
import type { MachineEyes, SeenDown, WatchTuning } from './machines/watch.ts';
import type { Patience } from './prove.ts';
import type { CycleRecord } from './records.ts';
import type { Target } from './targets.ts';

/** What there is to act with. */
export interface Hands {
  rack: () => Rack;
  controller(name: string): Controller | undefined;
  hostKeys: HostKeys;
  clock: Clock;
  /** Why what was allowed when it was asked for is not any more. */
  whyNoLonger(record: CycleRecord, target: Target): string | undefined;
  /** Whether anything tells that a target is back. */
  canBeSeen(target: Target): boolean;
  patience: Patience;
  watch: WatchTuning;
  /** Pause between attempts to reach a controller. */
  contactPauseMs: number;
  softTimeoutMs: number;
  /** Adds a line to the steps of the cycle. */
  note: (text: string) => void;
  seenDown: (down: SeenDown) => void;
  /** Aborted when the daemon is about to stop: what is off comes back now. */
  ending: AbortSignal;
  /** It was seen off by the device's own cycle. */
  offNatively: (text: string) => void;
}

/** The settings of the daemon, as rack.yaml has them now. */
export function settingsOf({ rack }: Pick<Hands, 'rack'>): PowerCycleDaemonSettings {
  return rack().services['power-cycle-daemon'];
}

/** How a target is looked at; undefined: nothing tells. Phones are told of by the agent of their machine. */
export function eyesFor(rack: Rack, target: Target): MachineEyes | undefined {
  const { kind, machine, infrastructure } = target;
  if (kind === 'machine' && machine !== undefined) {
    const probe = probeOf(rack, machine);
    return probe && { probe, agent: agentOf(rack, machine) };
  }
  if (kind === 'infrastructure' && infrastructure !== undefined) {
    const probe = infrastructureProbe(infrastructure);
    return probe && { probe, agent: undefined };
  }
  return undefined;
}

/** Whether anything may tell that it is back. */
export function canBeSeen(rack: Rack, target: Target): boolean {
  if (target.kind === 'device') return target.machine?.address !== undefined;
  return eyesFor(rack, target) !== undefined;
}
