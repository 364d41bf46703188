/** The journal in the state directory, opened now or as soon as the disk is well. */
import { join } from 'node:path';
import { Journal, StorageUnavailable } from '@skolo/durable';
import { errorText } from '@skolo/errors';
import type { Logger } from './log.ts';
import { pause } from './pause.ts';

export interface OpenJournalDeps {
  stateDir: string;
  log: Logger;
  /** Reads what it has: one that cannot be read is not open. */
  load(journal: Journal): void;
  onTrouble(why: string): void;
  /** It was not whole. For people: what was lost, what was saved, where the damaged files are. */
  onDamage(what: string): void;
  /** Pause between two attempts. */
  retryMs: number;
  signal: AbortSignal;
}

export function isStorageUnavailable(error: unknown): error is StorageUnavailable {
  return error instanceof StorageUnavailable;
}

/** Tries once. Undefined, after telling why, when it cannot be had. */
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

/** Tries until it is open. Undefined when the service stops first. */
export async function openJournal(deps: OpenJournalDeps): Promise<Journal | undefined> {
  while (!deps.signal.aborted) {
    await pause(deps.retryMs, deps.signal).catch(() => undefined);
    if (deps.signal.aborted) return undefined;
    const journal = await tryOpenJournal(deps);
    if (journal !== undefined) return journal;
  }
  return undefined;
}
