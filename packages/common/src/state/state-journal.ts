/** The journal in the state directory. Tables on it are readable before it is open, and while the disk does not work. */
import { join } from 'node:path';
import { errorText, pause } from '@skolo/base';
import { Journal, type TablesDeps } from '@skolo/base/durable';
import { type DegradedList, degradedCode } from '../health/degraded.ts';
import type { Logger } from '../process/log.ts';

export interface StateJournalDeps {
  stateDir: string;
  log: Logger;
  degraded: Pick<DegradedList, 'raise' | 'clear'>;
  /** Instructions after damage, because only an operator can judge whether the lost data matters. */
  afterDamage: string;
  /** Pause between two attempts to open it. */
  retryMs: number;
  signal: AbortSignal;
}

const name = 'journal';

export class StateJournal implements TablesDeps {
  private readonly deps: StateJournalDeps;
  private opened: Journal | undefined;
  trouble: unknown;
  private load: (journal: Journal) => number = () => 0;
  private working: Promise<void> = Promise.resolve();

  constructor(deps: StateJournalDeps) {
    this.deps = deps;
  }

  get isOpen(): boolean {
    return this.opened !== undefined;
  }

  journal(): Journal | undefined {
    return this.opened;
  }

  onTrouble(error: unknown): void {
    this.trouble = error;
    this.deps.degraded.raise(name, errorText(error), degradedCode(error));
  }

  onWell(): void {
    this.deps.degraded.clear(name);
  }

  /**
   * Tries once to open it.
   *
   * @param load reads it, and returns the number of records that cannot be understood; if it throws, the journal is not open
   */
  async open(load: (journal: Journal) => number): Promise<void> {
    this.load = load;
    await this.tryOpen();
  }

  /** Runs `work` once it is open: either now, or in the background, where opening is retried. */
  async whenOpen(work: () => Promise<void>): Promise<void> {
    if (this.isOpen) await work();
    else this.working = this.keepTrying(work);
  }

  /** @param last runs before it is closed */
  async close(last: () => Promise<void>): Promise<void> {
    await this.working;
    await last();
    await this.opened?.close();
  }

  private async keepTrying(work: () => Promise<void>): Promise<void> {
    const { retryMs, signal } = this.deps;
    while (!this.isOpen) {
      await pause(retryMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      await this.tryOpen();
    }
    await work();
  }

  private async tryOpen(): Promise<void> {
    const { stateDir, log, degraded, afterDamage } = this.deps;
    let journal: Journal | undefined;
    try {
      journal = await Journal.open(join(stateDir, name));
      if (journal.recovered !== undefined) {
        log.error({ recovered: journal.recovered }, 'journal was damaged');
        // Until the next start.
        degraded.raise('journal damaged', `${journal.recovered}; ${afterDamage}`);
      }
      const unreadable = this.load(journal);
      if (unreadable > 0) log.error({ unreadable }, 'journal contains unreadable records');
      this.opened = journal;
    } catch (error) {
      await journal?.close();
      this.onTrouble(error);
    }
  }
}
