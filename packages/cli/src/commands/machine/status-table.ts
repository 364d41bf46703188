import type { Io } from '../../io.ts';
import { styled } from '../../output/style.ts';
import { type Column, printTable } from '../../output/table.ts';
import { count, plain } from '../../output/text.ts';
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
} from './machine-words.ts';

/** Who wants somebody first; below the table why, in full; and last the one line that says it all. */
export function printStatus(io: Io, answers: readonly Answer[]): void {
  const now = io.now();
  const sorted = answers.toSorted((a, b) => urgencyOf(a) - urgencyOf(b));
  printTable(io, columns(now), sorted);
  const remarks = sorted.flatMap((answer) => remarksOf(answer, now));
  if (remarks.length > 0) io.out(['', ...remarks.map(plain)].join('\n'));
  const isWell = sorted.every((answer) => urgencyOf(answer) === 4);
  io.out(`\n${styled(tally(sorted), isWell ? 'green' : 'yellow', io.colour)}`);
}

function columns(now: number): Column<Answer>[] {
  const devices = ({ status }: Answer) => status?.devices.slice(0, 8) ?? [];
  return [
    { title: 'NAME', cell: ({ name }) => name, shrinkTo: 12 },
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
    { title: 'TASK', cell: ({ status }) => status && taskWord(status.task), shrinkTo: 8 },
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

/** `46 machines: 40 ok, 2 quarantined, 4 no answer; 31 tasks running`. */
function tally(answers: readonly Answer[]): string {
  const words = new Map<string, number>();
  for (const answer of answers) {
    const health = healthWord(answer);
    words.set(health, (words.get(health) ?? 0) + 1);
  }
  const order = ['ok', 'quarantined', 'maintenance', 'recovering', 'unknown', 'no answer'];
  const parts = order.flatMap((health) => {
    const number = words.get(health);
    return number === undefined ? [] : [`${number} ${health}`];
  });
  const tasks = answers.filter(({ status }) => status?.task.running).length;
  return `${count(answers.length, 'machine')}: ${parts.join(', ')}; ${count(tasks, 'task')} running`;
}
