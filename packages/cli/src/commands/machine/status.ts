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
import { countOf, printOverview, tally } from '../../output/overview.ts';
import type { Column } from '../../output/table.ts';
import { count } from '../../output/text.ts';
import { age } from '../../output/time.ts';
import {
  botState,
  botStyle,
  deviceText,
  healthOf,
  healthStyle,
  hottest,
  remarksOf,
  taskText,
  urgencyOf,
  verdictOf,
  verdicts,
} from './agent-text.ts';
import type { AgentPlace, Answer } from './agents.ts';
import { agentPlaces, askAgents } from './agents.ts';

interface Options extends FilterOptions {
  json?: true;
}

/** From rack.yaml, before any request. */
const placeFilters: Filter<AgentPlace>[] = [
  { name: 'shelf', description: 'only these shelves', of: ({ machine }) => machine?.shelf },
  { name: 'kind', description: 'only these kinds of machines', of: ({ machine }) => machine?.kind },
];

const answerFilters: Filter<Answer>[] = [
  { name: 'verdict', description: 'only these verdicts', values: verdicts, of: verdictOf },
];

/** `skolo machine status`: the status of machines, from their agents. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Asks the agent on each machine: whether it accepts tasks and why not, the state of the bot, the running task, and its phones. Totals come first, then problems with their reasons. In a terminal that is too low for all rows, healthy machines share one line; --verdict ok lists them. Exit codes: 3 some agents do not answer, 1 no agent answers.',
    )
    .summary('health, bot, task and phones of machines')
    .argument('[names...]', "names, default all; ranges in quotes: 'rpi-[001-040]'");
  addFilters(command, placeFilters);
  addFilters(command, answerFilters);
  command
    .option('--json', 'print JSON, full status included')
    .uses('rack', 'url')
    .example('skolo machine status --shelf shelf1 --verdict quarantined,no-answer');

  command.action(async (words: string[], options: Options) => {
    if (command.globals().url !== undefined && isFiltered(placeFilters, options)) {
      command.error("'--shelf' and '--kind' need rack.yaml; they have no effect with '--url'");
    }
    await checkValues(answerFilters, options);
    const places = await agentPlaces(command, words);
    const wanted = await selected(command.io, places, placeFilters, options);
    const answers = await askAgents(wanted);
    // Before the filter: a silent agent can have any verdict.
    const silent = answers.filter(({ status }) => status === undefined).length;
    if (silent > 0) failPartly(command.io, silent < answers.length);
    const shown = await selected(command.io, answers, answerFilters, options);
    if (options.json) return printJson(command.io, { machines: shown });
    if (places.length === 0 && words.length > 0) return undefined;
    const isSelection =
      words.length > 0 || isFiltered(placeFilters, options) || isFiltered(answerFilters, options);
    return printStatus(command.io, shown, { all: places.length, isSelection });
  });
}

interface Shown {
  /** Without the filters. */
  all: number;
  isSelection: boolean;
}

/** Totals, problems with their reasons, then healthy machines. */
async function printStatus(
  io: Io,
  answers: readonly Answer[],
  { all, isSelection }: Shown,
): Promise<void> {
  const now = io.now();
  const rows = answers.toSorted((a, b) => urgencyOf(a) - urgencyOf(b));
  const isWell = (answer: Answer) => verdictOf(answer) === 'ok';
  await printOverview(io, {
    head: [{ text: summary(rows, all), style: rows.every(isWell) ? 'green' : 'yellow' }],
    rows,
    columns: columns(now),
    remarks: rows.flatMap((answer) => remarksOf(answer, now)),
    verdict: verdictOf,
    isFoldable: (answer) => isWell(answer) && remarksOf(answer, now).length === 0,
    isSelection,
  });
}

function columns(now: number): Column<Answer>[] {
  const devices = ({ status }: Answer) => status?.devices.slice(0, 8) ?? [];
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
    {
      title: 'DEVICE',
      cell: (answer) => {
        const all = devices(answer);
        return all.map((device) => deviceText(device, all.length === 1));
      },
      style: (answer) =>
        devices(answer).every(({ state }) => state === 'present') ? undefined : 'red',
      shrinkTo: 8,
    },
    {
      title: 'BATTERY',
      cell: (answer) =>
        devices(answer).flatMap(({ batteryPercent: percent }) =>
          percent === undefined ? [] : [`${Math.round(percent)} %`],
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

/** `46 machines: 40 ok, 2 quarantined, 4 no-answer; 31 tasks running`. */
function summary(answers: readonly Answer[], all: number): string {
  const totals = tally(answers.map(verdictOf), ['ok', ...verdicts]);
  const tasks = answers.filter(({ status }) => status?.task.running).length;
  const machines = countOf(answers.length, all, 'machine');
  return answers.length === 0
    ? machines
    : `${machines}: ${totals}; ${count(tasks, 'task')} running`;
}
