/** What is known, as the status port tells it. */
import type { AgentStatus } from '@skolo/api/swarming-client';
import type { Degraded, ReadinessNow } from '@skolo/common/light';
import type { BotView } from './bot/bot-view.ts';
import type { DeviceView } from './devices/device.ts';
import { type Health, healthText } from './health/health.ts';
import type { HostReading } from './host/host-watch.ts';
import type { KnownIdentity } from './identity/identity.ts';
import type { MachineView } from './machine.ts';
import type { TaskView } from './task.ts';

export interface StatusFacts {
  name: string;
  bootId: string | undefined;
  task: TaskView;
  bot: BotView;
  machine: MachineView;
  identity: KnownIdentity;
  version: string;
}

export function shownStatus(facts: StatusFacts): AgentStatus {
  const { name, bootId, task, bot, machine, identity, version } = facts;
  return {
    machine: name,
    ...(bootId !== undefined && { bootId }),
    task: shownTask(task),
    devices: machine.devices.map(shownDevice),
    health: shownHealth(machine.health),
    bot: shownBot(bot),
    repairs: machine.repairs.map((each) => ({ ...each, at: each.at.toISOString() })),
    host: shownHost(machine.host),
    identity: shownIdentity(identity),
    versions: { agent: version, node: process.version },
  };
}

function shownTask({ running, id, since }: TaskView): AgentStatus['task'] {
  return {
    running,
    ...(id !== undefined && { id }),
    ...(since !== undefined && { since: since.toISOString() }),
  };
}

function shownDevice(view: DeviceView): AgentStatus['devices'][number] {
  const { name, kind, state, since, readAt, why, reading } = view;
  return {
    ...{ name, state, kind, since: since.toISOString() },
    ...(readAt !== undefined && { readAt: readAt.toISOString() }),
    ...(why !== undefined && state === 'missing' && { why }),
    ...(reading !== undefined && {
      dimensions: Object.fromEntries(
        Object.entries(reading.dimensions).map(([key, values]) => [key, [...values]]),
      ),
      temperaturesCelsius: { ...reading.temperatures },
    }),
    ...(reading?.serial !== undefined && { serial: reading.serial }),
    ...(reading?.batteryPercent !== undefined && { batteryPercent: reading.batteryPercent }),
    ...(reading?.thermalStatus !== undefined && { thermalStatus: reading.thermalStatus }),
    ...(reading?.uptimeSeconds !== undefined && { uptimeSeconds: reading.uptimeSeconds }),
  };
}

export function shownHealth({ verdict, since, reasons }: Health) {
  return {
    verdict,
    since: since.toISOString(),
    reasons: reasons.map((reason) => ({ ...reason, since: reason.since.toISOString() })),
  };
}

function shownBot(view: BotView): NonNullable<AgentStatus['bot']> {
  const { state, since, why, pid, server, starts, isHealthy } = view;
  const { startedAt, nextStartAt, lastExit } = view;
  return {
    ...{ state, since: since.toISOString(), healthy: isHealthy, starts },
    ...(why !== undefined && { why }),
    ...(pid !== undefined && { pid }),
    ...(server !== undefined && { server }),
    ...(startedAt !== undefined && { startedAt: startedAt.toISOString() }),
    ...(nextStartAt !== undefined && { nextStartAt: nextStartAt.toISOString() }),
    ...(lastExit !== undefined && { lastExit: { ...lastExit, at: lastExit.at.toISOString() } }),
  };
}

function shownHost(host: HostReading): NonNullable<AgentStatus['host']> {
  const { disk, celsius, isUnderVoltage, isThrottled, clockOffsetSeconds } = host;
  return {
    ...(disk !== undefined && { diskFreeBytes: disk.freeBytes, diskSizeBytes: disk.sizeBytes }),
    ...(celsius !== undefined && { celsius }),
    ...(isUnderVoltage !== undefined && { underVoltage: isUnderVoltage }),
    ...(isThrottled !== undefined && { throttled: isThrottled }),
    ...(clockOffsetSeconds !== undefined && { clockOffsetSeconds }),
  };
}

function shownIdentity({ slice, from, why }: KnownIdentity): AgentStatus['identity'] {
  return {
    from,
    ...(slice !== undefined && { rack: slice.rack }),
    ...(why !== undefined && { why }),
  };
}

/** What `/readyz` says: whether the agent can do its work, and what does not work although it can. */
export interface ReadinessFacts {
  /** It is known what rack.yaml says of this machine. */
  isKnown: boolean;
  /** Why not, for people; and since when nobody has said so. */
  whyUnknown: string;
  startedAt: Date;
  isStopping: boolean;
  /** What was said to be degraded. */
  told: Degraded[];
  bot: BotView;
  health: Health;
}

export function readinessOf(facts: ReadinessFacts): ReadinessNow {
  const { isKnown, whyUnknown, startedAt, isStopping, told, bot, health } = facts;
  const isSaid = isKnown || told.some(({ what }) => what === 'identity');
  const unsaid = isSaid ? [] : [{ what: 'identity', why: whyUnknown, since: startedAt }];
  return {
    ready: isKnown && !isStopping,
    degraded: [...told, ...unsaid, ...ofBot(bot, isKnown), ...ofHealth(health)],
  };
}

function ofBot({ state, why, since }: BotView, isKnown: boolean): Degraded[] {
  const isHeldUp =
    state === 'backing-off' || state === 'silent' || (state === 'waiting' && isKnown);
  return isHeldUp && why !== undefined ? [{ what: 'bot', why, since }] : [];
}

function ofHealth(health: Health): Degraded[] {
  if (health.verdict !== 'quarantined') return [];
  return [{ what: 'health', why: healthText(health), since: health.since }];
}
