/**
 * Decides how much memory an alert, and so a record of the spool or the snapshot, may take: many of them wait for several sinks at once.
 * What is larger becomes a dead letter.
 */
import { measureJson, mostPerByte } from '@skolo/base';

/** What the sender of an alert chooses, in bytes: many times as much as the longest text that a receiver shows. */
export const mostAlertMemory = 2 ** 20;
/** With the other fields of a record. */
export const mostRecordMemory = mostAlertMemory + 2 ** 14;
/** After two deaths of the process while it read the spool: any usual alert takes less. */
export const leastRecordMemory = 2 ** 19;

/** Returns why a JSON text cannot be kept, or undefined if it can. */
export function whyTooLarge(text: string, most: number): string | undefined {
  const isSmall = text.length * mostPerByte <= most;
  if (isSmall || measureJson(Buffer.from(text)).value <= most) return undefined;
  return `requires more than ${most / 1024} KiB of memory, because it is long or consists of many small parts`;
}
