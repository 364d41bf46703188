/** What several verbs of `skolo power` take. */
import { InvalidArgumentError } from 'commander';

export const targetsHelp =
  "machines, phones (rpi-001-device), devices, outlets (pdu-1/4); ranges in quotes: 'rpi-[001-040]'";

/** As the service takes it. */
export function offSeconds(text: string): number {
  const seconds = text.trim() === '' ? Number.NaN : Number(text);
  if (seconds >= 0.5 && seconds <= 3600) return seconds;
  throw new InvalidArgumentError('Give seconds, from 0.5 to 3600.');
}

export function limit(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= 1000) return number;
  throw new InvalidArgumentError('Give a whole number from 1 to 1000.');
}
