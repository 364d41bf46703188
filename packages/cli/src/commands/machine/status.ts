import { count } from '@skolo/base';
import type { SkoloCommand } from '../../command.ts';
import { failPartly } from '../../errors.ts';
import {
  addFilters,
  checkValues,
  type Filter,
  type FilterOptions,
  isFiltered,
  selected,
} from '../../filters.ts';
import { type Io, printJson } from '../../io.ts';
import { headline, printOverview } from '../../output/overview.ts';
import type { Column } from '../../output/table.ts';
import { age } from '../../output/time.ts';
import type { AgentPlace, Answer } from '../../reach/agents.ts';
import { agentPlaces, askAgents } from '../../reach/agents.ts';
import {
  botState,
  botStyle,
  deviceColumn,
  healthOf,
  healthStyle,
  hottest,
  mostDevices,
  remarksOf,
  taskText,
  urgencyOf,
  verdictOf,
  verdicts,
} from './agent-text.ts';

interface Options extends FilterOptions {
  json?: true;
}

/** From rack.yaml, before any request. */
const placeFilters: Filter<AgentPlace>[] = [
  { name: 'shelf', description: 'show only these shelves', of: ({ machine }) => machine?.shelf },
  {
    name: 'kind',
    description: 'show only these kinds of machines',
    of: ({ machine }) => machine?.kind,
  },
];

const answerFilters: Filter<Answer>[] = [
  { name: 'verdict', description: 'show only these verdicts', values: verdicts, of: verdictOf },
];

/** `skolo machine status`: the status of machines, from their agents. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Queries the agents directly, even while machine-state is down, and shows for each machine whether it accepts tasks, its bot, its running task, and its phones. Problems come first, with their reasons. If the terminal is too small, healthy machines share one line; list them with --verdict ok. Exit codes: 3 some agents do not respond, 1 no agent responds.',
    )
    .summary('query the agents directly')
    .argument('[names...]', "machine names (default: all); quote ranges: 'rpi-[001-040]'");
  addFilters(command, placeFilters);
  addFilters(command, answerFilters);
  command
    .option('--json', 'print JSON, including the full status')
    .uses('rack', 'url')
    .example('skolo machine status --shelf shelf1 --verdict quarantined,no-answer');

  command.action(async (words: string[], options: Options) => {
    if (command.globals().url !== undefined && isFiltered(placeFilters, options)) {
      command.error(
        "'--shelf' and '--kind' require rack.yaml, so they cannot be used with '--url'",
      );
    }
    checkValues(answerFilters, options);
    const places = await agentPlaces(command, words);
    const wanted = selected(command.io, places, placeFilters, options);
    const answers = await askAgents(wanted);
    // Before the filter: a silent agent can have any verdict.
    const silent = answers.filter(({ status }) => status === undefined).length;
    if (silent > 0) failPartly(command.io, silent < answers.length);
    const shown = selected(command.io, answers, answerFilters, options);
    if (options.json) return printJson(command.io, { machines: shown });
    if (places.length === 0 && words.length > 0) return undefined;
    const isSelection =
      words.length > 0 || isFiltered(placeFilters, options) || isFiltered(answerFilters, options);
    return printStatus(command.io, shown, places.length, isSelection);
  });
}

/** Totals, problems with their reasons, then healthy machines. */
function printStatus(io: Io, answers: readonly Answer[], all: number, isSelection: boolean): void {
  const now = io.now();
  const rows = answers.toSorted((a, b) => urgencyOf(a) - urgencyOf(b));
  const tasks = rows.filter(({ status }) => status?.task.running).length;
  const more = rows.length === 0 ? '' : `; ${count(tasks, 'task')} running`;
  const totals = { rows, all, noun: 'machine', verdict: verdictOf, order: verdicts, more };
  printOverview(io, {
    head: [headline(totals)],
    rows,
    columns: columns(now),
    remarks: rows.flatMap((answer) => remarksOf(answer, now)),
    verdict: verdictOf,
    isFoldable: (answer) => verdictOf(answer) === 'ok' && remarksOf(answer, now).length === 0,
    isSelection,
  });
}

function columns(now: number): Column<Answer>[] {
  const devices = ({ status }: Answer) => status?.devices.slice(0, mostDevices) ?? [];
  return [
    { title: 'NAME', cell: ({ name }) => name, shrinkTo: 20 },
    { title: 'HEALTH', cell: healthOf, style: healthStyle },
    {
      title: 'FOR',
      cell: ({ status }) => status?.health && age(status.health.since, now),
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
    deviceColumn(devices),
    {
      title: 'BATTERY',
      cell: (answer) =>
        devices(answer).flatMap(({ batteryPercent: percent }) =>
          percent === undefined ? [] : [`${Math.round(percent)}%`],
        ),
      align: 'right',
      leaveOut: 2,
    },
    {
      title: 'TEMP',
      cell: (answer) =>
        devices(answer).flatMap((device) => {
          const celsius = hottest(device);
          return celsius === undefined ? [] : [`${Math.round(celsius)} °C`];
        }),
      align: 'right',
      leaveOut: 1,
    },
    {
      title: 'TASK FOR',
      cell: ({ status }) =>
        status?.task.running && status.task.since !== undefined
          ? age(status.task.since, now)
          : undefined,
      leaveOut: 3,
    },
  ];
}
