/** Lists machines as their agents report them, without machine-state. */
import { count } from '@skolo/base';
import type { SkoloCommand } from '../../command.ts';
import { failPartly } from '../../errors.ts';
import { addFilters, checkValues, type Filter, isFiltered, selected } from '../../filters.ts';
import { type ListOptions, printList, type Shown } from '../../output/list.ts';
import { age } from '../../output/time.ts';
import { type AgentPlace, type Answer, agentPlaces, askAgents } from '../../reach/agents.ts';
import {
  botState,
  botStyle,
  deviceColumn,
  figuresOf,
  healthOf,
  healthStyle,
  mostDevices,
  remarksOf,
  taskText,
  urgencyOf,
  verdictOf,
  verdicts,
} from './agent-text.ts';

/** From rack.yaml, before any request. */
const placeFilters: Filter<AgentPlace>[] = [
  { name: 'shelf', description: '', of: ({ machine }) => machine?.shelf },
  { name: 'model', description: '', of: ({ machine }) => machine?.kind },
];

const filters: Filter<Answer>[] = [
  {
    name: 'verdict',
    description: 'only machines with these verdicts of their agents; implies --agents',
    values: verdicts,
    of: verdictOf,
  },
];

interface Options extends ListOptions {
  agents?: true;
}

/** Of `skolo machine list`, for machines as their agents report them. */
export function addAgents(command: SkoloCommand): void {
  command.option(
    '--agents',
    'query the agents directly, with more details about their bots and phones; select with names, --shelf, --model (only kinds) and --verdict',
  );
  addFilters(command, filters);
}

export function isOfAgents({ agents, verdict }: Options): boolean {
  return agents === true || verdict !== undefined;
}

/** Whether the agents alone can answer: other filters are those of machine-state. */
export function canAskAgents(options: Options): boolean {
  const own = new Set([
    'agents',
    'json',
    ...[...placeFilters, ...filters].map(({ name }) => name as string),
  ]);
  return Object.keys(options).every((name) => own.has(name));
}

/** Exit codes: 3 some agents do not respond, 1 no agent responds. */
export async function listAgents(
  command: SkoloCommand,
  words: readonly string[],
  options: Options,
): Promise<void> {
  if (!canAskAgents(options)) {
    command.error("'--agents' accepts only names, '--shelf', '--model' and '--verdict'");
  }
  checkValues(filters, options);
  const isSelection = isFiltered(placeFilters, options);
  if (command.globals().url !== undefined && isSelection) {
    command.error("'--shelf' and '--model' require rack.yaml, so they cannot be used with '--url'");
  }
  const places = await agentPlaces(command, words);
  const rows = await askAgents(selected(command.io, places, placeFilters, options));
  // Before the filter: a silent agent can have any verdict.
  const silent = rows.filter(({ status }) => status === undefined).length;
  if (silent > 0) failPartly(command.io, silent < rows.length);
  printList(shown, command, words, options, { rows, all: places.length, isSelection });
}

const shown: Shown<Answer> = {
  filters,
  noun: 'machine',
  verdict: verdictOf,
  verdicts,
  rank: urgencyOf,
  more: (rows) => {
    const tasks = rows.filter(({ status }) => status?.task.running).length;
    return rows.length === 0 ? '' : `; ${count(tasks, 'task')} running`;
  },
  remarks: remarksOf,
  columns: [
    { title: 'NAME', cell: ({ name }) => name, shrinkTo: 20 },
    { title: 'HEALTH', cell: healthOf, style: healthStyle },
    {
      title: 'FOR',
      cell: ({ status }, now) => status?.health && age(status.health.since, now),
      leaveOut: 4,
    },
    {
      title: 'BOT',
      cell: ({ status }) => status?.bot && botState(status.bot),
      style: ({ status }) => botStyle(status?.bot),
    },
    {
      title: 'TASK',
      cell: ({ status }) => status && taskText(status.task),
      shrinkTo: 8,
      leaveOut: 5,
    },
    deviceColumn(({ status }) => status?.devices ?? []),
    {
      title: 'BATTERY',
      cell: (answer, now) => devices(answer).flatMap((device) => figuresOf(device, now).battery),
      align: 'right',
      leaveOut: 2,
    },
    {
      title: 'TEMP',
      cell: (answer, now) => devices(answer).flatMap((device) => figuresOf(device, now).heat),
      align: 'right',
      leaveOut: 1,
    },
    {
      title: 'TASK FOR',
      cell: ({ status }, now) =>
        status?.task.running && status.task.since !== undefined
          ? age(status.task.since, now)
          : undefined,
      leaveOut: 3,
    },
  ],
};

function devices({ status }: Answer) {
  return status?.devices.slice(0, mostDevices) ?? [];
}
