/** Reports the known state at the status port, and decides what is degraded at `/readyz`, such as a bot that does not start. */
import type { AgentStatus } from '@skolo/api/swarming-client';
import type { Degraded, ReadinessNow } from '@skolo/common/light';
import { botSettingsOf, noServer } from '../bot/bot-settings.ts';
import type { BotView } from '../bot/bot-view.ts';
import type { DeviceView } from '../devices/device.ts';
import { type Health, healthText, type Reason } from '../health/health.ts';
import type { AgentView } from '../hooks/state.ts';
import type { TaskView } from '../hooks/task.ts';
import type { KnownIdentity } from '../identity/identity.ts';
import type { MachineView } from '../machine.ts';

/** Everything that is known now. */
export interface AgentNow {
  name: string;
  version: string;
  bootId: string | undefined;
  startedAt: Date;
  now: Date;
  isStopping: boolean;
  /** The degraded states that were raised. */
  raised: Degraded[];
  identity: KnownIdentity;
  task: TaskView;
  bot: BotView;
  machine: MachineView;
}

/** The API's names; the core omits what is not in the answer's schema. */
export function agentStatus(now: AgentNow): AgentStatus {
  const { name, bootId, task, bot, machine, identity, version } = now;
  const { disk, isUnderVoltage, isThrottled, ...host } = machine.host;
  const { machinePart, from, why } = identity;
  return {
    machine: name,
    bootId,
    task: { ...inIsoTime(task), last: task.last && inIsoTime(task.last) },
    devices: machine.devices.map((view) => ({
      ...deviceStatus(view),
      repairSteps: [...(machine.repairSteps.get(view.name) ?? [])],
    })),
    health: healthStatus(healthOf(now)),
    orders: [...machine.orders],
    bot: {
      ...inIsoTime(bot),
      healthy: bot.isHealthy,
      lastExit: bot.lastExit && inIsoTime(bot.lastExit),
    },
    repairs: machine.repairs.map(inIsoTime),
    host: {
      ...host,
      diskFreeBytes: disk?.freeBytes,
      diskSizeBytes: disk?.sizeBytes,
      underVoltage: isUnderVoltage,
      throttled: isThrottled,
    },
    identity: { from, rack: machinePart?.rack, why },
    versions: { agent: version, node: process.version },
  };
}

/** The machine and its bot, for people. */
export function healthOf({ name, machine, bot, identity, now }: AgentNow): Health {
  const { machinePart } = identity;
  const hasNone = machinePart !== undefined && botSettingsOf(machinePart) === undefined;
  return withBot(machine.health, {
    machine: name,
    bot,
    noServer: hasNone ? noServer : undefined,
    now,
  });
}

function deviceStatus({ reading, code: _, ...view }: DeviceView): AgentStatus['devices'][number] {
  const { dimensions, temperatures, ...figures } = reading ?? {};
  return {
    ...figures,
    ...inIsoTime(view),
    temperaturesAt: view.heatAt?.toISOString(),
    dimensions: dimensions && { ...(dimensions as Record<string, string[]>) },
    temperaturesCelsius: temperatures && { ...temperatures },
  };
}

export function healthStatus({ verdict, since, reasons }: Health) {
  return { verdict, since: since.toISOString(), reasons: reasons.map(inIsoTime) };
}

type InIsoTime<T> = {
  [Key in keyof T]: T[Key] extends Date | undefined ? string | Exclude<T[Key], Date> : T[Key];
};

/** An object's times as text. */
export function inIsoTime<T extends object>(value: T): InIsoTime<T> {
  const entries = Object.entries(value).map(([key, each]) => [
    key,
    each instanceof Date ? each.toISOString() : each,
  ]);
  return Object.fromEntries(entries);
}

/** For the answers to the hooks of the bot. */
export function hookView({ name, version, identity, machine, bot }: AgentNow): AgentView {
  const { machinePart, why } = identity;
  const { devices, dimensions: host, health } = machine;
  const hasBot = bot.state !== 'none';
  return { machine: name, machinePart, whyUnknown: why, devices, host, health, hasBot, version };
}

/** For `/readyz`: whether the agent can do its work, and what does not work even so. */
export function readinessOf(now: AgentNow): ReadinessNow {
  const { identity, startedAt, isStopping, raised, bot, machine } = now;
  const isKnown = identity.machinePart !== undefined;
  const isRaised = isKnown || raised.some(({ what }) => what === 'identity');
  const why = identity.why ?? 'the agent has just started';
  const unknown = isRaised ? [] : [{ what: 'identity', why, since: startedAt }];
  return {
    ready: isKnown && !isStopping,
    degraded: [...raised, ...unknown, ...ofBot(bot, isKnown), ...ofHealth(machine.health)],
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

/** A bot that ends once, for a reboot or an update, is back after a few seconds. */
const leastStarts = 3;
/** The server, the internet connection or the metadata server may have recovered by then. After that, a person must act. */
const recoversWithinMs = 600_000;

interface BotFacts {
  machine: string;
  bot: Pick<BotView, 'failing' | 'since'>;
  /** Why there is no server for the bot; undefined: there is one, or the settings are not known yet. */
  noServer: string | undefined;
  now: Date;
}

/**
 * The machine's health, including what keeps its bot from starting: without a bot it takes no tasks. The answers to that bot's hooks omit
 * this reason, because a bot that starts after all would quarantine itself with it.
 */
export function withBot(health: Health, facts: BotFacts): Health {
  const reason = reasonOf(facts);
  if (reason === undefined) return health;
  const reasons = [...health.reasons, reason];
  const isWorse = health.verdict === 'ok' || reason.verdict === 'quarantined';
  if (!isWorse || health.verdict === 'quarantined') return { ...health, reasons };
  return { verdict: reason.verdict, since: reason.since, reasons: reasons.reverse() };
}

function reasonOf({ machine, bot, noServer, now }: BotFacts): Reason | undefined {
  const code = 'bot-not-started';
  if (noServer !== undefined) {
    return {
      verdict: 'quarantined',
      code,
      text: `no bot is running: ${noServer}`,
      since: bot.since,
    };
  }
  if (bot.failing === undefined) return undefined;
  const { since, starts, why } = bot.failing;
  const isLong = now.getTime() - since.getTime() >= recoversWithinMs;
  if (!isLong && starts < leastStarts) return undefined;
  const remedy = why.includes(';') ? '' : `; for details, run \`skolo machine log ${machine}\``;
  const text = `the bot is not starting: ${why}${remedy}`;
  return { verdict: isLong ? 'quarantined' : 'recovering', code, text, since };
}
