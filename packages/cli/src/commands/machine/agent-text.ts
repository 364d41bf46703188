/** Texts and styles of agents. Agents are not trusted: every text is short and on one line. */
import type { AgentStatus } from '@skolo/api';
import { isOld } from '@skolo/api/silence';
import type { Remark } from '../../output/overview.ts';
import type { Column } from '../../output/table.ts';
import { cutOff, plain, type Style } from '../../output/text.ts';
import { age, duration, relative } from '../../output/time.ts';
import type { Answer } from '../../reach/agents.ts';

type Bot = NonNullable<AgentStatus['bot']>;

/** An agent's sentence. */
export function sentence(text: string): string {
  return cutOff(plain(text), 400);
}

/** An agent's text for a table cell. */
export function cell(text: string): string {
  return cutOff(plain(text), 40);
}

export function healthOf({ status }: Answer): Verdict {
  if (status === undefined) return 'silent';
  return status.health?.verdict ?? 'unknown';
}

const healthStyles: Record<string, Style> = {
  silent: 'red',
  quarantined: 'red',
  maintenance: 'yellow',
  recovering: 'yellow',
  unknown: 'yellow',
};

export function healthStyle(answer: Answer): Style | undefined {
  return healthStyles[healthOf(answer)];
}

/** Most urgent first. `bot-problem`: the machine is healthy, but its bot accepts no tasks. */
export const verdicts = [
  'quarantined',
  'silent',
  'bot-problem',
  'maintenance',
  'recovering',
  'unknown',
  'ok',
] as const;

type Verdict = (typeof verdicts)[number];

export function verdictOf(answer: Answer): Verdict {
  const health = healthOf(answer);
  const { bot } = answer.status ?? {};
  return health === 'ok' && bot !== undefined && !isWell(bot) ? 'bot-problem' : health;
}

/** Lower is more urgent. A bot that does not run is urgent in any health. */
export function urgencyOf(answer: Answer): number {
  const rank = verdicts.indexOf(verdictOf(answer));
  const { bot } = answer.status ?? {};
  const hasBotProblem = bot !== undefined && !isWell(bot);
  return hasBotProblem ? Math.min(rank, verdicts.indexOf('bot-problem')) : rank;
}

function isWell({ state, healthy }: Bot): boolean {
  return state === 'none' || (state === 'running' && healthy);
}

/** `running`, `starting` until it calls its hooks, `silent`, `backing-off`, `no bot`. */
export function botState({ state, healthy }: Bot): string {
  if (state === 'none') return 'no bot';
  return state === 'running' && !healthy ? 'starting' : state;
}

export function botStyle(bot: Bot | undefined): Style | undefined {
  if (bot === undefined || isWell(bot)) return undefined;
  return ['backing-off', 'silent'].includes(bot.state) ? 'red' : 'yellow';
}

export function taskText({ running, id }: AgentStatus['task']): string | undefined {
  if (!running) return undefined;
  return id === undefined ? 'running' : cell(id);
}

type Device = AgentStatus['devices'][number];

/** An agent may send any number of them. */
export const mostDevices = 8;

export function deviceColumn<Row>(of: (row: Row) => readonly Device[]): Column<Row> {
  return {
    title: 'DEVICE',
    cell: (row) => {
      const all = of(row);
      const shown = all.slice(0, mostDevices).map((each) => deviceText(each, all.length === 1));
      return all.length > mostDevices ? [...shown, `${all.length - mostDevices} more`] : shown;
    },
    style: (row) => (of(row).every(({ state }) => state === 'present') ? undefined : 'red'),
    shrinkTo: 8,
  };
}

function deviceText({ name, kind, state }: Device, isOnly: boolean): string {
  const what = state === 'present' ? (kind ?? state) : state;
  return isOnly ? cell(what) : `${cell(name)}:${cell(what)}`;
}

/** Battery level and highest temperature, each with its age if it could not be read when the device was last checked. */
export function figuresOf(device: Device, now: number): { battery: string[]; heat: string[] } {
  const { batteryPercent, batteryAt, temperaturesCelsius = {}, temperaturesAt } = device;
  const text = (figures: readonly number[], unit: string, at = '') => {
    const old = isOld(at, device) ? ` (${relative(at, now)})` : '';
    return figures.length === 0 ? [] : [`${Math.round(Math.max(...figures))}${unit}${old}`];
  };
  return {
    battery: text(batteryPercent === undefined ? [] : [batteryPercent], '%', batteryAt),
    heat: text(Object.values(temperaturesCelsius), ' °C', temperaturesAt),
  };
}

const mostReasons = 20;

/** The reason for a machine's health, and since when. */
export function reasonLines(health: AgentStatus['health'], now: number): string[] {
  return (health?.reasons ?? []).slice(0, mostReasons).map((reason) => {
    return `${reason.verdict} for ${age(reason.since, now)}: ${reasonText(reason)}`;
  });
}

export function reasonText({ device, text }: { device?: string | undefined; text: string }) {
  return `${device === undefined ? '' : `${cell(device)}: `}${sentence(text)}`;
}

/** Reasons in full. */
export function remarksOf(answer: Answer, now: number): Remark[] {
  const { name, status, error, url } = answer;
  if (status === undefined) {
    const { host } = new URL(url);
    return [{ name, at: host, text: `no response: ${sentence(error ?? '')}` }];
  }
  const { health, bot, machine, identity } = status;
  const remarks: string[] = [];
  if (machine !== name) remarks.push(`reports a different name: ${cell(machine)}`);
  remarks.push(...reasonLines(health, now));
  if (bot !== undefined && !isWell(bot)) remarks.push(`bot ${botText(bot, now)}`);
  if (identity?.why !== undefined) {
    remarks.push(`rack.yaml source: ${identity.from}; ${sentence(identity.why)}`);
  }
  const lastRepair = health?.verdict === 'quarantined' ? status.repairs?.at(-1) : undefined;
  if (lastRepair !== undefined) {
    const { at, device, step, outcome, text } = lastRepair;
    const how = [outcome, text].flatMap((part) => (part === undefined ? [] : [sentence(part)]));
    const when = relative(at, now);
    remarks.push(`last repair of ${cell(device)} ${when}: ${cell(step)}: ${how.join(': ')}`);
  }
  return remarks.map((text) => ({ name, text }));
}

function botText(bot: Bot, now: number): string {
  const { state, why, since, startedAt, nextStartAt, lastExit } = bot;
  if (state === 'running') {
    return `has not called its hooks since it started ${relative(Date.parse(startedAt ?? since), now)}`;
  }
  const because = why ?? lastExit?.text;
  const next = nextStartAt === undefined ? '' : `; next start ${when(nextStartAt, now)}`;
  return `${state} for ${age(since, now)}${because === undefined ? '' : `: ${sentence(because)}`}${next}`;
}

function when(time: string, now: number): string {
  const left = Date.parse(time) - now;
  return left > 0 ? `in ${duration(left / 1000)}` : 'now';
}
