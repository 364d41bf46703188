/**
 * May this be done, now? Pure: everything it knows is passed in. A refusal has the reason, and the time at which it will be possible.
 */
import type { Refusal } from '@skolo/api';
import { models } from '@skolo/models';
import { dependsOn, feedsKnown, formatOutlet, goesDark, type Outlet, type Rack } from '@skolo/rack';
import type { FailingController } from './controller-trust.ts';
import {
  type CycleRecord,
  feedKey,
  type HoldRecord,
  type PendingOn,
  type SwitchedOff,
} from './records.ts';
import type { Target } from './targets.ts';

/** What is asked of one target. */
export interface Ask {
  action: 'cycle' | 'on' | 'off';
  mode: 'auto' | 'soft' | 'hard';
  force: boolean;
  offSeconds?: number | undefined;
  /** Only by the device itself: the caller may be cut off meanwhile. */
  nativeOnly?: boolean | undefined;
  /** An operator accepts what one more cut does to the relay. */
  ignoreLimits?: boolean | undefined;
}

/** A cycle, or an off with the on that ended it. Seconds since boot, which no wall clock can turn back. */
export interface PastCycle {
  target: string;
  /** The relays that it moved: `pdu-1/4`. */
  outlets: readonly string[];
  begunAt: number;
  /** Absent: under way. */
  endedAt?: number;
}

export interface Situation {
  rack: Rack;
  now: number;
  /** Seconds since boot. */
  uptime: number;
  holds: readonly HoldRecord[];
  switchedOff: ReadonlyMap<string, SwitchedOff>;
  /** Outlets that an earlier cycle turned off and that are not on again yet. */
  pendingOns: ReadonlyMap<string, PendingOn>;
  /** Controllers that do not turn an outlet on again. */
  failing: ReadonlyMap<string, FailingController>;
  /** Cycles that are not finished. */
  active: readonly CycleRecord[];
  past: readonly PastCycle[];
  /** Whether the device can do off, wait and on by itself, for so long. */
  cyclesNatively(outlet: Outlet, offSeconds: number | undefined): boolean;
}

export type Verdict =
  /** It is being cycled already: this is that cycle. */
  | { is: 'joined'; cycle: CycleRecord }
  | { is: 'allowed'; nativeOnly: boolean }
  | { is: 'refused'; refusal: Refusal };

const hour = 3600;

/** Decides for one target. The order is that of what a person would want to know first. */
export function decide(target: Target, ask: Ask, situation: Situation): Verdict {
  const { active } = situation;
  const own = active.find((cycle) => cycle.target === target.name);
  if (own !== undefined) {
    if (own.action === ask.action) return { is: 'joined', cycle: own };
    const advice = own.action === 'cycle' ? 'wait for it or cancel it' : 'wait for it';
    return refused(target, 'under-way', `${verb(own)} is under way (${own.id}); ${advice}`);
  }
  const refusal =
    cannot(target, ask) ??
    held(target, ask, situation) ??
    turnedOff(target, ask, situation) ??
    overlapping(target, situation) ??
    awaitingOn(target, ask, situation) ??
    onFailing(target, ask, situation) ??
    tooSoon(target, ask, situation);
  if (refusal !== undefined) return refusal;
  if (ask.action === 'on' || ask.mode === 'soft' || target.feeds.length === 0) {
    return { is: 'allowed', nativeOnly: false };
  }
  return dangerous(target, ask, situation);
}

/** Why what was allowed when it was asked for is not any more: a hold, an edit of rack.yaml. Undefined: it still is. */
export function whyNoLonger(
  target: Target,
  record: CycleRecord,
  situation: Situation,
): string | undefined {
  const { action, mode, force, nativeOnly, offSeconds, offSecondsGiven } = record;
  const ask = { action, mode, force, ...(offSecondsGiven && { offSeconds }) };
  const isSafe = action === 'on' || mode === 'soft' || target.feeds.length === 0;
  const verdict =
    held(target, ask, situation) ??
    onFailing(target, ask, situation, record.number) ??
    (isSafe ? undefined : dangerous(target, ask, situation));
  if (verdict?.is === 'refused') return verdict.refusal.detail;
  if (verdict?.is !== 'allowed' || !verdict.nativeOnly || nativeOnly) return undefined;
  return `${target.name}: this daemon itself depends on it by now; ask again`;
}

function cannot(target: Target, { action, mode }: Ask): Verdict | undefined {
  const { kind, feeds, machine } = target;
  const isMachine = kind === 'machine';
  if (mode === 'soft' && !isMachine) {
    const detail = 'only a machine can be asked to reboot itself; ask with mode auto';
    return refused(target, 'not-possible', detail);
  }
  if (mode === 'soft' && machine?.address === undefined) {
    return refused(target, 'not-reachable', 'rack.yaml gives it no address to ask it at');
  }
  const canAskIt =
    action === 'cycle' && mode !== 'hard' && isMachine && machine?.address !== undefined;
  if (feeds.length > 0 || canAskIt) return undefined;
  const detail = 'rack.yaml does not say what feeds it; add `power:` to its entry';
  return refused(target, 'no-outlet', detail);
}

function held(
  target: Target,
  { action }: Ask,
  { rack, now, holds }: Situation,
): Verdict | undefined {
  // A repair needs on and off.
  if (action !== 'cycle') return undefined;
  const hold = findHold(rack, target, holds, now);
  if (hold === undefined) return undefined;
  const whose = hold.target === target.name ? '' : ` (${hold.target})`;
  const detail = `under repair${whose} until ${hold.until}, by ${hold.by}: ${hold.reason}`;
  return refused(target, 'held', detail, { until: hold.until });
}

/** A hold that keeps a target from being cycled. */
export function findHold(
  rack: Rack,
  target: Target,
  holds: readonly HoldRecord[],
  now: number,
): HoldRecord | undefined {
  return holdsOf(rack, target, holds, now)[0];
}

/** The holds that cover a target: its own, its machine's, that of what it hangs on, and the rack's. */
export function holdsOf(
  rack: Rack,
  target: Target,
  holds: readonly HoldRecord[],
  now: number,
): HoldRecord[] {
  const { name, feeds, machine, infrastructure } = target;
  const uplink = machine?.uplink ?? infrastructure?.uplink;
  const names = new Set([
    rack.name,
    name,
    ...(machine ? [machine.name] : []),
    ...feeds.map(({ device }) => device),
    ...(uplink !== undefined && uplink !== 'internet' ? [uplink.device] : []),
  ]);
  return holds.filter((hold) => names.has(hold.target) && Date.parse(hold.until) > now);
}

function turnedOff(
  target: Target,
  { action }: Ask,
  { switchedOff }: Situation,
): Verdict | undefined {
  if (action !== 'cycle') return undefined;
  const off = target.feeds.map((feed) => switchedOff.get(formatOutlet(feed))).find(Boolean);
  if (off === undefined) return undefined;
  const detail = `${feedKey(off)} was turned off by ${off.by} at ${off.at}: ${off.reason}; turn it on instead`;
  return refused(target, 'switched-off', detail);
}

/** Two cycles must not touch the same outlet, a phone not be cycled together with its machine, nor a machine with its switch. */
function overlapping(target: Target, { rack, active }: Situation): Verdict | undefined {
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
  const detail = `${verb(other)} of ${other.target} (${other.id}) is under way in ${rack.name}; ask again when it is done`;
  return refused(target, 'under-way', detail);
}

/** An outlet is being turned on for ever: an off meanwhile would defeat that. */
function awaitingOn(
  target: Target,
  { action }: Ask,
  { pendingOns }: Situation,
): Verdict | undefined {
  if (action !== 'cycle') return undefined;
  const pending = target.feeds.map((feed) => pendingOns.get(formatOutlet(feed))).find(Boolean);
  if (pending === undefined) return undefined;
  const detail = `${feedKey(pending)} was turned off by the cycle ${pending.cycle} and is still being turned on; turn it on to have that tried at once`;
  return refused(target, 'under-way', detail);
}

/**
 * A controller that does not turn one outlet on again gets no other one to turn off. An operator may force one more.
 *
 * @param number of the cycle that is looked at again; the one that was forced first goes first
 */
function onFailing(
  target: Target,
  { action, mode, force, nativeOnly }: Ask,
  { failing, active }: Situation,
  number = Number.POSITIVE_INFINITY,
): Verdict | undefined {
  if (action === 'on' || mode === 'soft') return undefined;
  const found = target.feeds
    // A person may give up what is off already.
    .filter((feed) => !failing.get(feed.device)?.stuckOutlets.includes(formatOutlet(feed)))
    .map(({ device }) => failing.get(device))
    .find(Boolean);
  if (found === undefined) return undefined;
  const { name, first, notForcedUntil } = found;
  const { outlet, offSince, why } = first;
  const what = `${name} is failing: it turned ${outlet} off at ${offSince} and does not turn it on again (${why}); nothing else on it is turned off`;
  // Repair of the uplink forces by itself: that is no operator.
  if (!force || nativeOnly) {
    const detail = `${what} until that is repaired; an operator can force one more`;
    return refused(target, 'controller-failing', detail);
  }
  const earlier = active.find(
    (cycle) =>
      cycle.force &&
      cycle.action !== 'on' &&
      cycle.number < number &&
      cycle.feeds.some(({ controller }) => controller === name),
  );
  if (earlier !== undefined) {
    const detail = `${what}; one more was forced already (${earlier.target})`;
    return refused(target, 'controller-failing', detail);
  }
  if (notForcedUntil === undefined) return undefined;
  const until = new Date(notForcedUntil).toISOString();
  const detail = `${what}; one more was forced already, and the next can be at ${until}`;
  return refused(target, 'controller-failing', detail, { until });
}

/** Limits protect the relay, for every client, and under whatever name. Each on ends an off, so that on needs no limit of its own. */
function tooSoon(
  target: Target,
  { action, ignoreLimits }: Ask,
  situation: Situation,
): Verdict | undefined {
  if (action === 'on' || ignoreLimits) return undefined;
  const { now, switchedOff } = situation;
  const isOff = target.feeds.every((feed) => switchedOff.has(formatOutlet(feed)));
  if (action === 'off' && isOff) return undefined;
  const { wait, why } = waitFor(target, situation);
  if (wait <= 0) return undefined;
  const until = new Date(now + wait * 1000).toISOString();
  const code = why === 'cooldown' ? 'cooling-down' : 'too-often';
  const { cooldownSeconds, maxPerHour } = situation.rack.services['power-cycle-daemon'];
  const rule =
    why === 'cooldown'
      ? `its power was cut less than ${cooldownSeconds} s ago`
      : `its power was cut ${maxPerHour} times within an hour`;
  const detail = `${rule}; possible again in ${Math.ceil(wait)} s, or for an operator with --ignore-limits`;
  return refused(target, code, detail, { until });
}

/** Seconds until the power of a target may be cut again, by the limits for one machine. */
export function waitFor(
  { name, feeds }: Pick<Target, 'name' | 'feeds'>,
  { rack, uptime, past }: Pick<Situation, 'rack' | 'uptime' | 'past'>,
): { wait: number; why: 'cooldown' | 'per-hour' } {
  const { cooldownSeconds, maxPerHour } = rack.services['power-cycle-daemon'];
  const relays = new Set(feeds.map(formatOutlet));
  const own = past.filter(
    ({ target, outlets }) => target === name || outlets.some((outlet) => relays.has(outlet)),
  );
  const ends = own.flatMap(({ endedAt }) => (endedAt === undefined ? [] : [endedAt]));
  const cooldown = ends.length === 0 ? 0 : Math.max(...ends) + cooldownSeconds - uptime;
  const begun = own.map(({ begunAt }) => begunAt).sort((a, b) => b - a);
  // The one that has to be an hour old before there may be another.
  const oldest = begun[maxPerHour - 1];
  const perHour = oldest === undefined ? 0 : oldest + hour - uptime;
  return perHour > cooldown
    ? { wait: perHour, why: 'per-hour' }
    : { wait: cooldown, why: 'cooldown' };
}

/** Who else goes dark, and whether the daemon would cut its own branch. */
function dangerous(target: Target, ask: Ask, situation: Situation): Verdict {
  const { rack } = situation;
  const { feeds } = target;
  const gone = goesDarkNow(feeds, situation);
  const dark = gone.filter((name) => !ownNames(target).has(name));
  const cutOff = branch(rack, feeds, gone);
  if (cutOff !== undefined) {
    if (ask.action === 'off') {
      return refused(target, 'protected', `${cutOff}; it is never turned off from here`);
    }
    const [feed, ...more] = feeds;
    const alone = feed !== undefined && more.length === 0;
    if (!alone || !situation.cyclesNatively(feed, ask.offSeconds)) {
      const detail = `${cutOff}; nothing could turn it on again, since its outlet cannot cycle by itself`;
      return refused(target, 'protected', detail);
    }
    if (!ask.force) {
      const detail = `${cutOff}; its outlet can cycle by itself: ask with force if that is what you want`;
      return refused(target, 'protected', detail, { dark });
    }
    return { is: 'allowed', nativeOnly: true };
  }
  if (dark.length > 0 && !ask.force) {
    const detail = `${dark.length} others would lose power or network; ask with force if that is what you want`;
    return refused(target, 'others-go-dark', detail, { dark });
  }
  return { is: 'allowed', nativeOnly: ask.nativeOnly === true };
}

/** Why nothing is to turn this outlet off by itself, as rack.yaml is now; undefined: nothing speaks against it. */
export function whyNeeded(rack: Rack, outlet: Outlet): string | undefined {
  return branch(rack, [outlet], goesDark(rack, outlet));
}

/** Who has power and network yet. Of two feeds one may be off already: then the other one is the last. */
function goesDarkNow(
  feeds: readonly Outlet[],
  { rack, switchedOff, pendingOns }: Pick<Situation, 'rack' | 'switchedOff' | 'pendingOns'>,
): string[] {
  const off = [...switchedOff.values(), ...pendingOns.values()].map(({ controller, outlet }) => {
    return { device: controller, outlet };
  });
  const darkAlready = new Set(off.length === 0 ? [] : goesDark(rack, off));
  return goesDark(rack, [...feeds, ...off]).filter((name) => !darkAlready.has(name));
}

/** Why cutting these outlets would make it impossible to turn them on again; undefined: it would not. */
function branch(rack: Rack, feeds: readonly Outlet[], dark: readonly string[]): string | undefined {
  const unknown = feeds.find((feed) => !feedsKnown(rack, feed));
  if (unknown !== undefined)
    return `rack.yaml has mistakes, so it is not known what ${formatOutlet(unknown)} feeds; correct them (skolo rack check)`;
  const needed = new Set(dependsOn(rack, rack.jumphost.name));
  const own = feeds.find((feed) => needed.has(formatOutlet(feed)));
  if (own !== undefined)
    return `the jumphost, where this daemon runs, depends on ${formatOutlet(own)}`;
  if (dark.includes(rack.jumphost.name))
    return 'the jumphost, where this daemon runs, would go dark';
  const controller = feeds.find(({ device }) => dark.includes(device));
  if (controller !== undefined)
    return `${controller.device}, which switches it, would be cut off itself`;
  for (const { device } of feeds) {
    const address = gatewayOf(rack, device);
    const gateway = dark.find((name) => address !== undefined && addressOf(rack, name) === address);
    if (gateway !== undefined)
      return `${device}, which switches it, is spoken to through ${gateway}`;
  }
  return undefined;
}

/**
 * The broker or web service that a switch is spoken to through: it runs on something that may have a name of its own.
 * An address that other devices share with a machine means nothing: their ports are forwarded.
 */
function gatewayOf({ infrastructure }: Rack, name: string): string | undefined {
  const device = infrastructure.get(name);
  return device !== undefined && behindGateways.has(device.model) ? device.address : undefined;
}

const behindGateways: ReadonlySet<string> = new Set(['mqtt-switch', 'http-switch']);

function addressOf({ machines, infrastructure }: Rack, name: string): string | undefined {
  return (machines.get(name) ?? infrastructure.get(name))?.address;
}

/** What goes dark by intention: the target, its phones; of an outlet, what hangs on it alone is somebody else. */
function ownNames({ name, kind, machine }: Target): Set<string> {
  const phones = kind === 'machine' ? (machine?.devices ?? []).map(({ fullName }) => fullName) : [];
  return new Set([name, ...phones]);
}

/** How long off, where the request does not say: the machine's own, else the longest that its outlets' models want. */
export function defaultOffSeconds(rack: Rack, { machine, kind, feeds }: Target): number {
  if (kind === 'machine' && machine?.offSeconds !== undefined) return machine.offSeconds;
  const wanted = feeds.map(({ device }) => {
    const model = rack.infrastructure.get(device)?.model;
    return (model !== undefined && models.get(model)?.power?.offSeconds) || usbOffSeconds;
  });
  return Math.max(0, ...wanted);
}

/** Long enough for a phone to notice. */
const usbOffSeconds = 5;

function verb({ action }: CycleRecord): string {
  return action === 'cycle' ? 'a cycle' : `turning it ${action}`;
}

function refused(
  { name }: Pick<Target, 'name'>,
  code: Refusal['code'],
  detail: string,
  more: Partial<Refusal> = {},
): Verdict {
  return { is: 'refused', refusal: { target: name, code, detail: `${name}: ${detail}`, ...more } };
}
