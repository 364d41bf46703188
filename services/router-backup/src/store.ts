/**
 * The history in git, below the state directory: opened now or as soon as the disk is well, checked at start and once
 * a day. A broken one is set aside, never deleted, and a new one begun, so that the next backups have a place.
 */
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { BackupError, Repository, setAside } from '@skolo/backup';
import { type DegradedList, errorText, type Logger, pause } from '@skolo/common';

export interface StoreDeps {
  stateDir: string;
  rack: string;
  log: Logger;
  degraded: Pick<DegradedList, 'raise' | 'clear'>;
  /** Pause between two attempts to open it. */
  retryMs: number;
  checkEveryMs: number;
  signal: AbortSignal;
  /** It can be written again, or a new one was begun: what is not in it wants to be there. */
  onWell(): void;
}

const trouble = 'repository';
const aside = 'repository set aside';

export class Store {
  private readonly deps: StoreDeps;
  private readonly folder: string;
  private opened: Repository | undefined;
  private why = 'it is being opened';
  private isAside = false;
  private looking: Promise<void> = Promise.resolve();
  private checking: Promise<void> | undefined;
  /** Ends the pause between two looks: it is no longer what it was when the pause began. */
  private waking = new AbortController();

  constructor(deps: StoreDeps) {
    this.deps = deps;
    this.folder = join(deps.stateDir, 'repository');
  }

  /** Whether it is open, and was sound when it was last checked. */
  get isSound(): boolean {
    return this.opened !== undefined;
  }

  /** @throws BackupError It cannot be had now. */
  get repository(): Repository {
    if (this.opened === undefined) {
      throw new BackupError('storage', `the repository cannot be used: ${this.why}`);
    }
    return this.opened;
  }

  /** Opens it, and keeps trying and checking beside what else goes on. Fulfilled after the first attempt. */
  async start(): Promise<void> {
    await this.showSetAside();
    await this.tryOpen();
    this.looking = this.lookAfter().catch((error: unknown) => {
      if (!this.deps.signal.aborted)
        this.deps.log.error({ err: error }, 'repository is not looked after');
    });
  }

  async close(): Promise<void> {
    await this.looking;
    await this.opened?.close();
    this.opened = undefined;
  }

  /** A device’s write failed in a way that lays it at the repository’s door. */
  async doubt(): Promise<void> {
    await this.check();
  }

  /** A device’s write failed: is the repository still where it was? */
  async miss(): Promise<void> {
    if (this.opened !== undefined && (await this.isGone())) await this.check();
  }

  private async lookAfter(): Promise<void> {
    const { signal, retryMs, checkEveryMs } = this.deps;
    if (this.opened !== undefined) await this.check();
    while (!signal.aborted) {
      const isOpen = this.opened !== undefined;
      await this.rest(isOpen ? checkEveryMs : retryMs);
      if (signal.aborted) return;
      if (this.opened !== undefined) {
        if (!isOpen) continue;
        await this.check();
        continue;
      }
      await this.tryOpen();
      if (this.isSound) this.deps.onWell();
    }
  }

  private async tryOpen(): Promise<void> {
    const { rack, degraded } = this.deps;
    try {
      this.opened = await Repository.open(this.folder, { rack });
      degraded.clear(trouble);
    } catch (error) {
      if (error instanceof BackupError && error.code === 'damaged')
        await this.beginAnew(error.message);
      else this.isDown(errorText(error));
    }
  }

  /** One look at a time, whoever wants one: two that find the same damage would set aside what the first has begun anew. */
  private check(): Promise<void> {
    this.checking ??= this.checkNow().finally(() => {
      this.checking = undefined;
    });
    return this.checking;
  }

  private async checkNow(): Promise<void> {
    const { signal, log } = this.deps;
    const { opened } = this;
    if (opened === undefined) return;
    try {
      if (await this.isGone()) return await this.reopen();
      const wrong = await opened.check(signal);
      if (wrong !== undefined) return await this.beginAnew(wrong);
      await opened.maintain(signal);
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, 'repository could not be checked');
    }
  }

  /** Somebody moved it away, or its disk is no longer mounted. */
  private async isGone(): Promise<boolean> {
    return await stat(join(this.folder, 'HEAD')).then(
      () => false,
      (error: unknown) => error instanceof Error && 'code' in error && error.code === 'ENOENT',
    );
  }

  private async reopen(): Promise<void> {
    const { log, onWell } = this.deps;
    log.error({ folder: this.folder }, 'repository has gone from its place');
    await this.opened?.close();
    this.opened = undefined;
    await this.tryOpen();
    if (this.isSound) onWell();
  }

  private async rest(ms: number): Promise<void> {
    this.waking = new AbortController();
    const stop = () => this.waking.abort();
    this.deps.signal.addEventListener('abort', stop);
    if (this.deps.signal.aborted) stop();
    await pause(ms, this.waking.signal).catch(() => undefined);
    this.deps.signal.removeEventListener('abort', stop);
  }

  private async beginAnew(wrong: string): Promise<void> {
    const { log, rack, degraded, onWell } = this.deps;
    await this.opened?.close();
    this.opened = undefined;
    try {
      const where = await setAside(this.folder);
      log.error({ wrong, where }, 'repository is broken; it was set aside, and a new one begun');
      this.opened = await Repository.open(this.folder, { rack });
      degraded.clear(trouble);
      onWell();
    } catch (error) {
      this.isDown(`${wrong}; and a new one cannot be begun: ${errorText(error)}`);
    }
    await this.showSetAside();
  }

  private isDown(why: string): void {
    this.why = why;
    this.deps.degraded.raise(trouble, why);
    this.waking.abort();
  }

  /** Whoever took away what was set aside wants to see that this was seen. */
  async lookAside(): Promise<void> {
    if (this.isAside) await this.showSetAside();
  }

  /** Said for as long as it lies there: somebody has to look what can be saved of it. */
  private async showSetAside(): Promise<void> {
    const { stateDir, degraded } = this.deps;
    const names = await readdir(stateDir).catch(() => undefined);
    if (names === undefined) return;
    const broken = names
      .filter((name) => name.startsWith(`${basename(this.folder)}.broken-`))
      .sort();
    this.isAside = broken.length > 0;
    if (!this.isAside) return degraded.clear(aside);
    const what =
      'a broken history was set aside, newer backups are in a new one; save what can be saved, then move it away:';
    degraded.raise(aside, `${what} ${broken.map((name) => join(stateDir, name)).join(', ')}`);
  }
}
