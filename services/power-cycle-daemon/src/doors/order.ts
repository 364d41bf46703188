/**
 * What an old protocol asks for, carried out and proven. Behind it are programs and not people, so two rules are
 * stricter here: what a person turned off is theirs, and what is held is not switched at all.
 */
import { errorText, pause } from '@skolo/common';
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
}

/** Begins the `by` of whatever came through a door. No person's name has a space in it. */
export const doorName = 'pdudaemon door';

/** Where a client says 0, the outlet is still off for a moment. */
const leastOffSeconds = 0.5;

/** Carries it out. Gives why not, or undefined once it is proven. */
export async function carryOut(order: Order, deps: DoorDeps): Promise<string | undefined> {
  const { log, closing } = deps;
  const { action, target, delaySeconds, by } = order;
  let why: string | undefined;
  try {
    why = await orClosing(attempt(order, deps), closing);
  } catch (error) {
    const isExpected = error instanceof RequestRefused || closing.aborted;
    if (!isExpected) log.error({ err: error, action, target, by }, 'door failed');
    why = errorText(error);
  }
  log.info({ action, target, delaySeconds, by, why }, 'door');
  return why;
}

async function attempt(order: Order, deps: DoorDeps): Promise<string | undefined> {
  const { action, delaySeconds } = order;
  // Ranges are for people: no client of these protocols means forty machines by one name.
  if (hasRange(order.target)) return `${order.target}: one name at a time, without a range`;
  if (action !== 'cycle' && delaySeconds) await pause(delaySeconds * 1000, deps.closing);
  const { rack, wishes, holds, now } = deps.situation();
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
  if (wish === undefined || action !== 'cycle') return taken(order, askFor(order), deps);
  // Off already, by the door itself: what is left of a reboot is to turn it on.
  const ask = askFor(order);
  await pause((ask.offSeconds ?? leastOffSeconds) * 1000, deps.closing);
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
  { target, reason, by }: Order,
  ask: Ask,
  { take, untilPowerIsProven }: DoorDeps,
): Promise<string | undefined> {
  const request = { targets: [target], ask, reason, by, skipRefused: false };
  const { cycles } = await take({ ...request, origin: 'door' });
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

/** @throws Error The daemon stops. What was taken is in the journal, and goes on without anybody waiting for it. */
function orClosing<T>(work: Promise<T>, closing: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () =>
      reject(new Error('the daemon stops; what was begun goes on when it is back'));
    if (closing.aborted) stop();
    closing.addEventListener('abort', stop);
    work.then(resolve, reject).finally(() => closing.removeEventListener('abort', stop));
  });
}
