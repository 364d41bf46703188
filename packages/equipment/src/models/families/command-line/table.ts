/** Tables printed by command lines, read row by row: a row is only used for exactly the requested port. */
import { DeviceRejected } from '@skolo/equipment/transports';

/** The words of the first row whose first word is `first`. */
export function findRow(text: string, first: string): string[] | undefined {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.find((line) => line.split(/\s/, 1)[0] === first)?.split(/\s+/);
}

/** @throws DeviceRejected There is no such row. */
export function rowOf(device: string, text: string, first: string, command: string): string[] {
  const row = findRow(text, first);
  if (row !== undefined) return row;
  const what = `the output of ${JSON.stringify(command)} has no line for ${first}`;
  throw new DeviceRejected(device, what);
}

/** Undefined if it is not a number. */
export function numberIn(word: string | undefined): number | undefined {
  return word !== undefined && /^\d+(?:\.\d+)?$/.test(word) ? Number(word) : undefined;
}
