/**
 * The history in git, below the state directory: opened at start or as soon as the disk allows, checked at start and once a day,
 * repaired, or set aside. The store repairs what git can rebuild. It sets a broken history aside, never deletes it, and creates a new
 * one, so that the next backups can be stored. Before that, the contents of the previous one are recorded.
 */
import { open, readdir, rm, stat, statfs } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { DegradedCode } from '@skolo/api/probes';
import { Repository, repairHistory, replaceHistory, setAside } from '@skolo/backup';
import { errorCode, errorText } from '@skolo/base';
import { type Clock, degradedCode } from '@skolo/common';
import { BackupError } from '@skolo/equipment/models/configuration';
import type { Rack } from '@skolo/rack';
import type { PartDeps } from '../part-deps.ts';

interface StoreDeps extends Pick<PartDeps, 'log' | 'emit'> {
  rack: () => Pick<Rack, 'name'>;
  stateDir: string;
  clock: Pick<Clock, 'uptime'>;
  /** Aborted when the service stops. */
  signal: AbortSignal;
}

/** Knows what the history contained. */
interface HistoryGuard {
  /** Records it before a new history is created. */
  beforeNew: () => Promise<void>;
  /** Compares it with the opened history. */
  review: () => Promise<void>;
}

/** Seconds between two checks of the repository. */
const checkEvery = 24 * 3600;
const trouble = 'repository';
const aside = 'repository set aside';
/** Bytes that a write requires in addition to its content. */
const spare = 1 << 20;
/** Limits the doublings of the time between two attempts to write. */
const mostRejections = 8;

export class Store {
  private readonly deps: StoreDeps;
  private readonly folder: string;
  private guard: HistoryGuard | undefined;
  private opened: Repository | undefined;
  private why = 'it is being opened';
  private isAside = false;
  private maintaining: Promise<void> | undefined;
  private checking: Promise<void> | undefined;
  /** By uptime, in seconds. */
  private checkedAt = 0;
  private isReplacing = false;
  /** The disk rejected a write; it counts as writable once it accepts this many bytes. Undefined: it is writable. */
  private wanted: number | undefined;
  /** How often it counted as writable, but rejected the next write. */
  private rejections = 0;
  private looks = 0;

  constructor(deps: StoreDeps) {
    this.deps = deps;
    this.folder = join(deps.stateDir, 'repository');
  }

  /** Whether it is open, accepts writes, and passed the last check. */
  get isSound(): boolean {
    return this.opened !== undefined && this.wanted === undefined;
  }

  /** @throws BackupError It cannot be used now. */
  get repository(): Repository {
    if (this.opened === undefined) {
      throw new BackupError('storage', `the repository cannot be used: ${this.why}`);
    }
    return this.opened;
  }

  /** Versions of a device; undefined: the history cannot be used now. */
  async count(device: string): Promise<number | undefined> {
    return await this.opened?.count(device).catch(() => undefined);
  }

  /** Opens it and starts checking it. Fulfilled after the first attempt; `maintain` opens it later. */
  async start(guard: HistoryGuard): Promise<void> {
    this.guard = guard;
    await this.reportSetAside();
    await this.tryOpen();
    void this.check();
  }

  /** Nothing is opened or started any more once the signal is aborted. */
  async close(): Promise<void> {
    await this.maintaining;
    await this.checking;
    await this.opened?.close();
    this.opened = undefined;
  }

  /**
   * A write failed: the history is damaged or missing, or the disk rejects writes.
   *
   * @param size of the content that was to be written
   */
  async failed(error: unknown, size = 0): Promise<void> {
    if (this.opened === undefined) return;
    const isDamaged = error instanceof BackupError && error.code === 'damaged';
    if (isDamaged || (await this.isGone())) return await this.check();
    if (!(error instanceof BackupError) || error.code !== 'storage') return;
    if (this.wanted === undefined) this.rejections += 1;
    this.looks = 0;
    this.wanted = Math.max(this.wanted ?? 0, size + spare);
    this.report(errorText(error), trouble, degradedCode(error));
  }

  /** A write succeeded. */
  stored(): void {
    this.rejections = 0;
    if (this.wanted !== undefined) this.setWritable();
  }

  /**
   * Call this every few seconds: opens the history if it is closed, checks it once a day and when it is missing, and checks whether the
   * disk accepts writes again, and what was set aside. Never throws.
   */
  maintain(): Promise<void> {
    this.maintaining ??= this.maintainNow().finally(() => {
      this.maintaining = undefined;
    });
    return this.maintaining;
  }

  private async maintainNow(): Promise<void> {
    if (this.deps.signal.aborted) return;
    if (this.opened === undefined) {
      if (!this.isReplacing && this.checking === undefined) await this.reopen();
    } else if (await this.isGone()) await this.check();
    else if (this.deps.clock.uptime() - this.checkedAt >= checkEvery) void this.check();
    if (this.wanted !== undefined) await this.tryToWrite(this.wanted);
    if (this.isAside) await this.reportSetAside();
  }

  /**
   * Replaces the history with another one.
   *
   * @param prepare creates it, and returns its directory; nothing can be stored meanwhile
   * @throws BackupError, and what `prepare` throws: the history is unchanged
   */
  async replace(prepare: (present: Repository) => Promise<string>): Promise<void> {
    const present = this.repository;
    this.isReplacing = true;
    this.opened = undefined;
    this.why = 'the previous versions are being restored; try again in a moment';
    try {
      const folder = await prepare(present);
      await present.close();
      await replaceHistory(this.folder, folder);
    } finally {
      await present.close();
      await this.tryOpen();
      this.isReplacing = false;
    }
    this.deps.emit({ type: 'history-writable' });
  }

  private async tryOpen(): Promise<void> {
    try {
      await this.use(await this.openOrBegin());
    } catch (error) {
      if (error instanceof BackupError && error.code === 'damaged') {
        await this.recover(error.message);
      } else this.isDown(errorText(error), error);
    }
  }

  private async use(repository: Repository): Promise<void> {
    this.opened = repository;
    this.setWritable();
    await this.guard?.review();
  }

  private async openOrBegin(): Promise<Repository> {
    const rack = this.deps.rack().name;
    try {
      return await Repository.open(this.folder, { rack, mayBegin: false });
    } catch (error) {
      if (!(error instanceof BackupError) || error.code !== 'not-found') throw error;
      await this.guard?.beforeNew();
      return await Repository.open(this.folder, { rack });
    }
  }

  /** Repairs what git can rebuild; otherwise sets the history aside. */
  private async recover(wrong: string): Promise<void> {
    const { log, rack, signal } = this.deps;
    await this.opened?.close();
    this.opened = undefined;
    this.why = 'it is being repaired';
    try {
      const repaired = await repairHistory(this.folder);
      if (repaired.length > 0) {
        const repository = await Repository.open(this.folder, {
          rack: rack().name,
          mayBegin: false,
        });
        const stillWrong = await repository.check(signal);
        if (stillWrong === undefined) {
          log.warn({ wrong, repaired }, 'repository was damaged and has been repaired');
          return await this.use(repository);
        }
        await repository.close();
      }
    } catch (error) {
      // Only damage sets a history aside: what could not be looked at now, is opened and checked later.
      if (!(error instanceof BackupError) || error.code !== 'damaged') {
        this.checkedAt = Number.NEGATIVE_INFINITY;
        return this.isDown(errorText(error), error);
      }
    }
    await this.startOver(wrong);
  }

  /** One check at a time: a second one that finds the same damage would set aside the history that the first has created. */
  private check(): Promise<void> {
    this.checking ??= this.checkNow().finally(() => {
      this.checking = undefined;
    });
    return this.checking;
  }

  private async checkNow(): Promise<void> {
    const { signal, log, clock } = this.deps;
    const { opened } = this;
    if (opened === undefined) return;
    this.checkedAt = clock.uptime();
    try {
      if (await this.isGone()) {
        log.error({ folder: this.folder }, 'repository has disappeared');
        await opened.close();
        this.opened = undefined;
        return await this.reopen();
      }
      const wrong = await opened.check(signal);
      if (wrong !== undefined) return await this.recover(wrong);
      await opened.maintain(signal);
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, 'repository could not be checked');
    }
  }

  /** An operator moved it away, or its disk is no longer mounted. */
  private async isGone(): Promise<boolean> {
    return await stat(join(this.folder, 'HEAD')).then(
      () => false,
      (error: unknown) => errorCode(error) === 'ENOENT',
    );
  }

  private async reopen(): Promise<void> {
    await this.tryOpen();
    if (this.opened !== undefined) this.deps.emit({ type: 'history-writable' });
  }

  private async startOver(wrong: string): Promise<void> {
    const { log, emit } = this.deps;
    try {
      const where = await setAside(this.folder);
      log.error(
        { wrong, where },
        'repository is broken; it was set aside, and a new one was created',
      );
      await this.use(await this.openOrBegin());
      emit({ type: 'history-writable' });
    } catch (error) {
      this.isDown(`${wrong}; a new repository cannot be created: ${errorText(error)}`, error);
    }
    await this.reportSetAside();
  }

  private isDown(why: string, error: unknown): void {
    this.why = why;
    this.report(why, trouble, degradedCode(error));
  }

  /** After each write that failed although there seemed to be room, the pause before the next attempt doubles. */
  private async tryToWrite(size: number): Promise<void> {
    this.looks += 1;
    if (this.looks < 2 ** Math.min(this.rejections - 1, mostRejections)) return;
    this.looks = 0;
    // git removes files with this name that a killed process left.
    const file = join(this.folder, 'tmp_obj_room');
    try {
      const { bavail, bsize } = await statfs(this.folder);
      if (bavail * bsize < size) return;
      await writeZeros(file, size);
      this.setWritable();
      this.deps.emit({ type: 'history-writable' });
    } catch {
      // The disk still rejects writes.
    } finally {
      await rm(file, { force: true }).catch(() => undefined);
    }
  }

  private setWritable(): void {
    this.wanted = undefined;
    this.report(undefined);
  }

  private report(why: string | undefined, name = trouble, code?: DegradedCode): void {
    this.deps.emit({ type: 'degraded', what: name, why, code });
  }

  /** Reported for as long as it exists: an operator must save what can be saved. */
  private async reportSetAside(): Promise<void> {
    const { stateDir } = this.deps;
    const names = await readdir(stateDir).catch(() => undefined);
    if (names === undefined) return;
    const broken = names
      .filter((name) => name.startsWith(`${basename(this.folder)}.broken-`))
      .sort();
    this.isAside = broken.length > 0;
    if (!this.isAside) return this.report(undefined, aside);
    const what =
      'a broken history was set aside, and newer backups are in a new history; save what you need from the broken one, then move it elsewhere:';
    this.report(`${what} ${broken.map((name) => join(stateDir, name)).join(', ')}`, aside);
  }
}

async function writeZeros(file: string, size: number): Promise<void> {
  await using handle = await open(file, 'w', 0o600);
  for (let left = size; left > 0; left -= spare) {
    await handle.write(Buffer.alloc(Math.min(left, spare)));
  }
  await handle.sync();
}
