/**
 * What an old protocol asks for, carried out and proven. Behind it are programs and not people, so two rules are
 * stricter here: what a person turned off is theirs, and what is held is not switched at all.
 */
import { errorText, orAborted, pause } from '@skolo/common';
import { formatOutlet, hasRange } from '@skolo/rack';
import { type Ask, findHold } from '../policy.ts';
import { feedKey, type Wish } from '../records.ts';
import { RequestRefused } from '../requests.ts';
import { findTarget, type Target } from '../targets.ts';
import type { DoorDeps } from './door.ts';

export interface Order {
  action: Ask['action'];
  /** A machine, a phone, a device, or an outlet: pdu-1/4. */
  target: string;
  /** Off for so long, or, to turn it on or off, so long from now. */
  delaySeconds: number | undefined;
  /** The door's name and the client's address. */
  by: string;
  reason: string;
  /** Aborted when the client has gone away. */
  gone: AbortSignal;
}

/** Begins the `by` of whatever came through a door. No person's name has a space in it. */
export const doorName = 'pdudaemon door';

/** Where a client says 0, the outlet is still off for a moment. */
const leastOffSeconds = 0.5;

/** Carries it out. Gives why not, or undefined once it is proven. */
export async function carryOut(order: Order, deps: DoorDeps): Promise<string | undefined> {
  const { log } = deps;
  const { action, target, delaySeconds, by } = order;
  // When the daemon stops or the client goes away there is nobody to answer.
  const end = AbortSignal.any([deps.closing, order.gone]);
  let why: string | undefined;
  try {
    why = await orAborted(attempt(order, deps, end), end);
  } catch (error) {
    const isExpected = error instanceof RequestRefused || end.aborted;
    if (!isExpected) log.error({ err: error, action, target, by }, 'door failed');
    why = errorText(error);
  }
  log.info({ action, target, delaySeconds, by, why }, 'door');
  return why;
}

async function attempt(
  order: Order,
  deps: DoorDeps,
  end: AbortSignal,
): Promise<string | undefined> {
  const { action, delaySeconds } = order;
  // Ranges are for people: no client of these protocols means forty machines by one name.
  if (hasRange(order.target)) return `${order.target}: one name at a time, without a range`;
  if (action !== 'cycle' && delaySeconds) await pause(delaySeconds * 1000, end);
  const { rack, wishes, debts, holds, now } = deps.situation();
  const target = findTarget(rack, order.target);
  if (target === undefined) return taken(order, askFor(order), deps);
  const wish = wishOf(target, wishes);
  if (wish !== undefined && !wish.by.startsWith(doorName)) {
    return `${feedKey(wish)} was turned off by ${wish.by} at ${wish.at}: ${wish.reason}; only a person turns it on again`;
  }
  const hold = findHold(rack, target, holds, now);
  if (hold !== undefined) {
    return `${target.name} is under repair (${hold.target}) until ${hold.until}, by ${hold.by}: ${hold.reason}`;
  }
  const debt = target.feeds.map((feed) => debts.get(formatOutlet(feed))).find(Boolean);
  // Its failure would leave nobody who turns that outlet on.
  if (debt !== undefined && action === 'off') {
    return `${target.name}: ${feedKey(debt)} was turned off by the cycle ${debt.cycle} and is still being turned on; ask again when it is on`;
  }
  if (wish === undefined || action !== 'cycle') return taken(order, askFor(order), deps);
  // Off already, by the door itself: what is left of a reboot is to turn it on.
  const ask = askFor(order);
  await pause((ask.offSeconds ?? leastOffSeconds) * 1000, end);
  return taken(order, { action: 'on', mode: 'hard', force: false }, deps);
}

function askFor({ action, delaySeconds }: Order): Ask {
  // Where the client does not say, the model's own time is the better one.
  const offSeconds =
    action === 'cycle' && delaySeconds !== undefined
      ? { offSeconds: Math.max(leastOffSeconds, delaySeconds) }
      : {};
  return { action, mode: 'hard', force: false, ...offSeconds };
}

async function taken(
  { target, reason, by, gone }: Order,
  ask: Ask,
  { take, untilPowerIsProven, cancel }: DoorDeps,
): Promise<string | undefined> {
  const request = { targets: [target], ask, reason, by, skipRefused: false };
  const { cycles } = await take({ ...request, origin: 'door' });
  const own = cycles.filter(({ joined }) => !joined);
  const leave = () => {
    for (const { id } of own) void cancel(id, 'the client hung up before it had begun; ask again');
  };
  if (gone.aborted) leave();
  else gone.addEventListener('abort', leave, { once: true });
  for (const { id } of cycles) {
    const { outcome, failedStep, detail } = await untilPowerIsProven(id);
    const isProven =
      outcome === undefined || outcome === 'back' || outcome === 'on' || outcome === 'off';
    // The power was cycled all the same, which is all that these protocols promise.
    if (isProven || failedStep === 'see-back') continue;
    const where = failedStep === undefined ? '' : ` at ${failedStep}`;
    return `${outcome}${where}: ${detail ?? 'no word why'}`;
  }
  return undefined;
}

function wishOf({ feeds }: Target, wishes: ReadonlyMap<string, Wish>): Wish | undefined {
  const found = feeds.flatMap((feed) => wishes.get(formatOutlet(feed)) ?? []);
  return found.find(({ by }) => !by.startsWith(doorName)) ?? found[0];
}
