/** Opens the journal in the state directory, now or when the disk works again. */
import { join } from 'node:path';
import { Journal, StorageUnavailable } from '@skolo/durable';
import { errorText } from '@skolo/errors';
import type { Logger } from './log.ts';
import { pause } from './pause.ts';

export interface OpenJournalDeps {
  stateDir: string;
  log: Logger;
  /** Reads the records. If it throws, the journal is not open. */
  load(journal: Journal): void;
  onTrouble(why: string): void;
  /** The journal was damaged: lost and recovered records, and the place of the damaged files. */
  onDamage(what: string): void;
  /** Pause between two attempts. */
  retryMs: number;
  signal: AbortSignal;
}

export function isStorageUnavailable(error: unknown): error is StorageUnavailable {
  return error instanceof StorageUnavailable;
}

/** Tries once. Undefined on failure, after `onTrouble`. */
export async function tryOpenJournal(deps: OpenJournalDeps): Promise<Journal | undefined> {
  let journal: Journal | undefined;
  try {
    journal = await Journal.open(join(deps.stateDir, 'journal'));
    if (journal.recovered !== undefined) {
      deps.log.error({ recovered: journal.recovered }, 'journal was damaged');
      deps.onDamage(journal.recovered);
    }
    deps.load(journal);
    return journal;
  } catch (error) {
    await journal?.close();
    deps.onTrouble(errorText(error));
    return undefined;
  }
}

/** Retries until it is open. Undefined if the service stops first. */
export async function openJournal(deps: OpenJournalDeps): Promise<Journal | undefined> {
  while (!deps.signal.aborted) {
    await pause(deps.retryMs, deps.signal).catch(() => undefined);
    if (deps.signal.aborted) return undefined;
    const journal = await tryOpenJournal(deps);
    if (journal !== undefined) return journal;
  }
  return undefined;
}
