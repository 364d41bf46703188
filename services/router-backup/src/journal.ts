/** The journal in the state directory, opened at start or as soon as the disk allows. Tables are readable before that. */
import { type Logger, openJournal, tryOpenJournal } from '@skolo/common';
import type { Journal, TablesDeps } from '@skolo/durable';
import { errorText } from '@skolo/errors';
import type { EmitBackup } from './events.ts';

export interface StateJournalDeps {
  stateDir: string;
  log: Logger;
  emit: EmitBackup;
  /** Pause between two attempts to open it. */
  retryMs: number;
  signal: AbortSignal;
}

export interface StateJournal {
  /** For the tables in it. */
  tables: TablesDeps;
  isOpen(): boolean;
  /** Tries once. @param load reads it, and returns the number of records that cannot be understood */
  open(load: (journal: Journal) => number): Promise<void>;
  /** Runs `work` once it is open: now, or in the background. */
  whenOpen(work: () => Promise<void>): Promise<void>;
  /** @param last runs before it is closed */
  close(last: () => Promise<void>): Promise<void>;
}

export function stateJournal({ emit, ...deps }: StateJournalDeps): StateJournal {
  const { log } = deps;
  let journal: Journal | undefined;
  let load: (journal: Journal) => number = () => 0;
  let working: Promise<void> = Promise.resolve();
  const onTrouble = (why: string) => emit({ type: 'degraded', what: 'journal', why });
  const options = {
    ...deps,
    onTrouble,
    onDamage(what: string) {
      // Until the next start: only an operator knows whether the lost records matter.
      const why = `${what}; compare skolo backup status with the devices that you expect`;
      emit({ type: 'degraded', what: 'journal damaged', why });
    },
    load(opened: Journal) {
      const unreadable = load(opened);
      if (unreadable > 0)
        log.error({ unreadable }, 'journal has records that cannot be understood');
    },
  };
  return {
    tables: {
      journal: () => journal,
      onTrouble: (error) => onTrouble(errorText(error)),
      onWell: () => emit({ type: 'degraded', what: 'journal' }),
    },
    isOpen: () => journal !== undefined,
    async open(loading) {
      load = loading;
      journal = await tryOpenJournal(options);
    },
    async whenOpen(work) {
      async function openLater() {
        journal = await openJournal(options);
        if (journal !== undefined) await work();
      }
      if (journal === undefined) working = openLater();
      else await work();
    },
    async close(last) {
      await working;
      await last();
      await journal?.close();
    },
  };
}
