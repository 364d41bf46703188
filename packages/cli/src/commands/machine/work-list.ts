/** Machines that need a person, by shelf: a page for the technician at the rack. */
import type { Machine } from '@skolo/api';
import type { Io } from '../../io.ts';
import { byNumber } from '../../names.ts';
import { count, paragraph, plain, styled } from '../../output/text.ts';
import { age, timestamp } from '../../output/time.ts';
import { sentence } from './agent-text.ts';

export function printWork(io: Io, machines: readonly Machine[]): void {
  const now = io.now();
  const sorted = machines.toSorted((a, b) => byNumber(a.name, b.name));
  const shelves = [...Map.groupBy(sorted, ({ shelf }) => shelf ?? 'without a shelf')];
  const blocks = shelves
    .sort(([a], [b]) => byNumber(a, b))
    .map(([shelf, its]) =>
      [
        styled(plain(shelf), 'bold', io.colour),
        ...its.flatMap((machine) => linesOf(machine, now)),
      ].map((line) => paragraph(line, io.columns)),
    );
  const verb = machines.length === 1 ? 'needs' : 'need';
  const head = `${count(machines.length, 'machine')} ${verb} a person, ${timestamp(now)}`;
  io.out([[head], ...blocks].map((lines) => lines.join('\n')).join('\n\n'));
}

function linesOf({ name, label, condition, since, needsPerson, wiring }: Machine, now: number) {
  const where = [
    ...(label === undefined ? [] : [label]),
    ...(wiring.uplink === undefined ? [] : [`uplink ${wiring.uplink}`]),
    ...(wiring.power.length === 0 ? [] : [`power ${wiring.power.join(', ')}`]),
  ];
  const howLong = since === undefined ? '' : ` for ${age(since, now)}`;
  return [
    `[ ] ${name}: ${condition}${howLong}${where.length > 0 ? ` (${where.join('; ')})` : ''}`,
    `    ${sentence(needsPerson ?? '')}`,
  ].map(plain);
}
