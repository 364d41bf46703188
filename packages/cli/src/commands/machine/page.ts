/** `skolo show`: everything about one machine, from all services, on one page. */
import type { HistoryEntry, Machine } from '@skolo/api';
import { beganAt, conditionWord, isSilent } from '@skolo/api/silence';
import type { DeviceStatus } from '@skolo/api/swarming-client';
import { errorText } from '@skolo/base';
import type { SkoloCommand } from '../../command.ts';
import { printJson } from '../../io.ts';
import { expandedNames } from '../../names.ts';
import { type Fact, factsText } from '../../output/facts.ts';
import { age, relative, sizeText, timestamp } from '../../output/time.ts';
import { machineState } from '../../reach/service-client.ts';
import { rackToReach } from '../../workstation/rack-file.ts';
import { botState, cell, figuresOf, reasonLines, sentence } from './agent-text.ts';
import { historyLine } from './history-text.ts';

const mostEntries = 10;
const mostRepairs = 5;

export function define(command: SkoloCommand): void {
  command
    .description(
      'Prints everything about a machine on one page: the reasons for its condition, what to do, its task, bot, phones, repairs, orders, power, wiring, token and alerts, and the events of the last day. Services that do not respond are listed.',
    )
    .summary('show everything about one machine')
    .argument('<names...>', 'machines')
    .option('--json', 'print JSON')
    .uses('rack', 'url', 'tokenFile')
    .example('skolo show skia-rpi2-rack4-shelf1-007');

  command.action(async (words: string[], { json }: { json?: true }) => {
    const { io } = command;
    const service = machineState(command);
    const names = expandedNames(words);
    const machines = await Promise.all(
      names.map((name) => service.ask((client) => client.machine({ params: { name } }))),
    );
    const pages = await Promise.all(
      machines.map(async (machine) => ({ machine, history: await lastDay(machine.name) })),
    );
    if (json) return printJson(io, { machines: pages });
    const wiring = await wiringOf(command, names);
    const now = io.now();
    const texts = pages.map(({ machine, history }) => {
      const facts = [
        ...conditionFacts(machine, now),
        ...agentFacts(machine, now),
        ...serviceFacts(machine, now),
        ...(wiring.get(machine.name) ?? []),
        ...historyFacts(history),
      ];
      return factsText(io, machine.name, facts);
    });
    return io.out(texts.join('\n\n'));

    async function lastDay(name: string) {
      try {
        const query = { limit: mostEntries };
        return await service.ask((client) => client.history({ params: { name }, query }));
      } catch (error) {
        return { entries: [], truncated: false, error: errorText(error) };
      }
    }
  });
}

function conditionFacts(machine: Machine, now: number): Fact[] {
  const { condition, needsAttention, cause, flapping, kind, shelf, label, health } = machine;
  const since = beganAt(machine);
  const howLong = since === undefined ? '' : ` for ${age(since, now)}`;
  const todo = needsAttention === machine.sentence ? undefined : needsAttention;
  return [
    ['condition', `${conditionWord(condition)}${howLong}: ${sentence(machine.sentence)}`],
    ['to do', todo && sentence(todo)],
    ['cause', cause && `${cell(`${cause.text}`)}, shared with other machines`],
    ['flapping', flapping && `${flapping.changes} changes since ${timestamp(flapping.since)}`],
    ['reasons', { lines: isSilent(machine) ? [] : reasonLines(health, now) }],
    ['machine', [kind, shelf, label].filter((each) => each !== undefined)],
    ['address', machine.address],
    ['mac', machine.mac],
    ['pools', machine.pools.map(cell)],
    [
      'orders',
      {
        lines: machine.orders.map(({ kind, by, reason, until, deliveredAt, why }) => {
          const end = until === undefined ? '' : ` until ${timestamp(until)}`;
          const missing = `; not yet received by the agent${why === undefined ? '' : `: ${sentence(why)}`}`;
          const whose = by === undefined ? '' : ` by ${by}`;
          return `${kind}${whose}${end}: ${reason}${deliveredAt === undefined ? missing : ''}`;
        }),
      },
    ],
  ];
}

function agentFacts(machine: Machine, now: number): Fact[] {
  const { taskWhenLastSeen, lastSeen, bot, devices, repairs, host = {}, versions = {} } = machine;
  const { task = taskWhenLastSeen } = machine;
  const isOld = isSilent(machine);
  const then = isOld && lastSeen ? Date.parse(lastSeen) : now;
  const since = task?.since === undefined ? '' : ` for ${age(task.since, then)}`;
  const note = isOld ? '; what follows is of that time' : '';
  return [
    ['agent', lastSeen ? `seen ${relative(lastSeen, now)}${note}` : 'never seen'],
    ['task', task === undefined ? 'none' : `${cell(task.id ?? 'running')}${since}`],
    [
      'bot',
      bot &&
        `${botState(bot)} for ${age(bot.since, then)}${bot.why ? `: ${sentence(bot.why)}` : ''}`,
    ],
    ['phones', { lines: devices.map((device) => deviceLine(device, then)) }],
    [
      'repairs',
      {
        lines: repairs.slice(-mostRepairs).map(({ at, device, step, outcome, text }) => {
          const how = text ? `: ${sentence(text)}` : '';
          return `${relative(at, now)}: ${cell(device)}: ${cell(step)}: ${cell(outcome)}${how}`;
        }),
      },
    ],
    ['host', Object.entries(host).map(([key, value]) => `${cell(key)} ${hostText(key, value)}`)],
    ['versions', Object.entries(versions).map(([key, value]) => `${cell(key)} ${cell(value)}`)],
    ['boot id', machine.bootId && cell(machine.bootId)],
  ];
}

function hostText(key: string, value: number | boolean): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return key.endsWith('Bytes') ? sizeText(value) : String(Math.round(value * 10) / 10);
}

function deviceLine(device: DeviceStatus, now: number): string {
  const { name, kind, state, since, why, serial } = device;
  const { battery, heat } = figuresOf(device, now);
  const figures = [
    `${state}${since === undefined ? '' : ` for ${age(since, now)}`}`,
    ...(why === undefined ? [] : [sentence(why)]),
    ...(serial === undefined ? [] : [`serial ${cell(serial)}`]),
    ...battery.map((text) => `battery ${text}`),
    ...heat,
  ];
  return `${cell(name)}${kind === undefined ? '' : ` (${cell(kind)})`}: ${figures.join(', ')}`;
}

type Job = NonNullable<NonNullable<Machine['power']>['busy']>[number];

function jobText({ by, until, reason, overdue }: Job): string {
  return `${reason}, ${overdue ? 'overdue, ' : ''}by ${by} until ${timestamp(until)}`;
}

function serviceFacts({ power, token, alerts }: Machine, now: number): Fact[] {
  const { outlets = [], cycle, hold, busy = [] } = power ?? {};
  return [
    [
      'power',
      power === undefined
        ? 'unknown: the power-cycle daemon is not responding to machine-state'
        : outlets.map(({ outlet, state }) => `${outlet} ${state}`),
    ],
    ['cycle', cycle && `${cycle.step}; see skolo power show ${cycle.id}`],
    ['hold', hold && `by ${hold.by} until ${timestamp(hold.until)}: ${hold.reason}`],
    ['busy', busy.map(jobText)],
    [
      'token',
      token === undefined
        ? 'unknown: the metadata server is not responding to machine-state'
        : `${token.identity ?? 'no identity'}, ${token.lastAsked ? `last requested ${relative(token.lastAsked, now)}` : 'never requested'}`,
    ],
    [
      'alerts',
      {
        lines: alerts.map(({ name, severity, summary, since }) =>
          [`${name} for ${age(since, now)}`, severity, summary && sentence(summary)]
            .filter(Boolean)
            .join(': '),
        ),
      },
    ],
  ];
}

interface LastDay {
  entries: HistoryEntry[];
  error?: string;
}

function historyFacts({ entries, error }: LastDay): Fact[] {
  if (error !== undefined) return [['last day', `unknown: ${error}`]];
  const lines = entries.toReversed().map(historyLine);
  return [['last day', lines.length === 0 ? 'nothing happened' : { lines }]];
}

/** Dependencies by name, from rack.yaml. */
async function wiringOf(
  command: SkoloCommand,
  names: readonly string[],
): Promise<Map<string, Fact[]>> {
  // The service at --url may belong to any rack.
  if (command.globals().url !== undefined && !command.gives('rack')) return new Map();
  const rack = await rackToReach(command);
  const [{ findSubjects }, { detailsOf, dependencyFacts }] = await Promise.all([
    import('../rack/subjects.ts'),
    import('../rack/details.ts'),
  ]);
  const subjects = findSubjects(rack, [...names]).subjects.filter(({ is }) => is === 'machine');
  return new Map(
    detailsOf(rack, subjects).map((detail) => [detail.subject.name, dependencyFacts(rack, detail)]),
  );
}
