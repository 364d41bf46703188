/** Parses arguments and options: numbers, durations, names, URLs. */
import { isIPv4 } from 'node:net';
import { longestTimerMs } from '@skolo/base';
import type { Role } from '@skolo/rack';
import { InvalidArgumentError, Option } from 'commander';
import type { SkoloCommand } from './command.ts';

export const roles = ['view', 'operate', 'admin'] as const satisfies readonly Role[];

/** Parses a whole number. */
export function upTo(most: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= 1 && number <= most) return number;
    throw new InvalidArgumentError(`expected a whole number from 1 to ${most}`);
  };
}

/** `--limit` of a list. */
export function limitOption(most = 1000): Option {
  return new Option('--limit <n>', 'number of most recent entries to show')
    .argParser(upTo(most))
    .default(20);
}

const unitMs = new Map(
  Object.entries({ s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }),
);

/** A hundred years: a time that much earlier or later is still valid. */
const longestMs = 100 * 365.25 * 86_400_000;

/**
 * `90m`, `1.5h`, `90d`, `52w` in milliseconds; undefined for zero, more than a hundred years, and other text.
 *
 * @param units the allowed ones
 */
export function spanMs(text: string, units: string): number | undefined {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([smhdw])$/.exec(text) ?? [];
  const ms = units.includes(unit) ? unitMs.get(unit) : undefined;
  const found = Number(number) * (ms ?? 0);
  return found > 0 && found <= longestMs ? found : undefined;
}

/** `90s`, `5m`, `2h` in milliseconds: how long a command waits. */
export const shortSpan = span(
  'smhd',
  'a unit (s, m, h or d), such as 90s, up to 24d',
  longestTimerMs,
);

/** `30m`, `2h`, `3d`, `1w` in milliseconds. */
export const longSpan = span('mhdw', 'a unit (m, h, d or w), such as 2h');

function span(units: string, expected: string, mostMs = longestMs): (text: string) => number {
  return (text) => {
    const ms = spanMs(text, units);
    if (ms !== undefined && ms <= mostMs) return ms;
    throw new InvalidArgumentError(`expected a positive number and ${expected}`);
  };
}

/** An option with a time, which may be `0s` if that is the default. */
export function timeOption(flags: string, description: string, usual: string): Option {
  const parse = (text: string) => (usual === '0s' && /^0s?$/.test(text) ? 0 : shortSpan(text));
  return new Option(flags, description).argParser(parse).default(parse(usual), usual);
}

/** An optional `--reason`. */
export function reasonOption(where: string): Option {
  const about = `reason to record in ${where}`;
  return new Option('--reason <text>', about).default('requested on the command line');
}

/** `--return-after` of a change that may lock out the person who makes it. */
export function returnAfterOption(): Option {
  const about = 'how long to wait before rolling back a change that locks you out';
  return timeOption('--return-after <time>', about, '90s');
}

/** Values of {@link untilOption} and {@link forOption}. */
export interface EndOptions {
  until?: Date;
  /** Milliseconds. */
  for?: number;
}

export function untilOption(what: string): Option {
  const about = `${what}, such as 2026-11-20T18:00Z; without Z or +hh:mm, your local time zone applies`;
  return new Option('--until <time>', about).argParser(moment).conflicts('for');
}

export function forOption(what: string): Option {
  return new Option('--for <time>', `${what}: 30m, 2h, 3d, 1w`).argParser(longSpan);
}

/** The given end, as RFC 3339. Rejects one in the past. */
export function endOf(command: SkoloCommand, { until, for: span }: EndOptions): string | undefined {
  const now = command.io.now();
  const end = span === undefined ? until : new Date(now + span);
  if (end !== undefined && end.getTime() <= now) command.error('--until: the time is in the past');
  return end?.toISOString();
}

const timeSyntax = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?$/;

/** A day and a time. */
export function moment(text: string): Date {
  const found = new Date(text);
  if (timeSyntax.test(text) && !Number.isNaN(found.getTime())) return found;
  throw new InvalidArgumentError('expected a date and time, such as 2026-11-20T18:00Z');
}

/** Collects all values of a repeatable option. */
export function several(text: string, previous: readonly string[] | undefined): string[] {
  return [...(previous ?? []), text];
}

/** `--dns`, which is repeatable. */
export function dnsOption(about: string): Option {
  const parse = (text: string, previous: string[] | undefined) => several(ipv4(text), previous);
  return new Option('--dns <address...>', about).argParser(parse);
}

/** An IPv4 address. */
export function ipv4(text: string): string {
  if (isIPv4(text)) return text;
  throw new InvalidArgumentError(
    'expected an IPv4 address without a port or prefix length, such as 192.168.1.8',
  );
}
