/** Waiting for a machine to go down, and to be back. A machine that never went down is not back. */

import { pause } from '@skolo/common';
import type { Agent } from './agent.ts';
import type { Probe } from './probe.ts';

export interface Observer {
  probe: Probe;
  agent: Agent | undefined;
}

/** Milliseconds. */
export interface WatchTuning {
  lookMs: number;
  everyMs: number;
}

export const usualWatch: WatchTuning = { lookMs: 2000, everyMs: 500 };

export interface SeenDown {
  text: string;
  /** It was seen up before, so that it went down while it was watched. */
  wasUp: boolean;
}

/** Until it is seen down. Returns how, or undefined when `withinMs` are over. */
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
    if (!look.up) return { text: look.text, wasUp };
    wasUp = true;
    await pause(everyMs, signal);
  } while (performance.now() < end);
  return undefined;
}

export type Return =
  /** `isNewBoot`: its agent shows another boot than before. */
  | { is: 'back'; text: string; isNewBoot: boolean }
  | { is: 'never-down'; text: string }
  | { is: 'not-back'; text: string };

export interface ReturnOptions {
  /** It was seen down already. */
  sawDown: boolean;
  /** The boot that was to end. */
  bootId: string | undefined;
  withinMs: number;
  onDown: (text: string) => void;
}

/**
 * Until it answers again. Proof that it was gone is that another boot runs now, where the agent reports it, or else that it was
 * seen down. Without either, an answer means nothing.
 */
export async function seeBack(
  observer: Observer,
  { sawDown, bootId, withinMs, onDown }: ReturnOptions,
  { lookMs, everyMs }: WatchTuning,
  signal: AbortSignal,
): Promise<Return> {
  const start = performance.now();
  let wasDown = sawDown;
  let last = 'not looked yet';
  let wait = everyMs;
  do {
    const look = await observer.probe(lookMs, signal);
    signal.throwIfAborted();
    last = look.text;
    if (!look.up && !wasDown) {
      wasDown = true;
      onDown(look.text);
    }
    if (look.up) {
      const boot = await bootSince(observer, bootId, lookMs, signal);
      // Silence for a moment is not a boot.
      if (boot === 'same') {
        return { is: 'never-down', text: `${look.text}, but it still runs the same boot` };
      }
      if (boot === 'another') {
        const text = `back: ${look.text}, another boot runs${after(start)}`;
        return { is: 'back', text, isNewBoot: true };
      }
      if (wasDown) {
        return { is: 'back', text: `back: ${look.text}${after(start)}`, isNewBoot: false };
      }
      return { is: 'never-down', text: `${look.text}, but it was never seen down` };
    }
    await pause(wait, signal);
    wait = Math.min(wait * 1.2, 5000);
  } while (performance.now() - start < withinMs);
  return { is: 'not-back', text: `not back within ${Math.round(withinMs / 1000)} s: ${last}` };
}

/** What the agent reports of the boot that was to end. */
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

function after(start: number): string {
  return `, after ${Math.round((performance.now() - start) / 1000)} s`;
}

/** Until the agent reports the phone as present. Undefined: the agent is silent, so nothing is known. */
export async function seePhone(
  agent: Agent,
  device: string,
  withinMs: number,
  { lookMs, everyMs }: WatchTuning,
  signal: AbortSignal,
): Promise<Exclude<Return, { is: 'never-down' }> | undefined> {
  const start = performance.now();
  let state = 'unknown';
  do {
    const status = await agent.status(lookMs, signal);
    if (status === undefined) return undefined;
    state = status.devices.find(({ name }) => name === device)?.state ?? 'unknown';
    if (state === 'present') {
      return { is: 'back', text: `back: its agent sees it${after(start)}`, isNewBoot: false };
    }
    await pause(everyMs * 2, signal);
  } while (performance.now() - start < withinMs);
  const text = `not back within ${Math.round(withinMs / 1000)} s: for the agent it is ${state}`;
  return state === 'unknown' ? undefined : { is: 'not-back', text };
}
