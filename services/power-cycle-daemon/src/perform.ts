/** Carries out one effect of a cycle on the world, and tells what came of it. */
import type { Clock } from '@skolo/common';
import { errorText } from '@skolo/common';
import { DeviceError, type HostKeys } from '@skolo/equipment';
import { formatOutlet, type Rack } from '@skolo/rack';
import type { Controller } from './controller.ts';
import type { CycleEvent, Effect } from './cycle.ts';
import type { OutletReading } from './drivers/driver.ts';
import { agentOf } from './machines/agent.ts';
import { infrastructureProbe } from './machines/infrastructure-probe.ts';
import { backWithin, probeOf } from './machines/probe.ts';
import { softReboot } from './machines/soft-reboot.ts';
import {
  bootSince,
  type MachineEyes,
  seeBack,
  seeDown,
  seePhone,
  type WatchTuning,
} from './machines/watch.ts';
import { pause } from './pause.ts';
import { cycleNatively, type Patience, turnOff } from './prove.ts';
import { type CycleRecord, feedKey } from './records.ts';
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
  seenDown: (text: string) => void;
  /** Aborted when the daemon is about to stop: what is off comes back now. */
  ending: AbortSignal;
  /** It was seen off by the device's own cycle. */
  offNatively: (text: string) => void;
}

type Performed = Exclude<Effect, 'none' | 'wait-for-turn' | 'turn-on'>;

/**
 * @param target undefined: it is no longer in rack.yaml
 * @throws The signal's reason, when the daemon stops.
 */
export async function perform(
  effect: Effect,
  record: CycleRecord,
  target: Target | undefined,
  hands: Hands,
  signal: AbortSignal,
): Promise<CycleEvent> {
  switch (effect as Performed) {
    case 'check':
      return check(target, hands, signal);
    case 'soft-reboot': {
      const why = whyNot(record, target, hands);
      if (why !== undefined) return { is: 'soft-impossible', text: why };
      return reboot(record, target, hands, signal);
    }
    case 'watch-down':
      return watchDown(record, target, hands, signal);
    case 'contact': {
      const why = whyNot(record, target, hands);
      if (why !== undefined) return { is: 'contact-failed', text: why };
      return contact(record, hands, signal);
    }
    case 'turn-off': {
      const moved = whyMoved(record, target);
      if (moved !== undefined) return { is: 'off-failed', text: moved };
      return allOff(record, target, hands, signal);
    }
    case 'wait-off':
      return waitOff(record, target, hands, signal);
    case 'see-back':
      return back(record, target, hands, signal);
  }
}

/** Why it is not to be begun any more, or not to be gone on with. */
export function whyNot(
  record: CycleRecord,
  target: Target | undefined,
  { whyNoLonger }: Pick<Hands, 'whyNoLonger'>,
): string | undefined {
  return whyMoved(record, target) ?? (target && whyNoLonger(record, target));
}

/** Since it was asked for, rack.yaml may have given its outlet to somebody else. */
function whyMoved(
  { target: name, feeds }: CycleRecord,
  target: Target | undefined,
): string | undefined {
  if (target === undefined) return `${name} is no longer in rack.yaml`;
  const [then, now] = [feeds.map(feedKey).join(', '), target.feeds.map(formatOutlet).join(', ')];
  if (then === now) return undefined;
  return `${name} is not fed by ${then} any more, but by ${now || 'nothing'}; ask again`;
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

function settings({ rack }: Hands) {
  return rack().services['power-cycle-daemon'];
}

async function check(
  target: Target | undefined,
  hands: Hands,
  signal: AbortSignal,
): Promise<CycleEvent> {
  const agent = target?.machine && agentOf(hands.rack(), target.machine);
  if (agent === undefined) {
    return { is: 'checked', task: 'unknown', text: 'no agent to ask whether a task is running' };
  }
  const status = await agent.status(settings(hands).taskCheckSeconds * 1000, signal);
  if (status === undefined) {
    return {
      is: 'checked',
      task: 'unknown',
      text: 'its agent is silent, which counts as not busy',
    };
  }
  const { task, bootId } = status;
  // A boot's id has 36 characters. Whatever is longer is somebody's joke.
  const boot = bootId === undefined || bootId.length > 100 ? {} : { bootId };
  if (!task.running) return { is: 'checked', task: 'idle', text: 'no task is running', ...boot };
  return { is: 'checked', task: 'running', text: taskText(task), ...boot };
}

/** What was idle when it was looked at may have been given a task while it waited for its turn. */
export async function taskBegun(
  { action, begun, force, bootId }: CycleRecord,
  target: Target | undefined,
  hands: Pick<Hands, 'rack'>,
  signal: AbortSignal,
): Promise<string | undefined> {
  // One that was silent then is silent now; nobody waits for it twice.
  if (action !== 'cycle' || begun || force || bootId === undefined) return undefined;
  const rack = hands.rack();
  const agent = target?.machine && agentOf(rack, target.machine);
  const seconds = rack.services['power-cycle-daemon'].taskCheckSeconds;
  const task = (await agent?.status(seconds * 1000, signal))?.task;
  return task?.running ? taskText(task) : undefined;
}

function taskText({ id }: { id?: string | undefined }): string {
  return id === undefined ? 'a task is running' : `a task is running ${id.slice(0, 100)}`;
}

async function reboot(
  { reason }: CycleRecord,
  target: Target | undefined,
  hands: Hands,
  signal: AbortSignal,
): Promise<CycleEvent> {
  const machine = target?.kind === 'machine' ? target.machine : undefined;
  if (machine === undefined)
    return { is: 'soft-impossible', text: 'not a machine: its power is cut' };
  const rack = hands.rack();
  const probe = probeOf(rack, machine);
  const look = await probe?.(hands.watch.lookMs, signal);
  signal.throwIfAborted();
  if (look !== undefined && !look.up) {
    return {
      is: 'soft-impossible',
      text: `not reachable, so it is not asked to reboot: ${look.text}`,
    };
  }
  const deps = {
    agent: agentOf(rack, machine),
    hostKeys: hands.hostKeys,
    timeoutMs: hands.softTimeoutMs,
  };
  const { accepted, text } = await softReboot(rack, machine, reason, deps, signal);
  return { is: accepted ? 'soft-sent' : 'soft-impossible', text };
}

async function watchDown(
  { bootId }: CycleRecord,
  target: Target | undefined,
  hands: Hands,
  signal: AbortSignal,
): Promise<CycleEvent> {
  const eyes = target && eyesFor(hands.rack(), target);
  const { softSeconds } = settings(hands);
  const down = eyes && (await seeDown(eyes, softSeconds * 1000, hands.watch, signal));
  if (down !== undefined) return { is: 'went-down', text: `seen down: ${down}` };
  // It may have been down, and be back, before anybody looked: the daemon was restarted meanwhile.
  const boot = eyes && (await bootSince(eyes, bootId, hands.watch.lookMs, signal));
  if (boot === 'another') return { is: 'went-down', text: 'another boot runs already' };
  return { is: 'not-down', text: `did not go down within ${softSeconds} s` };
}

/** Reads all feeds, so that nothing is turned off that could not be turned on again and seen on. */
async function contact(
  { action, feeds }: CycleRecord,
  hands: Hands,
  signal: AbortSignal,
): Promise<CycleEvent> {
  const { tries } = settings(hands);
  for (let attempt = 1; ; attempt += 1) {
    try {
      const read = await Promise.all(feeds.map((feed) => readFeed(feed, hands)));
      const silent = read.find(([, { state }]) => action !== 'on' && state === 'unknown');
      if (silent) throw new Error(`${silent[0]}: the device does not tell whether it is on`);
      const modes = new Map(read.map(([key, reading]) => [key, reading.mode]));
      const text = read.map(([key, reading]) => `${key} is ${reading.state}`).join(', ');
      return { is: 'contacted', modes, text };
    } catch (error) {
      signal.throwIfAborted();
      const isOfDevice = error instanceof DeviceError;
      // Whoever wants it on is owed that: it is tried until it is.
      if (action === 'on' && isOfDevice) {
        return { is: 'contacted', modes: new Map(), text: errorText(error) };
      }
      const isFinal = isOfDevice && !error.retry;
      if (isFinal || attempt >= tries.off) return { is: 'contact-failed', text: errorText(error) };
      hands.note(`${errorText(error)}; tried again`);
      await pause(hands.contactPauseMs, signal);
    }
  }
}

async function readFeed(
  feed: CycleRecord['feeds'][number],
  hands: Hands,
): Promise<[string, OutletReading]> {
  const key = feedKey(feed);
  const controller = hands.controller(feed.controller);
  if (controller === undefined) throw new Error(`${feed.controller} is not in rack.yaml any more`);
  const reading = (await controller.read([feed.outlet])).get(feed.outlet);
  if (reading === undefined) throw new Error(`${key}: no reading`);
  return [key, reading];
}

async function allOff(
  record: CycleRecord,
  target: Target | undefined,
  hands: Hands,
  signal: AbortSignal,
): Promise<CycleEvent> {
  const ending = new AbortController();
  const end = () => ending.abort();
  signal.addEventListener('abort', end);
  // From before it is off until it was seen down, or the attempt is over.
  const eyes = record.action === 'cycle' && target ? eyesFor(hands.rack(), target) : undefined;
  if (eyes !== undefined) void noteDown(eyes, hands, ending.signal);
  try {
    return await offWay(record, hands, signal);
  } finally {
    signal.removeEventListener('abort', end);
    end();
  }
}

async function noteDown(eyes: MachineEyes, hands: Hands, signal: AbortSignal): Promise<void> {
  try {
    const down = await seeDown(eyes, 3_600_000, hands.watch, signal);
    if (down !== undefined) hands.seenDown(`seen down: ${down}`);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function offWay(record: CycleRecord, hands: Hands, signal: AbortSignal): Promise<CycleEvent> {
  const [feed, ...more] = record.feeds;
  const controller = feed && hands.controller(feed.controller);
  if (record.action === 'cycle' && feed && controller && more.length === 0) {
    const isFixed = controller.hasFixedCycle;
    const asked = isFixed && !record.offSecondsGiven ? undefined : record.offSeconds;
    if (controller.cyclesNatively(asked)) {
      const { patience, note, offNatively } = hands;
      const options = { offSeconds: asked, patience, onSeenOff: offNatively };
      const outcome = await cycleNatively(controller, feed.outlet, options, signal);
      if (outcome.is === 'cycled') return { is: 'cycled-natively', text: outcome.text };
      if (outcome.is === 'left-off') return { is: 'left-off', text: outcome.text };
      // Where it may have been off, unseen, to turn it off now would be the second time.
      if (record.nativeOnly || !outcome.isRefused) return { is: 'off-failed', text: outcome.text };
      note(`${outcome.text}; now step by step`);
    }
  }
  if (record.nativeOnly) {
    const why = 'the device can no longer cycle the outlet by itself, and nobody could turn it on';
    return { is: 'off-failed', text: why };
  }
  return stepByStep(record, hands, signal);
}

async function stepByStep(
  { feeds }: CycleRecord,
  hands: Hands,
  signal: AbortSignal,
): Promise<CycleEvent> {
  const { tries } = settings(hands);
  const { patience } = hands;
  const proofs = await Promise.all(
    feeds.map((feed) => {
      const controller = hands.controller(feed.controller);
      if (controller !== undefined) {
        return turnOff(controller, feed.outlet, { tries: tries.off, patience }, signal);
      }
      return { is: 'not' as const, text: `${feed.controller} is not in rack.yaml any more` };
    }),
  );
  const failed = proofs.filter(({ is }) => is === 'not');
  const text = (failed.length > 0 ? failed : proofs).map((proof) => proof.text).join(', ');
  return { is: failed.length > 0 ? 'off-failed' : 'seen-off', text };
}

/** Waits, but no longer than until one of the signals is aborted. */
async function untilEither(ms: number, signals: readonly AbortSignal[]): Promise<void> {
  const wait = new AbortController();
  const end = () => wait.abort();
  if (signals.some(({ aborted }) => aborted)) end();
  for (const signal of signals) signal.addEventListener('abort', end);
  await pause(ms, wait.signal).catch(() => undefined);
  for (const signal of signals) signal.removeEventListener('abort', end);
}

async function waitOff(
  record: CycleRecord,
  target: Target | undefined,
  hands: Hands,
  signal: AbortSignal,
): Promise<CycleEvent> {
  const eyes = target && eyesFor(hands.rack(), target);
  const ending = new AbortController();
  const end = () => ending.abort();
  signal.addEventListener('abort', end);
  // One look is made after it was seen off, however short the time is.
  const looking = eyes && !record.sawDown ? noteDown(eyes, hands, ending.signal) : undefined;
  try {
    await untilEither(record.offSeconds * 1000, [signal, hands.ending]);
    if (hands.ending.aborted) hands.note('the daemon stops: the power comes back early');
    else if (eyes !== undefined) {
      await Promise.race([looking, pause(hands.watch.lookMs, ending.signal)]);
    }
    signal.throwIfAborted();
  } finally {
    signal.removeEventListener('abort', end);
    end();
  }
  return { is: 'off-waited' };
}

async function back(
  record: CycleRecord,
  target: Target | undefined,
  hands: Hands,
  signal: AbortSignal,
): Promise<CycleEvent> {
  const rack = hands.rack();
  if (target === undefined) return { is: 'nobody-tells', text: 'no longer in rack.yaml' };
  const { machine, device, kind } = target;
  const withinMs = (machine ? backWithin(rack, machine) : settings(hands).seenBackSeconds) * 1000;
  if (kind === 'device' && machine !== undefined && device !== undefined) {
    const agent = agentOf(rack, machine);
    const seen = agent && (await seePhone(agent, device.name, withinMs, hands.watch, signal));
    if (seen === undefined)
      return { is: 'nobody-tells', text: 'on; no agent tells whether it is back' };
    return { is: seen.is === 'back' ? 'back' : 'not-back', text: seen.text };
  }
  const eyes = eyesFor(rack, target);
  if (eyes === undefined)
    return { is: 'nobody-tells', text: 'on; nothing tells whether it is back' };
  const { sawDown, bootId } = record;
  const options = { sawDown, bootId, withinMs, onDown: hands.seenDown };
  const seen = await seeBack(eyes, options, hands.watch, signal);
  if (seen.is === 'never-down') {
    const feeds = record.feeds.map(feedKey).join(', ');
    const why =
      record.interrupted || record.steps.some(({ text }) => text.includes('restarted'))
        ? 'the daemon was restarted meanwhile and may have missed it'
        : `is it really ${feeds} that feeds it?`;
    return { is: 'not-back', text: `${seen.text}; ${why}` };
  }
  return { is: seen.is, text: seen.text };
}
