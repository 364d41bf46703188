/** Records and readings as JSON for the API, and the one verdict about a controller's condition. */
import {
  type ControllerStatus,
  type MachinePower,
  type OutletStatus,
  PowerCycle,
} from '@skolo/api';
import { isoTime } from '@skolo/base';
import { evidenceOf } from '@skolo/equipment/models';
import { formatOutlet, type Outlet } from '@skolo/rack';
import { stepOf } from '../cycle/cycle.ts';
import { positions } from '../cycle/scheduler.ts';
import type { Controller } from '../equipment/controller.ts';
import type { Controllers } from '../equipment/controllers.ts';
import type { addressHolder } from '../equipment/may-switch.ts';
import type { TimedReading } from '../keep/outlet-watch.ts';
import type { PartDeps } from '../part-deps.ts';
import type { CircuitBreaker } from '../rules/circuit-breaker.ts';
import { whyInverted } from '../rules/descriptions.ts';
import { type Asker, busyOn, holdsOf } from '../rules/holds.ts';
import { waitFor } from '../rules/past-cycles.ts';
import type { Snapshot } from '../rules/preconditions.ts';
import { allTargets, type Target } from '../rules/targets.ts';
import { type CycleRecord, feedKey } from '../state/records.ts';
import type { Store } from '../state/store.ts';

function cycleStatus(record: CycleRecord, position?: number): PowerCycle {
  const outlets = record.feeds.map(feedKey);
  return PowerCycle.parse({ ...record, outlets, step: stepOf(record), position });
}

/** With its position in the queue. */
export function queuedStatus(store: Store, record: CycleRecord): PowerCycle {
  const waits = record.phase === 'queued' || record.phase === 'ready';
  return cycleStatus(record, waits ? positions(store.waiting()).get(record.id) : undefined);
}

export function controllerStatus(
  controller: Controller,
  view: Pick<View, 'breaker' | 'store' | 'rack'>,
): ControllerStatus {
  const { name, model, queueLength: queue, lastContact } = controller;
  const { stuckOutlets } = view.breaker.failing().get(name) ?? {};
  const condition = conditionOf(controller, view);
  return {
    name,
    model,
    ...condition,
    level: evidenceOf(model).level,
    queue,
    stuckOutlets,
    lastContact: isoTime(lastContact),
  };
}

/** The one verdict about a controller. One that is down does not count as failing: nothing is known about its outlets. */
export function conditionOf(
  { name, state, since, detail }: Controller,
  { breaker, store, rack }: Pick<View, 'breaker' | 'store' | 'rack'>,
): Pick<ControllerStatus, 'state' | 'since' | 'detail'> {
  const inverted = whyInverted(rack(), store.descriptions.all, name);
  if (inverted !== undefined) {
    return { state: 'failing', since: isoTime(since), detail: inverted };
  }
  const failing = breaker.failing().get(name);
  if (failing === undefined || state === 'down') return { state, since: isoTime(since), detail };
  const { stuckOutlets, first } = failing;
  const text = `${stuckOutlets.join(', ')} ${stuckOutlets.length > 1 ? 'are' : 'is'} stuck off: ${first.why}; its other outlets will not be turned off`;
  return { state: 'failing', since: first.since, detail: text };
}

export interface View extends Pick<PartDeps, 'rack' | 'store'> {
  controllers: Controllers;
  readings: ReadonlyMap<string, TimedReading>;
  breaker: CircuitBreaker;
  snapshot: () => Snapshot;
  addressHolder: () => ReturnType<typeof addressHolder>;
}

/** All outlets that feed something, in the order of the things they feed. */
export function outletStatuses(view: View): OutletStatus[] {
  const feeds = new Map<string, { outlet: Outlet; feeds: string[] }>();
  for (const { name, feeds: own } of allTargets(view.rack())) {
    for (const outlet of own) {
      const key = formatOutlet(outlet);
      const known = feeds.get(key) ?? { outlet, feeds: [] };
      known.feeds.push(name);
      feeds.set(key, known);
    }
  }
  return [...feeds.values()].map(({ outlet, feeds: names }) => outletStatus(outlet, names, view));
}

function outletStatus(outlet: Outlet, feeds: string[], view: View): OutletStatus {
  const { store, readings, controllers } = view;
  const key = formatOutlet(outlet);
  const reading = readings.get(key);
  // What a controller that is down said last is not known now.
  const current = controllers.get(outlet.device)?.state === 'down' ? undefined : reading;
  const off = store.switchedOff.get(key);
  const pendingOn = store.pendingOns.get(key);
  return {
    outlet: key,
    controller: outlet.device,
    feeds,
    state: current?.state ?? 'unknown',
    stuckOff: pendingOn?.stuck !== undefined,
    readAt: isoTime(reading?.at),
    fault: reading?.fault,
    delivering: current?.delivering,
    watts: current?.watts,
    mode: reading?.mode,
    switchedOff: off && { by: off.by, at: off.at, reason: off.reason },
    pendingOnSince: pendingOn?.since,
  };
}

/** Whose own jobs are unknown. */
const anybody: Asker = { origin: 'person', by: '' };

/** The given targets, each with everything that an operator wants to know before cycling it. */
export function machineStatuses(targets: readonly Target[], view: View): MachinePower[] {
  const { store } = view;
  const latest = new Map<string, CycleRecord>();
  const underWay = new Map<string, CycleRecord>();
  for (const record of store.cycles.all.values()) {
    const map = record.phase === 'finished' ? latest : underWay;
    const known = map.get(record.target);
    if (known === undefined || known.number < record.number) map.set(record.target, record);
  }
  const snapshot = view.snapshot();
  return targets.map((target) => {
    const { name, kind, machine, feeds } = target;
    const cycle = underWay.get(name);
    const last = latest.get(name);
    const [hold] = holdsOf(target, snapshot);
    const onIt = holdsOf(target, snapshot, 'on-it');
    const busy = busyOn(target, anybody, snapshot);
    const { wait } = waitFor(target, snapshot);
    const controllers = [...new Set(feeds.map(({ device }) => device))];
    return {
      name,
      kind: kind === 'outlet' ? 'equipment' : kind,
      shelf: machine?.shelf,
      label: machine?.label,
      outlets: feeds.map((feed) => outletStatus(feed, [name], view)),
      controllers: controllers.flatMap((each) => {
        const controller = view.controllers.get(each);
        return controller ? [controllerStatus(controller, view)] : [];
      }),
      cycle: cycle && cycleStatus(cycle),
      last: last && cycleStatus(last),
      hold,
      ...(onIt.length > 0 && { onIt }),
      ...(busy.length > 0 && { busy }),
      needsAttention: store.repairs.get(name)?.needsAttention,
      possibleAt: wait > 0 ? isoTime(snapshot.now + wait * 1000) : undefined,
    };
  });
}
