import { InvalidArgumentError, Option } from 'commander';
import { spanMs } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { printJson } from '../../io.ts';
import { namesOf } from '../../names.ts';
import { powerCycleDaemon } from '../../service-client.ts';
import { printHolds } from './holds.ts';
import { askAboutNames } from './request.ts';

interface Options {
  reason: string;
  until?: Date;
  /** Milliseconds. */
  for?: number;
  json?: true;
}

/** `skolo power hold`: blocks cycles during a repair. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Blocks cycles during a repair, for people and programs: of machines, of phones, of a switch or PDU with everything it feeds, or of the whole rack by its name. Without --until or --for the hold ends after 24 hours, unless rack.yaml sets another time.',
    )
    .summary('block cycles during a repair')
    .argument(
      '<names...>',
      "machines, phones, devices, the rack; ranges in quotes: 'rpi-[001-040]'",
    )
    .requiredOption('--reason <text>', 'what is being repaired')
    .addOption(
      new Option(
        '--until <time>',
        'end of the hold: 2026-11-20T18:00Z; without Z or +hh:mm in your own time zone',
      )
        .argParser(time)
        .conflicts('for'),
    )
    .addOption(new Option('--for <time>', 'duration of the hold: 30m, 2h, 3d, 1w').argParser(span))
    .option('--json', 'print JSON')
    .example("skolo power hold switch-1 --for 2h --reason 'new fan'");

  command.action(async (words: string[], { reason, until, for: span, json }: Options) => {
    const now = command.io.now();
    const end = span === undefined ? until : new Date(now + span);
    if (end !== undefined && end.getTime() <= now)
      command.error('--until: the time is in the past');
    const { names: targets } = namesOf(words);
    const daemon = await powerCycleDaemon(command);
    const body = { targets, reason, until: end?.toISOString() };
    const answer = await askAboutNames(command.io, daemon, (client) => client.hold({ body }));
    if (answer === undefined) return;
    if (json) return printJson(command.io, answer);
    return printHolds(command.io, answer.holds);
  });
}

const timeSyntax = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?$/;

function time(text: string): Date {
  const found = new Date(text);
  if (timeSyntax.test(text) && !Number.isNaN(found.getTime())) return found;
  throw new InvalidArgumentError('expected a day and a time, such as 2026-11-20T18:00Z');
}

function span(text: string): number {
  const found = spanMs(text, 'mhdw');
  if (found !== undefined) return found;
  throw new InvalidArgumentError('expected a number and m, h, d or w, such as 2h');
}
