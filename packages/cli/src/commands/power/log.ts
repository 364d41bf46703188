import { Outcome, type PowerCycle } from '@skolo/api';
import { shortId } from '@skolo/api/ids';
import { expandNames } from '@skolo/rack/light';
import { Option } from 'commander';
import { limitOption } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { printJson } from '../../io.ts';
import { type Column, printTable } from '../../output/table.ts';
import { duration, timestamp } from '../../output/time.ts';
import { powerCycleDaemon } from '../../reach/service-client.ts';
import { outcomeText, stateStyle, tookSeconds } from './cycle-text.ts';
import { askAboutNames } from './request.ts';

interface Options {
  limit: number;
  outcome?: Outcome;
  json?: true;
}

/** `skolo power log`: lists cycles and their outcomes. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Lists power cycles, and outlets that were turned on or off, newest last. Each entry shows the time, requester, reason and outcome.',
    )
    .summary('list power cycles and their outcomes')
    .argument('[name]', 'show only this machine, phone, equipment or outlet')
    .addOption(limitOption())
    .addOption(
      new Option('--outcome <outcome>', 'show only entries with this outcome').choices(
        Outcome.options,
      ),
    )
    .option('--json', 'print JSON, including each step')
    .example('skolo power log skia-rpi2-rack4-shelf1-007 --outcome failed');

  command.action(async (target: string | undefined, { limit, outcome, json }: Options) => {
    if (target !== undefined) expandNames(target);
    const daemon = powerCycleDaemon(command);
    const query = { limit, outcome, target };
    const answer = await askAboutNames(command.io, daemon, (client) => client.cycles({ query }));
    if (answer === undefined) return;
    const oldestFirst = answer.cycles.toReversed();
    if (json) printJson(command.io, { cycles: oldestFirst });
    else printTable(command.io, columns, oldestFirst);
  });
}

const columns: Column<PowerCycle>[] = [
  { title: 'REQUESTED', cell: ({ requestedAt }) => timestamp(requestedAt) },
  { title: 'TARGET', cell: ({ target }) => target, shrinkTo: 16 },
  { title: 'ACTION', cell: ({ action }) => action },
  {
    title: 'OUTCOME',
    cell: outcomeCell,
    style: ({ outcome, step }) => stateStyle({ outcome, step }),
  },
  { title: 'TOOK', cell: tookText, align: 'right', leaveOut: 2 },
  { title: 'BY', cell: ({ by }) => by, shrinkTo: 8, leaveOut: 4 },
  { title: 'REASON', cell: ({ reason }) => reason, shrinkTo: 12, leaveOut: 1 },
  { title: 'ID', cell: ({ id }) => shortId(id), leaveOut: 3 },
];

/** `failed at turn-off`; `turn-off now` while it runs. */
function outcomeCell({ outcome, failedStep, step }: PowerCycle): string {
  if (outcome === undefined) return `${step} now`;
  const word = outcomeText(outcome);
  return failedStep === undefined ? word : `${word} at ${failedStep}`;
}

function tookText(cycle: PowerCycle): string | undefined {
  const seconds = tookSeconds(cycle);
  return seconds === undefined ? undefined : duration(seconds);
}
