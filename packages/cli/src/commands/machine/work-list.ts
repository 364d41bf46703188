/**
 * The work list: common causes, then machines that have not come back or need attention, in walking order. A page for the technician at
 * the rack.
 */

import type { Away, CommonCause, Machine, RackView } from '@skolo/api';
import { beganAt, conditionWord, onItOf } from '@skolo/api/silence';
import type { Io } from '../../io.ts';
import { paragraph, plain, styled } from '../../output/text.ts';
import { age, timestamp } from '../../output/time.ts';
import { sentence } from './agent-text.ts';
import { awayLine } from './not-back.ts';
import { groupByShelf } from './shelves.ts';

interface Work {
  /** The headline. */
  head: string;
  shelves: RackView['shelves'];
  machines: readonly Machine[];
  causes: readonly CommonCause[];
  /** Those that have not come back from an incident. */
  away: readonly Away[];
  all: readonly Machine[];
}

export function printWork(io: Io, { head, shelves, machines, causes, away, all }: Work): void {
  const now = io.now();
  const entries = new Map([
    ...machines.map(
      (machine) => [machine.name, [...linesOf(machine, now), ...holderLine([machine])]] as const,
    ),
    ...away.map((machine) => [machine.name, [plain(awayLine(machine))]] as const),
  ]);
  const blocks = groupByShelf(shelves, entries.keys()).map(({ shelf, machines }) =>
    [
      ...(shelf === undefined ? [] : [styled(plain(shelf), 'bold', io.colour)]),
      ...machines.flatMap((machine) => entries.get(machine) ?? []),
    ].map((line) => paragraph(line, io.columns)),
  );
  const shared = causes.flatMap((cause) => {
    const its = all.filter(({ name }) => cause.machines.includes(name));
    return [...causeLines(cause, now), ...holderLine(its)];
  });
  const first = shared.length === 0 ? [] : [shared.map((line) => paragraph(line, io.columns))];
  io.out(
    [[`${plain(head)}, ${timestamp(now)}`], ...first, ...blocks]
      .map((lines) => lines.join('\n'))
      .join('\n\n'),
  );
}

function causeLines({ text, why, since }: CommonCause, now: number) {
  return [
    `[ ] ${text}: for ${age(since, now)}, last answer ${timestamp(Date.parse(since))}`,
    `    ${sentence(`${why}`)}`,
  ].map(plain);
}

function linesOf(machine: Machine, now: number) {
  const { name, label, condition, needsAttention, wiring } = machine;
  const since = beganAt(machine);
  const where = [
    ...(label === undefined ? [] : [label]),
    ...(wiring.uplink === undefined ? [] : [`uplink ${wiring.uplink}`]),
    ...(wiring.power.length === 0 ? [] : [`power ${wiring.power.join(', ')}`]),
  ];
  const howLong = since === undefined ? '' : ` for ${age(since, now)}`;
  return [
    `[ ] ${name}: ${conditionWord(condition)}${howLong}${where.length > 0 ? ` (${where.join('; ')})` : ''}`,
    `    ${sentence(needsAttention ?? '')}`,
  ].map(plain);
}

function holderLine(machines: readonly Machine[]) {
  return onItOf(machines).map(({ by, until }) =>
    plain(`    ${sentence(by)} is on it until ${timestamp(until)}`),
  );
}
