/** Decides how much memory what is read may take when the spool is opened. */
import { jsonShare } from '@skolo/base';
import { mostKnownMemory } from './known-alerts.ts';

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
