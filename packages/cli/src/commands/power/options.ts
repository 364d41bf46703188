/** What several verbs of `skolo power` take. */
import { InvalidArgumentError } from 'commander';

export const targetsHelp =
  "machines, phones (rpi-001-device), devices, outlets (pdu-1/4); ranges in quotes: 'rpi-[001-040]'";

export const ignoreLimitsHelp =
  'cut the power also before cooldownSeconds and maxPerHour of rack.yaml allow it; they protect the relay';

/** As the service takes it. */
export function offSeconds(text: string): number {
  const seconds = text.trim() === '' ? Number.NaN : Number(text);
  if (seconds >= 0.5 && seconds <= 3600) return seconds;
  throw new InvalidArgumentError('Give seconds, from 0.5 to 3600.');
}
