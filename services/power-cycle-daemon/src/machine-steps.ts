/** What a cycle does with the machine itself: ask it, watch it go down, watch it come back. Each ends with an event. */

import type { CycleEvent } from './cycle.ts';
import { eyesFor, type Hands, settingsOf } from './hands.ts';
import { agentOf } from './machines/agent.ts';
import { backWithin, probeOf } from './machines/probe.ts';
import { softReboot } from './machines/soft-reboot.ts';
import { bootSince, seeBack, seeDown, seePhone } from './machines/watch.ts';
import { faultsOf } from './outlet-steps.ts';
import { type CycleRecord, feedKey } from './records.ts';
import type { Target } from './targets.ts';

export async function check(
  target: Target | undefined,
  hands: Hands,
  signal: AbortSignal,
): Promise<CycleEvent> {
  const agent = target?.machine && agentOf(hands.rack(), target.machine);
  if (agent === undefined) {
    return { is: 'checked', task: 'unknown', text: 'no agent to ask whether a task is running' };
  }
  const status = await agent.status(settingsOf(hands).taskCheckSeconds * 1000, signal);
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

export async function reboot(
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

export async function watchDown(
  { bootId }: CycleRecord,
  target: Target | undefined,
  hands: Hands,
  signal: AbortSignal,
): Promise<CycleEvent> {
  const eyes = target && eyesFor(hands.rack(), target);
  const { softSeconds } = settingsOf(hands);
  const down = eyes && (await seeDown(eyes, softSeconds * 1000, hands.watch, signal));
  if (down !== undefined) return { is: 'went-down', text: `seen down: ${down.text}` };
  // It may have been down, and be back, before anybody looked: the daemon was restarted meanwhile.
  const boot = eyes && (await bootSince(eyes, bootId, hands.watch.lookMs, signal));
  if (boot === 'another') return { is: 'went-down', text: 'another boot runs already' };
  return { is: 'not-down', text: `did not go down within ${softSeconds} s` };
}

/** Whether the target is back; where it is not, with the faults that its outlets report: is it the port, or the machine? */
export async function back(
  record: CycleRecord,
  target: Target | undefined,
  hands: Hands,
  signal: AbortSignal,
): Promise<CycleEvent> {
  const event = await lookForIt(record, target, hands, signal);
  if (event.is !== 'not-back' && event.is !== 'nobody-tells') return event;
  const fault = await faultsOf(record, hands);
  signal.throwIfAborted();
  if (fault === undefined) return event;
  const text = `${event.text}; its outlet reports a fault (${fault}): look at the port, the cable and what draws power there`;
  return { ...event, text, fault };
}

async function lookForIt(
  record: CycleRecord,
  target: Target | undefined,
  hands: Hands,
  signal: AbortSignal,
): Promise<CycleEvent> {
  const rack = hands.rack();
  if (target === undefined) return { is: 'nobody-tells', text: 'no longer in rack.yaml' };
  const { machine, device, kind } = target;
  const withinMs = (machine ? backWithin(rack, machine) : settingsOf(hands).seenBackSeconds) * 1000;
  if (kind === 'device' && machine !== undefined && device !== undefined) {
    const agent = agentOf(rack, machine);
    const seen = agent && (await seePhone(agent, device.name, withinMs, hands.watch, signal));
    if (seen === undefined)
      return { is: 'nobody-tells', text: 'on; no agent tells whether it is back' };
    if (seen.is !== 'back') return { is: 'not-back', text: seen.text };
    return { is: 'back', text: seen.text, isNewBoot: seen.isNewBoot };
  }
  const eyes = eyesFor(rack, target);
  if (eyes === undefined)
    return { is: 'nobody-tells', text: 'on; nothing tells whether it is back' };
  const { sawDown, bootId, unwatched } = record;
  // Whoever watched from before its power was cut has seen it up until now.
  const onDown = (text: string) => hands.seenDown({ text, wasUp: !unwatched });
  const options = { sawDown, bootId, withinMs, onDown };
  const seen = await seeBack(eyes, options, hands.watch, signal);
  if (seen.is === 'never-down') {
    const feeds = record.feeds.map(feedKey).join(', ');
    const why =
      record.interrupted || record.unwatched
        ? 'the daemon was restarted meanwhile and may have missed it'
        : `is it really ${feeds} that feeds it?`;
    return { is: 'not-back', text: `${seen.text}; ${why}` };
  }
  return seen;
}
