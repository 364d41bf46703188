/**
 * Decides whether a requested power cycle is accepted or rejected: holds, limits, what else would lose power, failing controllers. Pure:
 * all inputs are passed in. A rejection includes the reason, and the time at which the request will be possible.
 */
import type { Rejection } from '@skolo/api';
import { count } from '@skolo/base';
import { formatOutlet, type Outlet, type Rack } from '@skolo/rack';
import {
  type CycleRecord,
  type DescriptionRecord,
  feedKey,
  type HoldRecord,
  type PendingOn,
  type SwitchedOff,
} from '../state/records.ts';
import type { FailingController } from './circuit-breaker.ts';
import { whyInverted } from './descriptions.ts';
import { holdRules, holdsOf, isAutomatic, rejectingKinds } from './holds.ts';
import { whyObserved } from './observed.ts';
import { type PastCycle, waitFor } from './past-cycles.ts';
import { goesDarkNow, whyDaemonNeeds } from './power-loss.ts';
import type { Target } from './targets.ts';

/** What is requested of one target. */
export interface Ask {
  action: 'cycle' | 'on' | 'off';
  mode: 'auto' | 'soft' | 'hard';
  force: boolean;
  offSeconds?: number | undefined;
  /** Only as the device's own cycle: the caller may be cut off meanwhile. */
  nativeOnly?: boolean | undefined;
  /** An operator accepts the wear of one more cut on the relay. */
  ignoreLimits?: boolean | undefined;
  /** Of a USB port: only if no other port shares its power. */
  alone?: boolean | undefined;
  /** The person. What they have put on hold before keeps off only others. */
  person?: string | undefined;
  /** They know that others are working on it. */
  alongside?: boolean | undefined;
}

/** Everything that a request is checked against, as of now. */
export interface Snapshot {
  rack: Rack;
  now: number;
  /** Seconds since boot. */
  uptime: number;
  /** Those that have not ended, with their times by the current wall clock. */
  holds: readonly HoldRecord[];
  switchedOff: ReadonlyMap<string, SwitchedOff>;
  /** Outlets that an earlier cycle turned off and that are still off. */
  pendingOns: ReadonlyMap<string, PendingOn>;
  /** What is known about described commands. */
  descriptions: ReadonlyMap<string, DescriptionRecord>;
  /** Controllers that fail to turn an outlet on. */
  failing: ReadonlyMap<string, FailingController>;
  /** Cycles that are not finished. */
  active: readonly CycleRecord[];
  past: readonly PastCycle[];
  /** Whether the device can do off, wait and on by itself, with this off-time. */
  cyclesNatively(outlet: Outlet, offSeconds: number | undefined): boolean;
}

export type Verdict =
  /** It is already being cycled, by this cycle. */
  | { is: 'joined'; cycle: CycleRecord }
  | { is: 'allowed'; nativeOnly: boolean }
  /** The only objection is `acts: false`. */
  | { is: 'would-have'; why: string }
  | { is: 'rejected'; rejection: Rejection };

/** Decides for one target. For a target that skolo only observes, skolo's own requests are decided as usual, others are rejected. */
export function checkRequest(
  target: Target,
  ask: Ask,
  snapshot: Snapshot,
  origin: CycleRecord['origin'] = 'person',
): Verdict {
  const why = whyObserved(target, snapshot.rack);
  if (why !== undefined && !isAutomatic({ origin })) return rejected(target, 'observed', why);
  const verdict = decide(target, ask, snapshot);
  return why !== undefined && verdict.is === 'allowed' ? { is: 'would-have', why } : verdict;
}

/** In the order in which a person would want to know. */
function decide(target: Target, ask: Ask, snapshot: Snapshot): Verdict {
  const { active } = snapshot;
  const own = active.find((cycle) => cycle.target === target.name);
  if (own !== undefined) {
    if (own.action === ask.action) return { is: 'joined', cycle: own };
    const detail =
      own.action === 'cycle'
        ? `a cycle is under way (${own.id}); wait for it or cancel it`
        : `it is being turned ${own.action} (${own.id}); wait until this has finished`;
    return rejected(target, 'under-way', detail);
  }
  const rejection =
    cannot(target, ask) ??
    held(target, ask, snapshot) ??
    turnedOff(target, ask, snapshot) ??
    overlapping(target, snapshot) ??
    inverted(target, ask, snapshot) ??
    awaitingOn(target, ask, snapshot) ??
    onFailing(target, ask, snapshot) ??
    tooSoon(target, ask, snapshot);
  if (rejection !== undefined) return rejection;
  if (ask.action === 'on' || ask.mode === 'soft' || target.feeds.length === 0) {
    return { is: 'allowed', nativeOnly: false };
  }
  return dangerous(target, ask, snapshot);
}

/** Why an accepted request is no longer allowed: a hold, an edit of rack.yaml. Undefined: it still is. */
export function whyNoLonger(
  target: Target,
  record: CycleRecord,
  snapshot: Snapshot,
): string | undefined {
  const { action, mode, force, nativeOnly, offSeconds, offSecondsGiven } = record;
  const why = whyObserved(target, snapshot.rack);
  if (why !== undefined) return `${target.name}: ${why}`;
  const person = record.origin === 'person' ? record.by : undefined;
  const { alone, alongside } = record;
  const ask = {
    action,
    mode,
    force,
    alone,
    alongside,
    person,
    ...(offSecondsGiven && { offSeconds }),
  };
  const isSafe = action === 'on' || mode === 'soft' || target.feeds.length === 0;
  const verdict =
    held(target, ask, snapshot, Date.parse(record.requestedAt)) ??
    inverted(target, ask, snapshot) ??
    onFailing(target, ask, snapshot, record.number) ??
    (isSafe ? undefined : dangerous(target, ask, snapshot));
  if (verdict?.is === 'rejected') return verdict.rejection.detail;
  if (verdict?.is !== 'allowed' || !verdict.nativeOnly || nativeOnly) return undefined;
  return `${target.name}: this daemon itself now depends on it; send the request again`;
}

function cannot(target: Target, { action, mode }: Ask): Verdict | undefined {
  const { kind, feeds, machine } = target;
  const isMachine = kind === 'machine';
  if (mode === 'soft' && !isMachine) {
    const detail = 'only a machine can reboot itself; use mode auto';
    return rejected(target, 'not-possible', detail);
  }
  if (mode === 'soft' && machine?.address === undefined) {
    return rejected(
      target,
      'not-reachable',
      "rack.yaml does not specify the machine's address, so a soft reboot cannot be requested",
    );
  }
  const canAskIt =
    action === 'cycle' && mode !== 'hard' && isMachine && machine?.address !== undefined;
  if (feeds.length > 0 || canAskIt) return undefined;
  const detail = 'rack.yaml does not specify its outlet; add `power:` to its entry';
  return rejected(target, 'no-outlet', detail);
}

/** By people. What is busy is decided later, by the cycle. */
function held(
  target: Target,
  { action, person, alongside }: Ask,
  snapshot: Snapshot,
  requestedAt = snapshot.now,
): Verdict | undefined {
  // A repair requires off and on.
  if (action !== 'cycle') return undefined;
  for (const kind of rejectingKinds) {
    // Only people can be asked.
    const isAsked = holdRules[kind].others === 'asked' && person !== undefined;
    if (isAsked && alongside) continue;
    const hold = holdsOf(target, snapshot, kind).find(
      ({ by, since }) => by !== person || (!isAsked && Date.parse(since) > requestedAt),
    );
    if (hold === undefined) continue;
    const { by, until, reason } = hold;
    const code = kind === 'on-it' ? 'on-it' : 'held';
    const whose = hold.target === target.name ? '' : `${hold.target} was `;
    const detail =
      kind === 'on-it'
        ? `${by} is on it until ${until}: ${reason}${person === undefined ? '' : '; ask them, or use --alongside'}`
        : `${whose}put on hold by ${by} until ${until}: ${reason}`;
    return rejected(target, code, detail, { until });
  }
  return undefined;
}

function turnedOff(
  target: Target,
  { action }: Ask,
  { switchedOff }: Snapshot,
): Verdict | undefined {
  if (action !== 'cycle') return undefined;
  const off = target.feeds.map((feed) => switchedOff.get(formatOutlet(feed))).find(Boolean);
  if (off === undefined) return undefined;
  const detail = `${feedKey(off)} was turned off by ${off.by} at ${off.at}: ${off.reason}; turn it on instead`;
  return rejected(target, 'switched-off', detail);
}

/** Two cycles must not touch the same outlet, nor a phone be cycled together with its machine, nor a machine with its switch. */
function overlapping(target: Target, { rack, active }: Snapshot): Verdict | undefined {
  const names = ownNames(target);
  const touched = new Set([
    ...names,
    ...target.feeds.flatMap((feed) => [formatOutlet(feed), feed.device]),
  ]);
  if (target.machine !== undefined) touched.add(target.machine.name);
  const other = active.find(
    (cycle) =>
      touched.has(cycle.target) ||
      cycle.feeds.some((feed) => touched.has(feedKey(feed)) || names.has(feed.controller)),
  );
  if (other === undefined) return undefined;
  const what =
    other.action === 'cycle'
      ? `a cycle of ${other.target} (${other.id}) is under way`
      : `${other.target} is being turned ${other.action} (${other.id})`;
  const detail = `${what} in ${rack.name}; try again when this has finished`;
  return rejected(target, 'under-way', detail);
}

/** Attempts to turn an outlet on never end; an off meanwhile would defeat them. */
function awaitingOn(
  target: Target,
  { action }: Ask,
  { pendingOns }: Snapshot,
): Verdict | undefined {
  if (action !== 'cycle') return undefined;
  const pending = target.feeds.map((feed) => pendingOns.get(formatOutlet(feed))).find(Boolean);
  if (pending === undefined) return undefined;
  const detail = `${feedKey(pending)} was turned off by cycle ${pending.cycle} and is still being turned on; turn it on to retry immediately`;
  return rejected(target, 'under-way', detail);
}

/** Whatever is requested: its commands would do the opposite. */
function inverted(
  target: Target,
  { mode }: Ask,
  { rack, descriptions }: Snapshot,
): Verdict | undefined {
  if (mode === 'soft') return undefined;
  const why = target.feeds.map(({ device }) => whyInverted(rack, descriptions, device));
  const first = why.find(Boolean);
  return first === undefined ? undefined : rejected(target, 'controller-failing', first);
}

/**
 * A controller that fails to turn an outlet on may not turn off another. An operator may force one more.
 *
 * @param number of the cycle that is checked again; the one that was forced first goes first
 */
function onFailing(
  target: Target,
  { action, mode, force, nativeOnly }: Ask,
  { failing, active }: Snapshot,
  number = Number.POSITIVE_INFINITY,
): Verdict | undefined {
  if (action === 'on' || mode === 'soft') return undefined;
  const found = target.feeds
    // A person may give up an outlet that is already off.
    .filter((feed) => !failing.get(feed.device)?.stuckOutlets.includes(formatOutlet(feed)))
    .map(({ device }) => failing.get(device))
    .find(Boolean);
  if (found === undefined) return undefined;
  const { name, first, notForcedUntil } = found;
  const { outlet, offSince, why } = first;
  const what = `${name} is failing: it turned ${outlet} off at ${offSince} and cannot turn it on again (${why}); its other outlets will not be turned off`;
  // Internet connection repair forces by itself, without an operator.
  if (!force || nativeOnly) {
    const detail = `${what} until it is repaired; an operator can force one more cycle`;
    return rejected(target, 'controller-failing', detail);
  }
  const earlier = active.find(
    (cycle) =>
      cycle.force &&
      cycle.action !== 'on' &&
      cycle.number < number &&
      cycle.feeds.some(({ controller }) => controller === name),
  );
  if (earlier !== undefined) {
    const detail = `${what}; one more cycle has already been forced (${earlier.target})`;
    return rejected(target, 'controller-failing', detail);
  }
  if (notForcedUntil === undefined) return undefined;
  const until = new Date(notForcedUntil).toISOString();
  const detail = `${what}; one more cycle has already been forced, and the next one can be forced at ${until}`;
  return rejected(target, 'controller-failing', detail, { until });
}

/**
 * Limits protect the relay from every client, under any name. Each on ends an off, so on requires no limit of its own. `auto` is judged
 * as a power cut, although it may not get that far.
 */
function tooSoon(
  target: Target,
  { action, mode, ignoreLimits }: Ask,
  snapshot: Snapshot,
): Verdict | undefined {
  if (action === 'on' || ignoreLimits) return undefined;
  const { now, switchedOff } = snapshot;
  const isOff = target.feeds.every((feed) => switchedOff.has(formatOutlet(feed)));
  if (action === 'off' && isOff) return undefined;
  const { wait, why } = waitFor(target, snapshot, mode);
  if (wait <= 0) return undefined;
  const until = new Date(now + wait * 1000).toISOString();
  const code = why === 'cooldown' ? 'cooling-down' : 'too-often';
  const { cooldownSeconds, maxPerHour } = snapshot.rack.services['power-cycle-daemon'];
  const rule =
    why === 'cooldown'
      ? `the last power cut or reboot of this target ended less than ${cooldownSeconds} s ago`
      : `the power was cut ${count(maxPerHour, 'time')} within an hour`;
  const detail = `${rule}; try again in ${Math.ceil(wait)} s, or use --ignore-limits as an operator`;
  return rejected(target, code, detail, { until });
}

/** What else loses power, and whether the daemon would cut itself off. */
function dangerous(target: Target, ask: Ask, snapshot: Snapshot): Verdict {
  const { rack } = snapshot;
  const { feeds } = target;
  const already = [...snapshot.switchedOff.values(), ...snapshot.pendingOns.values()];
  const gone = goesDarkNow(rack, feeds, already);
  const phones = ownNames({ ...target, kind: 'machine' });
  // A cycle that the agent or a repair requests waits for no task, and one of the port `alone` fails if others share its power.
  const own = target.kind === 'phone' && (ask.alone || !ask.person) ? phones : ownNames(target);
  const dark = gone.filter((name) => !own.has(name));
  const cutOff = whyDaemonNeeds(rack, feeds, gone);
  if (cutOff !== undefined) {
    if (ask.action === 'off') {
      return rejected(target, 'protected', `${cutOff}; the outlet cannot be turned off from here`);
    }
    const [feed, ...more] = feeds;
    const alone = feed !== undefined && more.length === 0;
    if (!alone || !snapshot.cyclesNatively(feed, ask.offSeconds)) {
      const detail = `${cutOff}; nothing could turn the power on again, because ${alone ? 'the outlet cannot cycle on its own' : 'only a single outlet can cycle on its own'}`;
      return rejected(target, 'protected', detail);
    }
    if (!ask.force) {
      const detail = `${cutOff}; the outlet can cycle on its own, so use force if that is intended`;
      return rejected(target, 'protected', detail, { dark });
    }
    return { is: 'allowed', nativeOnly: true };
  }
  if (dark.length > 0 && !ask.force) {
    const others = count(dark.length, 'other', 'others');
    const detail =
      target.kind === 'phone' && own.size === 1 && phones.has(dark[0] ?? '')
        ? `${dark.join(', ')} would lose power, too, because a Raspberry Pi switches all its USB ports together; use force if that is intended`
        : `${others} would lose power or network; use force if that is intended`;
    return rejected(target, 'others-go-dark', detail, { dark });
  }
  return { is: 'allowed', nativeOnly: ask.nativeOnly === true };
}

/** What loses power intentionally: the target and its phones. For an outlet, anything that it feeds is somebody else. */
function ownNames({ name, kind, machine }: Target): Set<string> {
  const phones = kind === 'machine' ? (machine?.devices ?? []).map(({ fullName }) => fullName) : [];
  return new Set([name, ...phones]);
}

function rejected(
  { name }: Pick<Target, 'name'>,
  code: Rejection['code'],
  detail: string,
  more: Partial<Rejection> = {},
): Verdict {
  return {
    is: 'rejected',
    rejection: { target: name, code, detail: `${name}: ${detail}`, ...more },
  };
}
