/**
 * Decides how much memory a record of the spool or the snapshot may take, so that none ends the process that reads it. Larger ones become
 * dead letters.
 */
import { needsMoreThan } from '@skolo/base';

/** In bytes. Each text that a sink accepts takes less, unless it consists of small objects. */
export const mostRecordMemory = 32 * 2 ** 20;
/** After two deaths of the process while it read the spool: any usual alert takes less. */
export const leastRecordMemory = 2 ** 18;

/** Returns why the record cannot be read, or undefined if it can. */
export function whyTooLarge(text: string, most: number): string | undefined {
  if (!needsMoreThan(text, most)) return undefined;
  return `requires more than ${most / 1024} KiB of memory, because it consists of many small parts or is long`;
}
