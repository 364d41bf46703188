/** Records as the API shows them. */
import type { ControllerStatus, MachinePower, OutletStatus, PowerCycle } from '@skolo/api';
import { formatOutlet, type Outlet, type Rack } from '@skolo/rack';
import type { Controller } from './controller.ts';
import type { Controllers } from './controllers.ts';
import { stepOf } from './cycle.ts';
import type { OnProofs } from './on-proofs.ts';
import type { TimedReading } from './outlet-watch.ts';
import { findHold, waitFor } from './policy.ts';
import { type CycleRecord, feedKey } from './records.ts';
import type { Requests } from './requests.ts';
import type { Store } from './store.ts';
import { allTargets, type Target } from './targets.ts';

export function shownCycle(record: CycleRecord, position?: number): PowerCycle {
  const { id, target, action, mode, reason, by, origin, requestedAt, offSeconds, force, steps } =
    record;
  const { startedAt, finishedAt, outcome, failedStep, fault, detail } = record;
  return {
    id,
    target,
    action,
    mode,
    outlets: record.feeds.map(feedKey),
    reason,
    by,
    origin,
    requestedAt,
    offSeconds,
    force,
    step: stepOf(record),
    steps,
    ...(startedAt !== undefined && { startedAt }),
    ...(finishedAt !== undefined && { finishedAt }),
    ...(position !== undefined && { position }),
    ...(outcome !== undefined && { outcome }),
    ...(failedStep !== undefined && { failedStep }),
    ...(fault !== undefined && { fault }),
    ...(detail !== undefined && { detail }),
    ...(record.pending && { pending: record.pending }),
  };
}

export function shownController(
  controller: Controller,
  { proofs }: Pick<View, 'proofs'>,
): ControllerStatus {
  const { name, model, experimental, queueLength, lastContact, rejectedSignIns } = controller;
  const failing = proofs.failing().get(name);
  const provenAt = proofs.provenAt(name);
  return {
    name,
    model,
    ...conditionOf(controller, proofs),
    experimental,
    queue: queueLength,
    ...(failing && { stuckOutlets: failing.stuckOutlets }),
    ...(rejectedSignIns && {
      signInRejected: {
        times: rejectedSignIns.times,
        since: time(rejectedSignIns.since),
        nextAttemptAt: time(rejectedSignIns.nextAt),
      },
    }),
    ...(provenAt !== undefined && { onProvenAt: time(provenAt) }),
    ...(lastContact !== undefined && { lastContact: time(lastContact) }),
  };
}

/** One that is down is not said to be failing: nothing can be learned of its outlets. */
function conditionOf(
  { name, state, since, detail }: Controller,
  proofs: OnProofs,
): Pick<ControllerStatus, 'state' | 'since' | 'detail'> {
  const failing = proofs.failing().get(name);
  if (failing === undefined || state === 'down') {
    return { state, since: time(since), ...(detail !== undefined && { detail }) };
  }
  const { stuckOutlets, first } = failing;
  const text = `${stuckOutlets.join(', ')} ${stuckOutlets.length > 1 ? 'are' : 'is'} stuck off: ${first.why}; nothing else on it is turned off`;
  return { state: 'failing', since: first.since, detail: text };
}

export interface View {
  rack: () => Rack;
  store: Store;
  controllers: Controllers;
  readings: ReadonlyMap<string, TimedReading>;
  proofs: OnProofs;
  requests: Requests;
}

/** All outlets that feed something, in the order of what they feed. */
export function shownOutlets(view: View): OutletStatus[] {
  const feeds = new Map<string, { outlet: Outlet; feeds: string[] }>();
  for (const { name, feeds: own } of allTargets(view.rack())) {
    for (const outlet of own) {
      const key = formatOutlet(outlet);
      const known = feeds.get(key) ?? { outlet, feeds: [] };
      known.feeds.push(name);
      feeds.set(key, known);
    }
  }
  return [...feeds.values()].map(({ outlet, feeds: names }) => shownOutlet(outlet, names, view));
}

function shownOutlet(outlet: Outlet, feeds: string[], { store, readings }: View): OutletStatus {
  const key = formatOutlet(outlet);
  const reading = readings.get(key);
  const wish = store.wishes.get(key);
  const debt = store.debts.get(key);
  return {
    outlet: key,
    controller: outlet.device,
    feeds,
    state: reading?.state ?? 'unknown',
    stuckOff: debt?.stuck !== undefined,
    ...(reading && { readAt: time(reading.at) }),
    ...(reading?.fault !== undefined && { fault: reading.fault }),
    ...(reading?.delivering !== undefined && { delivering: reading.delivering }),
    ...(reading?.watts !== undefined && { watts: reading.watts }),
    ...(reading?.mode !== undefined && { mode: reading.mode }),
    ...(wish && { switchedOff: { by: wish.by, at: wish.at, reason: wish.reason } }),
    ...(debt && { owedSince: debt.since }),
  };
}

/** The given targets, each with all that one wants to know before cycling it. */
export function shownMachines(targets: readonly Target[], view: View): MachinePower[] {
  const { store } = view;
  const latest = new Map<string, CycleRecord>();
  const underWay = new Map<string, CycleRecord>();
  for (const record of store.cycles.all.values()) {
    const map = record.phase === 'finished' ? latest : underWay;
    const known = map.get(record.target);
    if (known === undefined || known.number < record.number) map.set(record.target, record);
  }
  const situation = view.requests.situation();
  return targets.map((target) => {
    const { name, kind, machine, feeds } = target;
    const cycle = underWay.get(name);
    const last = latest.get(name);
    const hold = findHold(situation.rack, target, situation.holds, situation.now);
    const needsHands = store.repairs.get(name)?.needsHands;
    const { wait } = waitFor(target, situation);
    const controllers = [...new Set(feeds.map(({ device }) => device))];
    return {
      name,
      kind: kind === 'outlet' ? 'infrastructure' : kind,
      ...(machine?.shelf !== undefined && { shelf: machine.shelf }),
      ...(machine?.label !== undefined && { label: machine.label }),
      outlets: feeds.map((feed) => shownOutlet(feed, [name], view)),
      controllers: controllers.flatMap((each) => {
        const controller = view.controllers.get(each);
        return controller ? [shownController(controller, view)] : [];
      }),
      ...(cycle && { cycle: shownCycle(cycle) }),
      ...(last && { last: shownCycle(last) }),
      ...(hold && { hold }),
      ...(needsHands !== undefined && { needsHands }),
      ...(wait > 0 && { possibleAt: time(situation.now + wait * 1000) }),
    };
  });
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
