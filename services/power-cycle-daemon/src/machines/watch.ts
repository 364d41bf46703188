/**
 * Decides whether a machine is back after a power cycle, by its boot ID or because it was seen down. A machine that never went down is
 * not back.
 */

import { pause } from '@skolo/base';
import type { Agent } from './agent.ts';
import { howDown, isDown, type Look, type Probe } from './probe.ts';

export interface Observer {
  probe: Probe;
  agent: Agent | undefined;
}

/** Milliseconds. */
export interface WatchTuning {
  lookMs: number;
  /** Between looks that reach its sshd. */
  everyMs: number;
  /** Between looks at a machine that accepts no connections: they cost its sshd nothing. */
  downMs: number;
}

/** Between two looks, however long it takes to boot. */
const longestPauseMs = 5000;

interface SeenDown {
  text: string;
  /** To follow "it": `refused connections`. */
  how: string;
  /** It was seen alive before, so it went down while being watched. */
  wasUp: boolean;
}

/** Waits until it is seen down. Returns how, or undefined after `withinMs`. */
export async function seeDown(
  { probe }: Observer,
  withinMs: number,
  { lookMs, everyMs }: WatchTuning,
  signal: AbortSignal,
): Promise<SeenDown | undefined> {
  let wasUp = false;
  const end = performance.now() + withinMs;
  do {
    const look = await probe(lookMs, signal);
    signal.throwIfAborted();
    if (isDown(look)) return { text: look.text, how: howDown(look), wasUp };
    wasUp ||= isAlive(look);
    await pause(everyMs, signal);
  } while (performance.now() < end);
  return undefined;
}

type Return =
  /** `proof`: evidence that it had no power, such as another boot or a younger connection. */
  | { is: 'back'; text: string; proof?: string }
  | { is: 'never-down'; text: string }
  | { is: 'not-back'; text: string };

export interface Down {
  /** To follow "it": `refused connections`. */
  how: string;
  /** Milliseconds, as `performance.now()`; undefined: it was not watched all the time. */
  since: number | undefined;
}

interface ReturnOptions {
  /** It was seen down already. */
  sawDown: Down | undefined;
  /** The boot that should end. */
  bootId: string | undefined;
  withinMs: number;
  onDown: (text: string, how: string) => void;
}

/**
 * Waits until it responds again, and looks once more after `withinMs`, because the daemon may have been paused meanwhile. Proof that it
 * was down is a different boot, if the agent reports boots, or else that it was seen down. Without either, a response means nothing.
 */
export async function seeBack(
  observer: Observer,
  { sawDown, bootId, withinMs, onDown }: ReturnOptions,
  tuning: WatchTuning,
  signal: AbortSignal,
): Promise<Return> {
  const { lookMs } = tuning;
  const start = performance.now();
  let down = sawDown;
  let last = 'not checked yet';
  for (let isLast = false, looks = 0; !isLast; looks += 1) {
    isLast = performance.now() - start >= withinMs;
    const look = await observer.probe(lookMs, signal);
    signal.throwIfAborted();
    last = look.text;
    if (isDown(look) && down === undefined) {
      down = { how: howDown(look), since: performance.now() };
      onDown(look.text, down.how);
    }
    if (look.is === 'up') {
      const boot = await bootSince(observer, bootId, lookMs, signal);
      // A moment of silence is not a boot.
      if (boot === 'same') {
        return { is: 'never-down', text: `${look.text}, but the machine has not rebooted` };
      }
      if (boot === 'another') {
        const text = `back ${after(start)}: ${look.text}, with a new boot ID`;
        return { is: 'back', text, proof: 'a new boot' };
      }
      if (down !== undefined) {
        const duration = down.since === undefined ? '' : ` for ${secondsSince(down.since)} s`;
        const text = `back ${after(start)}: ${look.text}, after it ${down.how}${duration}`;
        return { is: 'back', text };
      }
      return { is: 'never-down', text: `${look.text}, but the target was never down` };
    }
    await pause(pauseAfter(look, looks, tuning), signal);
  }
  return { is: 'not-back', text: `not back within ${Math.round(withinMs / 1000)} s: ${last}` };
}

/** How long until the next look at a machine that is not back, after so many earlier ones. Milliseconds. */
export function pauseAfter(
  look: Look,
  looks: number,
  { everyMs, downMs }: Pick<WatchTuning, 'everyMs' | 'downMs'>,
): number {
  return Math.min((isDown(look) ? downMs : everyMs) * 1.2 ** looks, longestPauseMs);
}

/** What the agent reports about the boot that should end. */
export async function bootSince(
  { agent }: Observer,
  bootId: string | undefined,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<'same' | 'another' | 'unknown'> {
  if (bootId === undefined) return 'unknown';
  const now = (await agent?.status(timeoutMs, signal))?.bootId;
  if (now === undefined) return 'unknown';
  return now === bootId ? 'same' : 'another';
}

export function isAlive({ is }: Look): boolean {
  return is === 'up' || is === 'closed' || is === 'silent';
}

function after(start: number): string {
  return `after ${secondsSince(start)} s`;
}

function secondsSince(start: number): number {
  return Math.round((performance.now() - start) / 1000);
}

/** For a phone, down means that it is reported as not charging. A phone that is merely unseen may be charging. */
export function chargeProbe(agent: Agent, device: string): Probe {
  return async (timeoutMs, signal) => {
    const status = await agent.status(timeoutMs, signal);
    const phone = status?.devices.find(({ name }) => name === device);
    if (phone?.state !== 'present' || phone.charging !== false)
      return { is: 'up', text: 'charges' };
    return { is: 'unanswered', text: 'the phone is not charging' };
  };
}

/**
 * Waits until the agent reports the phone as present. Undefined: the agent is silent, so nothing is known.
 *
 * @param secondsOff since its USB port went off: a younger connection proves that it had no power. It is read again for that.
 */
export async function seePhone(
  agent: Agent,
  device: string,
  { withinMs, secondsOff }: { withinMs: number; secondsOff?: (() => number) | undefined },
  { lookMs, everyMs }: WatchTuning,
  signal: AbortSignal,
): Promise<Exclude<Return, { is: 'never-down' }> | undefined> {
  const start = performance.now();
  let state = 'unknown';
  let firstReadAt: string | undefined;
  for (let isLast = false; !isLast; ) {
    isLast = performance.now() - start >= withinMs;
    const status = await agent.status(lookMs, signal);
    if (status === undefined) return undefined;
    const phone = status.devices.find(({ name }) => name === device);
    state = phone?.state ?? 'unknown';
    const { readAt, connectedSeconds = Number.POSITIVE_INFINITY } = phone ?? {};
    firstReadAt ??= readAt;
    const isOld = readAt === firstReadAt;
    if (state === 'present' && (!isOld || secondsOff === undefined || readAt === undefined)) {
      const isYounger = !isOld && secondsOff !== undefined && connectedSeconds < secondsOff();
      const text = `back: the agent detected the phone ${after(start)}`;
      return { is: 'back', text, ...(isYounger && { proof: 'a newer USB connection' }) };
    }
    await pause(everyMs * 2, signal);
  }
  const text = `not back within ${Math.round(withinMs / 1000)} s: the agent reports the phone as ${state}`;
  return state === 'unknown' ? undefined : { is: 'not-back', text };
}
