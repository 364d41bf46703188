import type { Io } from '../../io.ts';
import { countOf, printOverview, tally } from '../../output/overview.ts';
import type { Column } from '../../output/table.ts';
import { count } from '../../output/text.ts';
import type { Answer } from './ask-agents.ts';
import {
  age,
  botStyle,
  botWord,
  deviceWord,
  healthStyle,
  healthWord,
  hottest,
  remarksOf,
  taskWord,
  urgencyOf,
  verdictOf,
  verdicts,
} from './machine-words.ts';

interface Shown {
  /** How many machines there are without the filters. */
  all: number;
  isSelection: boolean;
}

/** Totals, problems with their reasons, then the healthy machines. */
export async function printStatus(
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
    { title: 'HEALTH', cell: healthWord, style: healthStyle },
    {
      title: 'FOR',
      cell: ({ status }) => status?.health && age(status.health.since, now),
      leaveOut: 4,
    },
    {
      title: 'BOT',
      cell: ({ status }) => status?.bot && botWord(status.bot),
      style: ({ status }) => botStyle(status?.bot),
    },
    {
      title: 'TASK',
      cell: ({ status }) => status && taskWord(status.task),
      shrinkTo: 8,
      leaveOut: 5,
    },
    {
      title: 'DEVICE',
      cell: (answer) => {
        const all = devices(answer);
        return all.map((device) => deviceWord(device, all.length === 1));
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
