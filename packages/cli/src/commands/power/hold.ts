import { InvalidArgumentError, Option } from 'commander';
import { spanMs } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import type { Io } from '../../io.ts';
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

/** `skolo power hold`: nobody cycles it while somebody works on it. */
export function define(command: SkoloCommand, io: Io): void {
  command
    .description(
      'Keeps everybody, people and programs, from cycling what somebody works on: machines, phones, a switch or PDU with all that hangs on it, or by its name the whole rack. Without --until or --for the service sets the end, 24 hours unless rack.yaml says otherwise.',
    )
    .summary('nobody cycles what is under repair')
    .argument(
      '<names...>',
      "machines, phones, devices, the rack; ranges in quotes: 'rpi-[001-040]'",
    )
    .requiredOption('--reason <text>', 'what is being done there')
    .addOption(
      new Option(
        '--until <time>',
        'when it ends: 2026-11-20T18:00Z; without Z or +hh:mm in your own time zone',
      )
        .argParser(time)
        .conflicts('for'),
    )
    .addOption(new Option('--for <time>', 'how long: 30m, 2h, 3d, 1w').argParser(span))
    .option('--json', 'print JSON')
    .uses('rack', 'url', 'tokenFile')
    .example("skolo power hold switch-1 --for 2h --reason 'new fan'");

  command.action(async (words: string[], { reason, until, for: span, json }: Options) => {
    const now = io.now();
    const end = span === undefined ? until : new Date(now + span);
    if (end !== undefined && end.getTime() <= now) command.error('the time of --until is past');
    const { names: targets } = await namesOf(words);
    const daemon = await powerCycleDaemon(command);
    const body = { targets, reason, ...(end !== undefined && { until: end.toISOString() }) };
    const answer = await askAboutNames(io, daemon, (client) => client.hold({ body }));
    if (answer === undefined) return;
    if (json) return printJson(io, answer);
    return printHolds(io, answer.holds);
  });
}

const timeSyntax = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?$/;

function time(text: string): Date {
  const found = new Date(text);
  if (timeSyntax.test(text) && !Number.isNaN(found.getTime())) return found;
  throw new InvalidArgumentError('Give a day and a time, such as 2026-11-20T18:00Z');
}

function span(text: string): number {
  const found = spanMs(text, 'mhdw');
  if (found !== undefined) return found;
  throw new InvalidArgumentError('Give a number and m, h, d or w, such as 2h');
}
