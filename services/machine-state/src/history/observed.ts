/** Decides which changes of a machine become entries of its history. Pure. */

import type { Machine, MachineAlert, PowerCycle } from '@skolo/api';
import { isSilent } from '@skolo/api/silence';
import type { Rack } from '@skolo/rack';
import { codesOf, isFault } from '../join/condition.ts';
import { cut } from '../join/machine.ts';
import type { Entry } from './entry.ts';

/**
 * @param now milliseconds since 1970
 * @param cycle the machine's last power cycle
 * @param isSame whether the history knows that this condition began then
 */
export function observed(
  before: Machine | undefined,
  after: Machine,
  now: number,
  isSame: boolean,
  cycle?: PowerCycle,
): Entry[] {
  const tasks = [...ofTask(before, after, now, cycle), ...ofJobs(before, after, now)];
  return [
    ...ofCondition(before, after, now, isSame),
    ...besides(tasks, after, runningOn(after)),
    ...ofRepairs(before, after),
    ...besides(
      ofHold(before, after, now),
      after,
      holdsOf(after).map(({ key }) => key),
    ),
    ...ofBoot(before, after, now),
    ...ofVersion(before, after, now),
  ];
}

/** Entries that begin, with the keys of what continues. While the power-cycle daemon is silent, jobs and holds are not known. */
function besides(
  entries: readonly Entry[],
  { power }: Machine,
  keys: readonly Entry['key'][],
): Entry[] {
  return entries.map((entry) =>
    power && entry.endedAt === undefined ? { ...entry, besides: keys } : entry,
  );
}

function runningOn(machine: Machine): Entry['key'][] {
  const { task = machine.taskWhenLastSeen, power } = machine;
  return [...(task ? [task.id] : []), ...(power?.busy ?? []).map(jobKey)];
}

function ofCondition(
  before: Machine | undefined,
  after: Machine,
  now: number,
  isSame: boolean,
): Entry[] {
  const { name: machine, condition, since, sentence } = after;
  if (since === undefined) return [];
  const codes = codesOf(after);
  const isExplained =
    before !== undefined && before.cause?.code !== after.cause?.code && after.cause;
  if (isSame && !(isSilent(after) && isExplained)) {
    // After a restart, only the history knows the reasons until the agent responds.
    if (before?.health === undefined) return [];
    // An order has ended, but a fault has not: the rest of the time is lost to the fault.
    if (isFault(condition, codes) === isFault(condition, codesOf(before))) return [];
  }
  return [
    {
      machine,
      kind: 'condition',
      key: condition,
      at: isSame ? now : Date.parse(since),
      outcome: cut(codes.join(',')),
      data: cut(sentence),
      ...(isSilent(after) && {
        cause: after.cause,
        seenAt: after.lastSeen === undefined ? undefined : Date.parse(after.lastSeen),
      }),
    },
  ];
}

function ofTask(
  before: Machine | undefined,
  after: Machine,
  now: number,
  cycle: PowerCycle | undefined,
): Entry[] {
  const { name: machine, lastTask: last } = after;
  const [previous, task] = [before, after].map((each) => each?.task ?? each?.taskWhenLastSeen);
  const entries: Entry[] = [];
  const isSame = previous?.id === task?.id && previous?.since === task?.since;
  if (previous?.since !== undefined && !isSame && !isTask(previous, last)) {
    const at = Date.parse(previous.since);
    const ended = { at, endedAt: now, outcome: outcomeOf(before, after) };
    const data = infrastructureOf(before, after, ended, cycle);
    entries.push({ machine, kind: 'task', key: previous.id, ...ended, data });
  }
  // Including one that began and ended since the last answer.
  if (last?.since !== undefined && last.endedAt !== before?.lastTask?.endedAt) {
    const [at, endedAt] = [Date.parse(last.since), Date.parse(last.endedAt)];
    const ended = { at, endedAt, outcome: cut(last.outcome) };
    const data = infrastructureOf(before, after, ended, cycle);
    entries.push({ machine, kind: 'task', key: last.id, ...ended, data });
  }
  if (task?.since !== undefined && !isSame) {
    entries.push({ machine, kind: 'task', key: task.id, at: Date.parse(task.since) });
  }
  return entries;
}

/** The clocks of the jumphost and the machine differ slightly. */
const clockMs = 5000;

/** What ended a task, unless that was the task itself. */
function infrastructureOf(
  before: Machine | undefined,
  after: Machine,
  { at, endedAt, outcome }: { at: number; endedAt: number; outcome: string },
  cycle: PowerCycle | undefined,
): string | undefined {
  if (outcome === 'succeeded') return undefined;
  const offAt = cycle?.startedAt === undefined ? Number.NaN : Date.parse(cycle.startedAt);
  if (cycle && offAt >= at - clockMs && offAt <= endedAt + clockMs) {
    const what = cycle.action === 'cycle' ? 'a power cycle' : `turning the power ${cycle.action}`;
    return cut(`${what} by ${cycle.by}: ${cycle.reason}`);
  }
  const seenAt = Date.parse(before?.lastSeen ?? '');
  if (before?.cause !== undefined && isSilent(before) && endedAt >= seenAt - clockMs) {
    return cut(before.sentence);
  }
  const isRebooted = before?.bootId !== undefined && before.bootId !== after.bootId;
  return isRebooted && ['lost', 'bot-exit'].includes(outcome) ? 'the machine rebooted' : undefined;
}

function isTask(previous: NonNullable<Machine['task']>, last: Machine['lastTask']): boolean {
  return last?.id === previous.id && last?.since === previous.since;
}

function outcomeOf(before: Machine | undefined, after: Machine): string {
  if (before?.bootId !== after.bootId) return 'lost';
  const [previous, exit] = [before?.bot?.lastExit?.at, after.bot?.lastExit?.at];
  return previous === exit ? 'ended' : 'bot-exit';
}

function ofRepairs(before: Machine | undefined, { name: machine, repairs }: Machine): Entry[] {
  const known = new Set(before?.repairs.map((step) => JSON.stringify(step)));
  return repairs
    .filter((step) => !known.has(JSON.stringify(step)))
    .map(({ at, device, step, outcome, text }) => {
      const own = { machine, device, key: cut(step), at: Date.parse(at) };
      if (outcome === 'would-have') return { ...own, ...notDone(step, machine, text ?? '') };
      return { ...own, kind: 'repair', outcome: cut(outcome), data: text && cut(text) };
    });
}

function notDone(action: string, by: string, reason: string): Pick<Entry, 'kind' | 'data'> {
  return {
    kind: 'would-have',
    data: JSON.stringify({ action: cut(action), by, reason: cut(reason) }),
  };
}

/** Jobs that schedulers have announced elsewhere, beside the machine's own tasks. How they ended is not known. */
function ofJobs(before: Machine | undefined, after: Machine, now: number): Entry[] {
  const { name: machine } = after;
  if (after.power === undefined) return [];
  const [previous = [], current = []] = [before?.power?.busy, after.power.busy];
  const { ended, begun } = changes(previous, current, ({ id }) => id);
  const entryOf = ({ by, reason, since }: (typeof begun)[number]): Entry => ({
    machine,
    kind: 'task',
    key: jobKey({ by, reason }),
    at: Date.parse(since),
  });
  return [
    ...ended.map((job) => ({ ...entryOf(job), endedAt: now, outcome: 'ended' })),
    ...begun.map(entryOf),
  ];
}

function jobKey({ by, reason }: { by: string; reason: string }): string {
  return cut(`${reason} (${by})`);
}

/** While the power-cycle daemon is silent, holds continue. */
function ofHold(before: Machine | undefined, after: Machine, now: number): Entry[] {
  const { name: machine } = after;
  if (after.power === undefined) return [];
  const { ended, begun } = changes(before ? holdsOf(before) : [], holdsOf(after), ({ key }) => key);
  return [
    ...ended.map(({ key }): Entry => ({ machine, kind: 'hold', key, at: now, endedAt: now })),
    ...begun.map((hold): Entry => ({ ...hold, machine, kind: 'hold', at: now })),
  ];
}

function holdsOf({ name, cause, power }: Machine): Pick<Entry, 'key' | 'outcome' | 'data'>[] {
  const { hold, onIt = [] } = power ?? {};
  return [
    ...(hold ? [{ key: hold.id, data: JSON.stringify(shownHold(hold)) }] : []),
    ...onIt.map(({ id, by, until }) => {
      const reason = `on it: ${cause?.text ?? name}`;
      return { key: id, outcome: 'on-it', data: JSON.stringify({ by, reason, until }) };
    }),
  ];
}

function shownHold({ by, reason, until }: { by: string; reason: string; until: string }) {
  return { by, reason, until };
}

function ofBoot(
  before: Machine | undefined,
  { name: machine, bootId }: Machine,
  now: number,
): Entry[] {
  if (bootId === undefined || before?.bootId === undefined || before.bootId === bootId) return [];
  return [{ machine, kind: 'boot', key: bootId, at: now, endedAt: now }];
}

function ofVersion(
  before: Machine | undefined,
  { name: machine, versions }: Machine,
  now: number,
): Entry[] {
  const [previous, agent] = [before?.versions?.agent, versions?.agent];
  if (previous === undefined || agent === undefined || previous === agent) return [];
  const data = JSON.stringify({ previous: cut(previous) });
  return [{ machine, kind: 'rollout', key: cut(agent), at: now, data }];
}

/** Alerts that began or ended. Both are lists from alert-to-pubsub, and neither is merely absent. */
export function observedAlerts(
  machine: string,
  before: readonly MachineAlert[],
  after: readonly MachineAlert[],
  now: number,
): Entry[] {
  const keyOf = ({ name, device, since }: MachineAlert) => `${name} ${device} ${since}`;
  const { ended, begun } = changes(before, after, keyOf);
  const entryOf = ({ name, device, severity, since }: MachineAlert): Entry => ({
    machine,
    kind: 'alert',
    device,
    key: name,
    at: Date.parse(since),
    outcome: severity,
  });
  return [...ended.map((alert) => ({ ...entryOf(alert), endedAt: now })), ...begun.map(entryOf)];
}

/** Items that are only in the previous list, and items that are only in the current one. */
function changes<T>(
  before: readonly T[],
  after: readonly T[],
  keyOf: (item: T) => Entry['key'],
): { ended: T[]; begun: T[] } {
  const [known, present] = [new Set(before.map(keyOf)), new Set(after.map(keyOf))];
  return {
    ended: before.filter((item) => !present.has(keyOf(item))),
    begun: after.filter((item) => !known.has(keyOf(item))),
  };
}

/** Undefined: it concerns no machine. */
export function observedCycle(rack: Rack, cycle: PowerCycle): Entry | undefined {
  const { id, target, action, by, reason, requestedAt, finishedAt, outcome } = cycle;
  const whole = rack.machines.get(target);
  const device = [...rack.machines.values()]
    .flatMap((machine) => machine.devices.map((each) => ({ machine, each })))
    .find(({ each }) => each.fullName === target);
  const machine = whole?.name ?? device?.machine.name;
  if (machine === undefined) return undefined;
  const own = { machine, key: id, device: device?.each.name, at: Date.parse(requestedAt) };
  if (outcome === 'would-have') return { ...own, ...notDone('power-cycle', by, reason) };
  return {
    ...own,
    kind: 'cycle',
    endedAt: finishedAt === undefined ? undefined : Date.parse(finishedAt),
    outcome,
    data: JSON.stringify({ action, by, reason }),
  };
}
