/** Parsers of arguments and options. */
import { InvalidArgumentError, Option } from 'commander';

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
  return new Option('--limit <n>', 'number of entries, the newest')
    .argParser(upTo(most))
    .default(20);
}

const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/**
 * `90m`, `1.5h`, `90d`, `52w` in milliseconds; undefined for zero and other text.
 *
 * @param units allowed ones
 */
export function spanMs(text: string, units: string): number | undefined {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([smhdw])$/.exec(text) ?? [];
  if (!units.includes(unit) || !isUnit(unit)) return undefined;
  return Number(number) * unitMs[unit] || undefined;
}

function isUnit(text: string): text is keyof typeof unitMs {
  return Object.hasOwn(unitMs, text);
}

/** `90s`, `5m`, `2h` in milliseconds. */
export function shortSpan(text: string): number {
  const ms = spanMs(text, 'smhd');
  if (ms !== undefined) return ms;
  throw new InvalidArgumentError('expected a number and s, m, h or d, such as 90s');
}

/** An option with a time, which may be `0s` if that is the default. */
export function timeOption(flags: string, description: string, usual: string): Option {
  const parse = (text: string) => (usual === '0s' && /^0s?$/.test(text) ? 0 : shortSpan(text));
  return new Option(flags, description).argParser(parse).default(parse(usual), usual);
}
