/**
 * Decides how much memory a message, and so a record of the spool or the snapshot, may take: many of them wait for several sinks at once.
 * Larger ones become dead letters.
 */
import { measureJson, mostPerByte } from '@skolo/base';

/** In bytes: half of what each sink reads ahead, and a hundred times as much as the longest text that a receiver shows. */
export const mostRecordMemory = 4 * 2 ** 20;
/** After two deaths of the process while it read the spool: any usual alert takes less. */
export const leastRecordMemory = 2 ** 19;

/** Returns why the record cannot be read, or undefined if it can. */
export function whyTooLarge(text: string, most: number): string | undefined {
  const isSmall = text.length * mostPerByte <= most;
  if (isSmall || measureJson(Buffer.from(text)).value <= most) return undefined;
  return `requires more than ${most / 1024} KiB of memory, because it is long or consists of many small parts`;
}
