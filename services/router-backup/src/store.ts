/**
 * The history in git, below the state directory: opened now or as soon as the disk is well, checked at start and once
 * a day. What git can repair is repaired. A broken one is set aside, never deleted, and a new one begun, so that the next
 * backups have a place. A new one never begins before it is recorded what the former one had.
 */
import { open, readdir, rm, stat, statfs } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Repository, repairHistory, replaceHistory, setAside } from '@skolo/backup';
import { type DegradedList, errorText, type Logger, pause } from '@skolo/common';
import { BackupError } from '@skolo/models/configuration';

export interface StoreDeps {
  stateDir: string;
  rack: string;
  log: Logger;
  degraded: Pick<DegradedList, 'raise' | 'clear'>;
  /** Pause between two attempts to open it. */
  retryMs: number;
  checkEveryMs: number;
  signal: AbortSignal;
  /** A new history is about to begin: records what the former one had. @throws It cannot be recorded; none may begin. */
  beforeNew(): Promise<void>;
  /** It was opened: compares it with what is known of it. */
  onOpened(): Promise<void>;
  /** It can be written again, or a new one was begun: what is not in it wants to be there. */
  onWell(): void;
}

const trouble = 'repository';
const aside = 'repository set aside';
/** Room on the disk that a write needs besides its content. */
const spare = 1 << 20;
/** So many looks pass between two attempts to write at most. */
const mostRefusals = 8;

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
  /** The disk did not take a write; so many bytes are to be written before it is believed again. Undefined: it takes them. */
  private wanted: number | undefined;
  /** Times that it was believed again, and refused the next write. */
  private refusals = 0;
  private looks = 0;

  constructor(deps: StoreDeps) {
    this.deps = deps;
    this.folder = join(deps.stateDir, 'repository');
  }

  /** Whether it is open, takes writes, and was sound when it was last checked. */
  get isSound(): boolean {
    return this.opened !== undefined && this.wanted === undefined;
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

  /**
   * A write failed: the history is damaged, or gone, or the disk does not take it.
   *
   * @param size of what was to be written
   */
  async failed(error: unknown, size = 0): Promise<void> {
    if (this.opened === undefined) return;
    const isDamaged = error instanceof BackupError && error.code === 'damaged';
    if (isDamaged || (await this.isGone())) return await this.check();
    if (!(error instanceof BackupError) || error.code !== 'storage') return;
    if (this.wanted === undefined) this.refusals += 1;
    this.looks = 0;
    this.wanted = Math.max(this.wanted ?? 0, size + spare);
    this.deps.degraded.raise(trouble, errorText(error));
  }

  /** A write succeeded. */
  stored(): void {
    this.refusals = 0;
    if (this.wanted !== undefined) this.believe();
  }

  /** Looks whether it is still there, whether the disk takes writes again, and what was set aside. Never throws. */
  async look(): Promise<void> {
    if (this.opened !== undefined && (await this.isGone())) await this.check();
    if (this.wanted !== undefined) await this.tryToWrite(this.wanted);
    // Whoever took away what was set aside wants to see that this was seen.
    if (this.isAside) await this.showSetAside();
  }

  /**
   * Puts another history in its place.
   *
   * @param prepare makes it in the folder that it gives, from what there is now, which nobody can write meanwhile
   * @throws BackupError, and what `prepare` throws: the history is what it was
   */
  async replace(prepare: (present: Repository) => Promise<string>): Promise<void> {
    const present = this.repository;
    this.opened = undefined;
    this.why = 'its former versions are being restored; ask again in a moment';
    try {
      const folder = await prepare(present);
      await present.close();
      await replaceHistory(this.folder, folder);
    } finally {
      await present.close();
      await this.tryOpen();
    }
    this.deps.onWell();
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
      if (this.opened !== undefined) this.deps.onWell();
    }
  }

  private async tryOpen(): Promise<void> {
    const { rack, degraded } = this.deps;
    try {
      this.opened = await this.openOrBegin(rack);
      this.wanted = undefined;
      degraded.clear(trouble);
      await this.deps.onOpened();
    } catch (error) {
      if (error instanceof BackupError && error.code === 'damaged')
        await this.recover(error.message);
      else this.isDown(errorText(error));
    }
  }

  private async openOrBegin(rack: string): Promise<Repository> {
    try {
      return await Repository.open(this.folder, { rack, mayBegin: false });
    } catch (error) {
      if (!(error instanceof BackupError) || error.code !== 'not-found') throw error;
      await this.deps.beforeNew();
      return await Repository.open(this.folder, { rack });
    }
  }

  /** Repairs what git can repair; else sets it aside. */
  private async recover(wrong: string): Promise<void> {
    const { log, rack, signal, degraded, onOpened } = this.deps;
    await this.opened?.close();
    this.opened = undefined;
    this.why = 'it is being repaired';
    const repaired = await repairHistory(this.folder);
    if (repaired.length > 0) {
      const repository = await Repository.open(this.folder, { rack, mayBegin: false }).catch(
        () => undefined,
      );
      const isSound = (await repository?.check(signal).catch(() => 'unknown')) === undefined;
      if (repository !== undefined && isSound) {
        log.warn({ wrong, repaired }, 'repository was damaged; it was repaired');
        this.opened = repository;
        this.wanted = undefined;
        degraded.clear(trouble);
        await onOpened();
        return;
      }
      await repository?.close();
    }
    await this.beginAnew(wrong);
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
      if (wrong !== undefined) return await this.recover(wrong);
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
    if (this.opened !== undefined) onWell();
  }

  private async rest(ms: number): Promise<void> {
    this.waking = new AbortController();
    const { signal } = this.waking;
    await pause(ms, AbortSignal.any([this.deps.signal, signal])).catch(() => undefined);
    this.waking.abort();
  }

  private async beginAnew(wrong: string): Promise<void> {
    const { log, rack, degraded, onWell, onOpened } = this.deps;
    try {
      const where = await setAside(this.folder);
      log.error({ wrong, where }, 'repository is broken; it was set aside, and a new one begun');
      this.opened = await this.openOrBegin(rack);
      this.wanted = undefined;
      degraded.clear(trouble);
      await onOpened();
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

  /** The longer it refuses what it seemed to take, the more seldom it is believed. */
  private async tryToWrite(size: number): Promise<void> {
    this.looks += 1;
    if (this.looks < 2 ** Math.min(this.refusals - 1, mostRefusals)) return;
    this.looks = 0;
    // Where git looks for what one that was killed has left.
    const file = join(this.folder, 'tmp_obj_room');
    try {
      const { bavail, bsize } = await statfs(this.folder);
      if (bavail * bsize < size) return;
      await writeZeros(file, size);
      this.believe();
      this.deps.onWell();
    } catch {
      // It still refuses.
    } finally {
      await rm(file, { force: true }).catch(() => undefined);
    }
  }

  private believe(): void {
    this.wanted = undefined;
    this.deps.degraded.clear(trouble);
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

async function writeZeros(file: string, size: number): Promise<void> {
  const handle = await open(file, 'w', 0o600);
  try {
    for (let left = size; left > 0; left -= spare) {
      await handle.write(Buffer.alloc(Math.min(left, spare)));
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
}
