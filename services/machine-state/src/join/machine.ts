/** Joins one machine from all sources. Pure. */
import type { AgentStatus, Cause, CommonCause, DeviceStatus, Machine } from '@skolo/api';
import { isSilent } from '@skolo/api/silence';
import { isoTime } from '@skolo/base';
import { formatOutlet, type Machine as RackMachine, sharedPort } from '@skolo/rack';
import { conditionOf, sharedSilenceSeconds, sinceOf } from './condition.ts';
import { needsAttentionOf } from './needs-attention.ts';
import { sentenceOf } from './sentence.ts';
import type { MachineSources, PowerView } from './sources.ts';

/** @param now milliseconds since 1970 */
export function machineFrom(machine: RackMachine, sources: MachineSources, now: number): Machine {
  const { name } = machine;
  const { standing, services, alerts, flapping } = sources;
  const agent = { ...sources.agent, ...given({ why: whySilent(machine, sources) }) };
  const { status } = agent;
  const orders = sources.orders.map((order) =>
    order.why === undefined ? order : { ...order, why: agent.why ?? order.why },
  );
  const devices = devicesOf(machine, status);
  const condition = conditionOf(sources);
  // A machine that is not silent has its own cause.
  const hasFallenSilent = isSilent({ condition });
  const unpowered = unpoweredDevices(machine, services.power);
  const told = {
    ...sources,
    agent,
    orders,
    unpowered,
    ...(!hasFallenSilent && { cause: undefined }),
  };
  const seenAt = agent.seenAt ?? standing?.seenAt;
  const isOff =
    condition === 'maintenance' &&
    agent.silentSeconds >= sharedSilenceSeconds(sources.limits) &&
    orders.some(({ kind }) => kind === 'maintenance');
  const needsAttention = needsAttentionOf(name, condition, told);
  const client = services.clients?.get(name);
  return {
    name,
    kind: machine.kind,
    ...given({ shelf: machine.shelf, label: machine.label }),
    ...given({ address: machine.address, mac: machine.mac }),
    pools: poolsOf(machine, devices),
    condition,
    ...(condition !== 'never-reported' && { since: isoTime(sinceOf(condition, sources, now)) }),
    sentence: sentenceOf(name, condition, told),
    ...given({ needsAttention, cause: causeIn(told.cause), flapping }),
    ...(isOff && { unresponsive: true }),
    ...(seenAt !== undefined && { lastSeen: isoTime(seenAt) }),
    ...ofAgent(status, hasFallenSilent),
    devices,
    repairs: status?.repairs ?? [],
    orders,
    wiring: {
      ...(machine.uplink && { uplink: formatOutlet(machine.uplink) }),
      power: machine.power.map(formatOutlet),
    },
    ...given({ power: powerOf(name, services.power) }),
    ...(services.clients && {
      token: given({ identity: client?.identity, lastAsked: client?.lastTokenAsked }),
    }),
    alerts,
  };
}

/** Without what is about its other machines. */
function causeIn(common: CommonCause | undefined): Cause | undefined {
  if (common === undefined) return undefined;
  const { kind, equipment, code, text } = common;
  return { kind, equipment, code, text };
}

/** A phone without `power` of its own loses it with its neighbour's. */
function unpoweredDevices(machine: RackMachine, power: PowerView | undefined): Map<string, string> {
  const found = machine.devices.flatMap((device): [string, string][] => {
    const { name, fullName } = sharedPort(machine, device) ?? device;
    const { outlets = [], cycle } = power?.machines.get(fullName) ?? {};
    const off = outlets.find(({ switchedOff }) => switchedOff !== undefined);
    const whose = name === device.name ? '' : ` of ${name}, which it shares,`;
    if (cycle !== undefined) return [[device.name, `the power${whose} is being cycled`]];
    if (off?.switchedOff === undefined) return [];
    const { by, reason } = off.switchedOff;
    return [[device.name, `the power${whose} was turned off by ${by}: ${reason}`]];
  });
  return new Map(found);
}

/** A dead switch says more than the failed request. */
function whySilent(
  { uplink }: RackMachine,
  { agent, services }: Pick<MachineSources, 'agent' | 'services'>,
): string | undefined {
  const found = uplink && services.power?.controllers.get(uplink.device);
  if (agent.why === undefined || found?.state !== 'down') return agent.why;
  const { name, detail } = found;
  const why = detail === undefined ? '' : ` (${detail})`;
  return `${name}, its switch, is down${why}`;
}

type OfAgent =
  | ('health' | 'task' | 'taskWhenLastSeen' | 'lastTask')
  | ('bot' | 'bootId' | 'host' | 'versions');

function ofAgent(
  status: AgentStatus | undefined,
  hasFallenSilent: boolean,
): Partial<Pick<Machine, OfAgent>> {
  if (status === undefined) return {};
  const { health, task, bot, bootId, host, versions } = status;
  const running = task.running && given({ id: task.id, since: task.since });
  return {
    ...given({ health, bot, bootId, lastTask: task.last }),
    ...(running && (hasFallenSilent ? { taskWhenLastSeen: running } : { task: running })),
    ...(host && { host: given(host) }),
    ...(versions && { versions: given(versions) }),
  };
}

/** The daemon may have another version of rack.yaml: then nothing is known of a machine that it does not list. */
function powerOf(name: string, power: PowerView | undefined): Machine['power'] {
  const found = power?.machines.get(name);
  if (found === undefined) return undefined;
  const { outlets, cycle, hold, onIt = [], busy = [] } = found;
  return {
    outlets: outlets.map(({ outlet, state }) => ({ outlet, state })),
    ...(cycle && { cycle: { id: cycle.id, step: cycle.step } }),
    ...(hold && { hold }),
    ...(onIt.length > 0 && { onIt }),
    ...(busy.length > 0 && { busy }),
  };
}

/** Those in rack.yaml, without duplicates: an agent may report any name, and as many as it likes. */
function devicesOf({ devices }: RackMachine, status: AgentStatus | undefined): DeviceStatus[] {
  return devices.flatMap(({ name }) => status?.devices.find((each) => each.name === name) ?? []);
}

/** Those that Swarming sees, or else that of rack.yaml. */
function poolsOf({ metadata }: RackMachine, devices: readonly DeviceStatus[]): string[] {
  const seen = devices.flatMap(({ dimensions }) => dimensions?.pool ?? []);
  const { pool } = metadata.attributes;
  return [...new Set(seen.length > 0 || pool === undefined ? seen : [pool])];
}

/** Without keys that have no value. */
export function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const kept = Object.entries(values).filter(([, value]) => value !== undefined);
  // The keys and values are those of `values`, whose types `Object.entries` loses.
  return Object.fromEntries(kept) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/** A line for people, not a document. */
const mostLetters = 500;

export function cut(text: string): string {
  return text.length <= mostLetters ? text : `${text.slice(0, mostLetters - 1)}…`;
}
