/** Times on the command line of `skolo alerts`, which often are seconds. */
import { InvalidArgumentError } from 'commander';
import { spanMs } from '../../span.ts';

/** `90s`, `5m`, `2h` in milliseconds. */
export function shortSpan(text: string): number {
  const ms = spanMs(text, 'smhd');
  if (ms !== undefined) return ms;
  throw new InvalidArgumentError('Give a number and s, m, h or d, such as 90s.');
}

/** The same, and `0s`. */
export function shortSpanOrNone(text: string): number {
  return /^0s?$/.test(text) ? 0 : shortSpan(text);
}
