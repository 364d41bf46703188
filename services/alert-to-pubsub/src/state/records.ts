/** Decides how much memory an alert, and so a record of the spool or the snapshot, may take: many of them wait for several sinks at once. */
import { jsonShare, measureJson, mostPerByte } from '@skolo/base';
import { mostKnownMemory } from './known-alerts.ts';

/** What the sender of an alert chooses, in bytes: many times as much as the longest text that a receiver shows. */
export const mostAlertMemory = 2 ** 20;

/** A record that is read, in bytes: earlier versions wrote larger alerts, which are shortened then. */
export const mostRecordMemory = jsonShare / 2;

/** How much memory what is read may take when the spool is opened, in bytes. */
export interface ReadLimits {
  /** A record that some sink has not received. What is larger becomes a dead letter. */
  waiting: number;
  /** All known alerts together. Others are only delivered. */
  known: number;
}

export const usualLimits: ReadLimits = { waiting: mostRecordMemory, known: 1.1 * mostKnownMemory };
/** After two deaths of the process while it read the spool: any usual alert takes less. */
export const carefulLimits: ReadLimits = { waiting: 2 ** 19, known: mostKnownMemory / 4 };

/** Returns why a JSON text cannot be kept, or undefined if it can. */
export function whyTooLarge(text: string, most: number): string | undefined {
  const isSmall = text.length * mostPerByte <= most;
  if (isSmall || measureJson(Buffer.from(text)).value <= most) return undefined;
  return `requires more than ${most / 1024} KiB of memory, because it is long or consists of many small parts`;
}
