import type { PowerCycle } from '@skolo/api';
import type { SkoloCommand } from '../../command.ts';
import { type Io, printJson } from '../../io.ts';
import { type Fact, factLines } from '../../output/facts.ts';
import { plain, styled } from '../../output/text.ts';
import { duration, timestamp } from '../../output/time.ts';
import { powerCycleDaemon } from '../../reach/service-client.ts';
import { endText, stateStyle, stateText } from './cycle-text.ts';

/** `skolo power show`: the steps of a cycle. */
export function define(command: SkoloCommand): void {
  command
    .description('Shows a power cycle with its requester, reason, steps and outcome.')
    .summary('show the steps of a cycle')
    .argument('<id>', 'cycle ID, as printed by `skolo power cycle` or `skolo power log`')
    .option('--json', 'print JSON')
    .example('skolo power show 0193477c-7a55-7cc3-98a4-28c6a2b0a3f1');

  command.action(async (id: string, { json }: { json?: true }) => {
    const cycle = await powerCycleDaemon(command).ask((client) => client.cycle({ params: { id } }));
    if (json) printJson(command.io, cycle);
    else command.io.out(textOf(command.io, cycle));
  });
}

function textOf(io: Io, cycle: PowerCycle): string {
  const steps = cycle.steps.map(({ at, step, text }) =>
    plain(`  ${timestamp(at)}  ${step.padEnd('soft-reboot'.length)}  ${text}`),
  );
  const state = styled(stateText(cycle), stateStyle(cycle), io.colour);
  return [
    `${styled(plain(cycle.target), 'bold', io.colour)}: ${state} ${plain(endText(cycle))}`.trimEnd(),
    ...factLines(io, factsOf(cycle)),
    '',
    ...steps,
  ]
    .join('\n')
    .trimEnd();
}

function factsOf(cycle: PowerCycle): Fact[] {
  const { id, action, mode, force, outlets, offSeconds, by, origin, reason, fault } = cycle;
  const how = action === 'cycle' ? [mode, `off for ${duration(offSeconds)}`] : [];
  return [
    ['id', id],
    ['action', [action, ...how, ...(force ? ['forced'] : [])]],
    ['outlets', outlets.length > 0 ? outlets : ['none']],
    ['fault', fault],
    ['requested', [timestamp(cycle.requestedAt), `by ${by} (${origin})`]],
    ['reason', reason],
    ['started', cycle.startedAt === undefined ? notYet(cycle) : timestamp(cycle.startedAt)],
    ['ended', cycle.finishedAt === undefined ? 'not yet' : timestamp(cycle.finishedAt)],
  ];
}

function notYet({ position = 0 }: PowerCycle): string {
  return position === 0 ? 'not yet' : `not yet; ${position} ahead in the queue`;
}
