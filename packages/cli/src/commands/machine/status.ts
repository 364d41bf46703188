import { count } from '@skolo/base';
import { failPartly } from '../../errors.ts';
import {
  addFilters,
  type Filter,
  type FilterOptions,
  isFiltered,
  selected,
} from '../../filters.ts';
import { list } from '../../output/list.ts';
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
  { name: 'shelf', description: 'show only these shelves', of: ({ machine }) => machine?.shelf },
  {
    name: 'kind',
    description: 'show only these kinds of machines',
    of: ({ machine }) => machine?.kind,
  },
];

/** `skolo machine status`: the status of machines, from their agents. */
export const define = list<Answer, FilterOptions>({
  description:
    'Queries the agents directly, even while machine-state is down, and shows for each machine whether it accepts tasks, its bot, its running task, and its phones. Problems come first, with their reasons. If the terminal is too small, healthy machines share one line; list them with --verdict ok. Exit codes: 3 some agents do not respond, 1 no agent responds.',
  summary: 'query the agents directly',
  example: 'skolo machine status --shelf shelf1 --verdict quarantined,no-answer',
  names: ['[names...]', "machine names (default: all); quote ranges: 'rpi-[001-040]'"],
  options: (command) => addFilters(command, placeFilters),
  filters: [
    { name: 'verdict', description: 'show only these verdicts', values: verdicts, of: verdictOf },
  ],
  json: 'print JSON, including the full status',
  uses: ['rack', 'url'],
  async find({ command, words, options }) {
    const isSelection = isFiltered(placeFilters, options);
    if (command.globals().url !== undefined && isSelection) {
      command.error(
        "'--shelf' and '--kind' require rack.yaml, so they cannot be used with '--url'",
      );
    }
    const places = await agentPlaces(command, words);
    const rows = await askAgents(selected(command.io, places, placeFilters, options));
    // Before the filter: a silent agent can have any verdict.
    const silent = rows.filter(({ status }) => status === undefined).length;
    if (silent > 0) failPartly(command.io, silent < rows.length);
    return { rows, all: places.length, isSelection };
  },
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
});

function devices({ status }: Answer) {
  return status?.devices.slice(0, mostDevices) ?? [];
}
