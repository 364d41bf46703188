/** What a cycle does with the outlets that feed its target: reach them, turn them off, wait. Each ends with an event. */
import { errorText, pause } from '@skolo/common';
import { DeviceError } from '@skolo/equipment';
import type { OutletReading } from '@skolo/models/outlets';
import type { Controller } from './controller.ts';
import type { CycleEvent } from './cycle.ts';
import { eyesFor, type Hands, settingsOf } from './hands.ts';
import { type MachineEyes, seeDown } from './machines/watch.ts';
import { cycleNatively, turnOff } from './prove.ts';
import { type CycleRecord, feedKey } from './records.ts';
import type { Target } from './targets.ts';

/** Reads all feeds, so that nothing is turned off that could not be turned on again and seen on. */
export async function contact(
  { action, feeds }: CycleRecord,
  hands: Hands,
  signal: AbortSignal,
): Promise<CycleEvent> {
  const { tries } = settingsOf(hands);
  for (let attempt = 1; ; attempt += 1) {
    try {
      const read = await Promise.all(feeds.map((feed) => readFeed(feed, hands)));
      const silent = read.find(([, { state }]) => action !== 'on' && state === 'unknown');
      if (silent) throw new Error(`${silent[0]}: the device does not tell whether it is on`);
      const modes = new Map(read.map(([key, reading]) => [key, reading.mode]));
      const text = read.map(([key, reading]) => `${key} is ${stateText(reading)}`).join(', ');
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

function stateText({ state, fault }: OutletReading): string {
  return fault === undefined ? state : `${state}, with the fault ${JSON.stringify(fault)}`;
}

/** Outlets that report a fault now: `switch-1/14: Fault`. One that cannot be read reports none. */
export async function faultsOf(
  { feeds }: Pick<CycleRecord, 'feeds'>,
  hands: Pick<Hands, 'controller'>,
): Promise<string | undefined> {
  const reads = await Promise.allSettled(feeds.map((feed) => readFeed(feed, hands)));
  const faults = reads.flatMap((read) => {
    const [key, { fault }] = read.status === 'fulfilled' ? read.value : ['', { fault: undefined }];
    return fault === undefined ? [] : [`${key}: ${fault}`];
  });
  return faults.length > 0 ? faults.join(', ') : undefined;
}

async function readFeed(
  feed: CycleRecord['feeds'][number],
  hands: Pick<Hands, 'controller'>,
): Promise<[string, OutletReading]> {
  const key = feedKey(feed);
  const controller = hands.controller(feed.controller);
  if (controller === undefined) throw new Error(`${feed.controller} is not in rack.yaml any more`);
  const reading = (await controller.read([feed.outlet])).get(feed.outlet);
  if (reading === undefined) throw new Error(`${key}: no reading`);
  return [key, reading];
}

export async function allOff(
  record: CycleRecord,
  target: Target | undefined,
  hands: Hands,
  signal: AbortSignal,
): Promise<CycleEvent> {
  const over = new AbortController();
  const ending = AbortSignal.any([signal, over.signal]);
  // From before it is off until it was seen down, or the attempt is over.
  const eyes = record.action === 'cycle' && target ? eyesFor(hands.rack(), target) : undefined;
  const native = nativeCycleOf(record, hands);
  try {
    // No reading may show a native cycle, and an outage proves it only of a machine that was up before. That look ends
    // before the command is sent: one that runs beside it may come too late.
    const wasUp = eyes && native && (await eyes.probe(hands.watch.lookMs, signal)).up;
    signal.throwIfAborted();
    if (eyes !== undefined) void noteDown(eyes, hands, ending, wasUp);
    return await offWay(record, native, hands, signal);
  } finally {
    over.abort();
  }
}

/** @param wasUp it was seen up before */
async function noteDown(
  eyes: MachineEyes,
  hands: Hands,
  signal: AbortSignal,
  wasUp = false,
): Promise<void> {
  try {
    const down = await seeDown(eyes, 3_600_000, hands.watch, signal);
    if (down === undefined) return;
    hands.seenDown({ text: `seen down: ${down.text}`, wasUp: wasUp || down.wasUp });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

interface NativeCycle {
  controller: Controller;
  outlet: string;
  /** Undefined: as long as is set on the device. */
  offSeconds: number | undefined;
}

/** How its one device cycles it by itself; undefined: it does not. */
function nativeCycleOf(
  record: CycleRecord,
  hands: Pick<Hands, 'controller'>,
): NativeCycle | undefined {
  const [feed, ...more] = record.feeds;
  const controller = feed && hands.controller(feed.controller);
  if (record.action !== 'cycle' || !feed || !controller || more.length > 0) return undefined;
  const isFixed = controller.hasFixedCycle;
  const offSeconds = isFixed && !record.offSecondsGiven ? undefined : record.offSeconds;
  if (!controller.cyclesNatively(offSeconds)) return undefined;
  return { controller, outlet: feed.outlet, offSeconds };
}

async function offWay(
  record: CycleRecord,
  native: NativeCycle | undefined,
  hands: Hands,
  signal: AbortSignal,
): Promise<CycleEvent> {
  if (native !== undefined) {
    const { controller, outlet, offSeconds } = native;
    const { patience, note, offNatively } = hands;
    const options = { offSeconds, patience, onSeenOff: offNatively };
    const outcome = await cycleNatively(controller, outlet, options, signal);
    if (outcome.is === 'cycled') return { is: 'cycled-natively', text: outcome.text };
    if (outcome.is === 'left-off') return { is: 'left-off', text: outcome.text };
    // Where it may have been off, unseen, to turn it off now would be the second time.
    if (!outcome.isRefused) return { is: 'off-unseen', text: outcome.text };
    if (record.nativeOnly) return { is: 'off-failed', text: outcome.text };
    note(`${outcome.text}; now step by step`);
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
  const { tries } = settingsOf(hands);
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

export async function waitOff(
  record: CycleRecord,
  target: Target | undefined,
  hands: Hands,
  signal: AbortSignal,
): Promise<CycleEvent> {
  const eyes = target && eyesFor(hands.rack(), target);
  const over = new AbortController();
  const ending = AbortSignal.any([signal, over.signal]);
  // One look is made after it was seen off, however short the time is.
  const looking = eyes && !record.sawDown ? noteDown(eyes, hands, ending) : undefined;
  try {
    const cut = AbortSignal.any([signal, hands.ending]);
    await pause(record.offSeconds * 1000, cut).catch(() => undefined);
    if (hands.ending.aborted) hands.note('the daemon stops: the power comes back early');
    else if (eyes !== undefined) {
      await Promise.race([looking, pause(hands.watch.lookMs, ending)]);
    }
    signal.throwIfAborted();
  } finally {
    over.abort();
  }
  return { is: 'off-waited' };
}
