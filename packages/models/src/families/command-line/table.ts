/** Tables that command lines print, read one row at a time: a row is taken only for exactly the port that was asked for. */
import { DeviceRejected } from '@skolo/equipment';

/** The words of the row whose first word is `first`; the first one, where there are more. */
export function findRow(text: string, first: string): string[] | undefined {
  const rows = text.split('\n').map((line) => line.trim().split(/\s+/));
  return rows.find(([word]) => word === first);
}

/** @throws DeviceRejected There is no such row. */
export function rowOf(device: string, text: string, first: string, command: string): string[] {
  const row = findRow(text, first);
  if (row !== undefined) return row;
  const what = `its output for ${JSON.stringify(command)} has no line for ${first}`;
  throw new DeviceRejected(device, what);
}

/** @throws DeviceRejected It is no number. */
export function numberOf(device: string, word: string | undefined, what: string): number {
  if (word !== undefined && /^\d+(?:\.\d+)?$/.test(word)) return Number(word);
  throw new DeviceRejected(
    device,
    `${what} is ${JSON.stringify(word ?? '')}, which is not a number`,
  );
}
