/**
 * A cycle's steps with the machine itself: ends if it is busy with a running task, asks it to reboot, watches it go down, watches it
 * come back. Each step ends with an event.
 */

import { turnOff } from '../equipment/outlets.ts';
import { agentOf } from '../machines/agent.ts';
import { backWithin, isDown, probeOf } from '../machines/probe.ts';
import { softReboot } from '../machines/soft-reboot.ts';
import { bootSince, type Down, seeBack, seeDown, seePhone } from '../machines/watch.ts';
import { feedKey } from '../state/records.ts';
import type { CycleEvent } from './cycle.ts';
import { shownByOutlets } from './outlet-steps.ts';
import { jobsOn, observerOf, type Step, whyNot } from './step.ts';

const softTimeoutMs = 10_000;

/** Whether a task runs there, as its agent says, or a job, as somebody else said. */
export async function checkTask(step: Step): Promise<CycleEvent> {
  const checked = await askAgent(step);
  // The latest: a job may have begun while the agent was asked.
  const busy = jobsOn(step);
  return { ...checked, ...(busy !== undefined && { busy }) };
}

async function askAgent(step: Step): Promise<Extract<CycleEvent, { is: 'checked' }>> {
  const { rack, target, settings, signal } = step;
  const agent = target?.machine && agentOf(rack, target.machine);
  if (agent === undefined) {
    return {
      is: 'checked',
      task: 'unknown',
      text: 'no agent can report whether a task is running',
    };
  }
  const status = await agent.status(settings.taskCheckSeconds * 1000, signal);
  if (status === undefined && step.record.origin === 'agent') {
    // It has just requested this, so its silence does not mean that it is idle.
    const text =
      'the agent requested this cycle but is no longer responding, so a task may be running';
    return { is: 'checked', task: 'running', text };
  }
  if (status === undefined) {
    const text = 'the agent did not respond, which counts as idle';
    return { is: 'checked', task: 'unknown', text };
  }
  const { task, bootId } = status;
  // A boot ID has 36 characters. Anything longer is somebody's joke.
  const boot = bootId === undefined || bootId.length > 100 ? {} : { bootId };
  if (!task.running) return { is: 'checked', task: 'idle', text: 'no task is running', ...boot };
  return { is: 'checked', task: 'running', text: taskText(task), ...boot };
}

/** A machine that was idle when checked may have been given a task while the cycle waited for its turn. */
export async function taskBegun(step: Step): Promise<string | undefined> {
  const { action, begun, force, bootId } = step.record;
  // A machine that was silent before is silent now; it is not waited for twice.
  if (action !== 'cycle' || begun || force || bootId === undefined) return undefined;
  const { task, text } = await askAgent(step);
  return task === 'running' ? text : undefined;
}

function taskText({ id }: { id?: string | undefined }): string {
  return id === undefined ? 'a task is running' : `task ${id.slice(0, 100)} is running`;
}

export async function reboot(step: Step): Promise<CycleEvent> {
  const { record, rack, target, hostKeys, signal } = step;
  const { watch } = step.timing;
  const impossible = (text: string): CycleEvent => ({ is: 'soft-impossible', text });
  const why = whyNot(step);
  if (why !== undefined) return impossible(why);
  const machine = target?.kind === 'machine' ? target.machine : undefined;
  if (machine === undefined)
    return impossible('no soft reboot, because the target is not a machine');
  const look = await probeOf(rack, machine)?.(watch.lookMs, signal);
  signal.throwIfAborted();
  if (look !== undefined && isDown(look)) {
    return impossible(`no soft reboot, because the machine is unreachable: ${look.text}`);
  }
  const deps = { agent: agentOf(rack, machine), hostKeys, timeoutMs: softTimeoutMs };
  const { accepted, text } = await softReboot(rack, machine, record.reason, deps, signal);
  return accepted ? { is: 'soft-sent', text } : impossible(text);
}

export async function watchDown(step: Step): Promise<CycleEvent> {
  const { record, rack, target, settings, signal } = step;
  const { watch } = step.timing;
  const observer = observerOf(rack, target);
  const down = observer && (await seeDown(observer, settings.softSeconds * 1000, watch, signal));
  if (down !== undefined) {
    return { is: 'went-down', text: `confirmed down: ${down.text}`, how: down.how };
  }
  // It may have gone down and come back unobserved, while the daemon was restarted.
  const boot = observer && (await bootSince(observer, record.bootId, watch.lookMs, signal));
  if (boot === 'another') return { is: 'went-down', text: 'already rebooted' };
  return { is: 'not-down', text: `did not go down within ${settings.softSeconds} s` };
}

/** Whether the target is back; if not, with what its outlets show: is it the port, or the machine? */
export async function watchBack(step: Step): Promise<CycleEvent> {
  const onAt = performance.now();
  const event = await awaitTarget(step);
  if (event.is !== 'not-back' && event.is !== 'not-visible') return event;
  const { fault, unused } = await shownByOutlets(step);
  step.signal.throwIfAborted();
  if (fault !== undefined) {
    const text = `${event.text}; the outlet reports a fault (${fault}); check the port, the cable and what is connected`;
    return { ...event, text, fault };
  }
  // It may take a while until it draws power.
  if (unused === undefined || performance.now() - onAt < step.timing.drawMs) return event;
  const text = `${event.text}; ${unused}, so the target draws no power; check its cable and power supply`;
  return { ...event, text };
}

/** Turns off again what became silent when it was turned on, and waits until it responds. */
export async function putBack(step: Step): Promise<CycleEvent> {
  const { record, rack, target, controllers, settings, timing, signal } = step;
  const { patience, watch } = timing;
  const done = await Promise.all(
    record.feeds.map(async ({ controller: name, outlet }) => {
      const controller = controllers.get(name);
      if (controller === undefined) return `${name} is no longer in rack.yaml`;
      const options = { tries: settings.tries.off, patience };
      return (await turnOff(controller, outlet, options, signal)).text;
    }),
  );
  const what = done.join(', ');
  const observer = observerOf(rack, target);
  if (observer === undefined)
    return { is: 'silent-at-off', text: `${what}; nothing shows its state` };
  const withinMs = withinSeconds(step) * 1000;
  const sawDown = { how: record.down?.how ?? 'was down', since: undefined };
  const options = { sawDown, bootId: undefined, withinMs, onDown: () => undefined };
  const seen = await seeBack(observer, options, watch, signal);
  const names = [...new Set(record.feeds.map(({ controller }) => controller))].join(', ');
  if (seen.is === 'back') {
    const text = `${what}, and ${record.target} is ${seen.text}: on and off are inverted in the description of ${names}; its outlets remain as they are, and nothing is sent to it until the description is fixed`;
    return { is: 'back-at-off', text };
  }
  return { is: 'silent-at-off', text: `${what}; ${seen.text}, so it is turned on again` };
}

/** Whether it was seen down in an earlier step, and for how long if it was watched since then. */
function seenDown({ record, clock }: Step): Down | undefined {
  const { sawDown, down: { how, at } = { how: 'was down' }, unwatched, interrupted } = record;
  if (!sawDown) return undefined;
  if (at === undefined || unwatched || interrupted) return { how, since: undefined };
  return { how, since: performance.now() - (clock.now() - Date.parse(at)) };
}

function withinSeconds({ rack, target, settings }: Step): number {
  return target?.machine ? backWithin(rack, target.machine) : settings.seenBackSeconds;
}

async function awaitTarget(step: Step): Promise<CycleEvent> {
  const { record, rack, target, signal } = step;
  const { watch } = step.timing;
  if (target === undefined) return { is: 'not-visible', text: 'no longer in rack.yaml' };
  const { machine, phone, kind } = target;
  const withinMs = withinSeconds(step) * 1000;
  if (kind === 'phone' && machine !== undefined && phone !== undefined) {
    const agent = agentOf(rack, machine);
    const offAt = record.steps.findLast((each) => each.step === 'turn-off')?.at;
    const secondsOff =
      record.unseenOff === undefined || offAt === undefined
        ? undefined
        : () => (step.clock.now() - Date.parse(offAt)) / 1000;
    const options = { withinMs, secondsOff };
    const seen = agent && (await seePhone(agent, phone.name, options, watch, signal));
    return seen ?? { is: 'not-visible', text: 'on; no agent can report whether it is back' };
  }
  const observer = observerOf(rack, target);
  if (observer === undefined) {
    return { is: 'not-visible', text: 'on; there is no way to check whether it is back' };
  }
  const { bootId, unwatched, interrupted, unproven, sawDown } = record;
  if (unproven?.key !== undefined && unproven.upWhileOff && !sawDown) {
    const silent = await seeDown(observer, record.offSeconds * 1000, watch, signal);
    if (silent !== undefined) {
      const text = `confirmed down only now: ${silent.text}; on and off may be inverted, so turning it off again`;
      return { is: 'silent-at-on', text, how: silent.how };
    }
  }
  // Without a restart, it was watched from before its power was cut, so it was up until now.
  const onDown = (text: string, how: string) =>
    step.report({ is: 'seen-down', text: `confirmed down: ${text}`, how, wasUp: !unwatched });
  const options = { sawDown: seenDown(step), bootId, withinMs, onDown };
  const seen = await seeBack(observer, options, watch, signal);
  if (seen.is !== 'never-down') return seen;
  const why =
    interrupted || unwatched
      ? 'the daemon was restarted and may have missed the reboot'
      : `check that ${record.feeds.map(feedKey).join(', ')} powers ${record.target}`;
  return { is: 'not-back', text: `${seen.text}; ${why}` };
}
