/**
 * Versions that the journal knows and the history no longer has: the repository was deleted, replaced by an older copy, or
 * set aside. They are recorded before a new history begins, and stay recorded until they are restored, or until an
 * operator accepts the loss.
 */

import type { Version } from '@skolo/backup';
import { type Clock, type DegradedList, errorText, type Logger } from '@skolo/common';
import { BackupError } from '@skolo/models/configuration';
import type { DeviceRecord, KnownVersion, LostRecord } from './records.ts';
import type { State } from './state.ts';
import { jumphostModel } from './targets.ts';
import type { Versions } from './versions.ts';

const trouble = 'history lost';
/** Devices that a message names. */
const mostNamed = 5;

export interface LostHistoryDeps {
  state: State;
  versions: Pick<Versions, 'list' | 'newest'>;
  /** Whether the journal is read. */
  isKnown(): boolean;
  /** Versions of a device that wait for every place off site. */
  unsent(device: string): KnownVersion[];
  degraded: Pick<DegradedList, 'raise' | 'clear'>;
  clock: Clock;
  log: Logger;
}

export class LostHistory {
  private readonly deps: LostHistoryDeps;

  constructor(deps: LostHistoryDeps) {
    this.deps = deps;
  }

  /** By name of device. */
  list(): LostRecord[] {
    const lost = [...this.deps.state.lost.all.values()];
    return lost.sort((a, b) => (a.device < b.device ? -1 : 1));
  }

  /**
   * The history is not there, and a new one is about to begin.
   *
   * @throws BackupError `storage`: it cannot be recorded what it had
   */
  async beforeNew(): Promise<void> {
    const { state, isKnown } = this.deps;
    if (!isKnown()) {
      throw new BackupError(
        'storage',
        'there is no repository, and the journal that knows whether there was one is not open yet',
      );
    }
    const inHistory = [...state.devices.all.values()].filter(
      ({ model, lastSuccess }) => model !== jumphostModel && lastSuccess !== undefined,
    );
    await this.record(inHistory);
    this.show();
  }

  /** Compares the history with what the journal knows of it. Never throws. */
  async review(): Promise<void> {
    const { state, isKnown, log } = this.deps;
    if (!isKnown()) return;
    try {
      const missing: DeviceRecord[] = [];
      for (const record of state.devices.all.values()) {
        if (await this.isMissing(record)) missing.push(record);
      }
      await this.record(missing);
      const found: string[] = [];
      for (const record of this.list()) if (await this.isBack(record)) found.push(record.device);
      if (found.length > 0) await state.write(found.map((device) => state.lost.remove(device)));
    } catch (error) {
      log.warn({ why: errorText(error) }, 'history is not compared with the journal');
    }
    this.show();
  }

  /**
   * A copy was put into the history. What it had is not lost any more.
   *
   * @param copy versions of a device in it; empty: it has none
   * @returns what is still lost
   */
  async restored(copy: ReadonlyMap<string, readonly Version[]>): Promise<LostRecord[]> {
    const { state } = this.deps;
    const changes = this.list().map((record) => {
      const has = copy.get(record.device) ?? [];
      const { newest, unsent, ...rest } = record;
      const left = unsent.filter((version) => !has.some((each) => isSame(each, version)));
      const isBack = newest === undefined ? has.length > 0 : has.some((v) => isSame(v, newest));
      if (isBack && left.length === 0) return state.lost.remove(record.device);
      return state.lost.put({ ...rest, ...(newest && { newest }), unsent: left });
    });
    await state.write(changes);
    this.show();
    return this.list();
  }

  /** An operator gives up what is lost. @throws StorageUnavailable, JournalDown */
  async accept(): Promise<LostRecord[]> {
    const { state, log } = this.deps;
    const lost = this.list();
    await state.write(lost.map(({ device }) => state.lost.remove(device)));
    log.warn({ devices: lost.map(({ device }) => device) }, 'loss of history accepted');
    this.show();
    return lost;
  }

  /** Those that are not recorded yet. */
  private async record(devices: readonly DeviceRecord[]): Promise<void> {
    const { state, unsent, clock, log } = this.deps;
    const since = new Date(clock.now()).toISOString();
    const lost = devices
      .filter(({ name, newest }) => !this.isRecorded(name, newest))
      .map(({ name: device, newest, versions }): LostRecord => {
        const known = { ...(newest && { newest }), ...(versions !== undefined && { versions }) };
        const now = { device, since, ...known, unsent: unsent(device) };
        const before = state.lost.get(device);
        return before === undefined ? now : together(before, now);
      });
    if (lost.length === 0) return;
    try {
      await state.write(lost.map((record) => state.lost.put(record)));
    } catch (error) {
      const what = `${lost.length} devices have lost their history, which cannot be recorded`;
      throw new BackupError('storage', `${what}: ${errorText(error)}`, { cause: error });
    }
    log.error({ devices: lost.map(({ device }) => device) }, 'history lost');
  }

  private isRecorded(device: string, newest: KnownVersion | undefined): boolean {
    const known = this.deps.state.lost.get(device);
    return known !== undefined && (newest === undefined || known.newest?.id === newest.id);
  }

  /** Its newest version was in the history, and is in it no more. */
  private async isMissing({ name, model, newest, lastSuccess }: DeviceRecord): Promise<boolean> {
    const { versions } = this.deps;
    if (newest === undefined) {
      // As an older version of this service recorded it.
      const isHistory = model !== jumphostModel && lastSuccess !== undefined;
      return isHistory && (await versions.newest(name)) === undefined;
    }
    if ((await versions.newest(name))?.id === newest.id) return false;
    return !(await this.has(name, newest));
  }

  private async isBack({ device, newest, unsent }: LostRecord): Promise<boolean> {
    if (newest === undefined) return false;
    for (const version of [newest, ...unsent]) if (!(await this.has(device, version))) return false;
    return true;
  }

  private async has(device: string, wanted: KnownVersion): Promise<boolean> {
    const list = await this.deps.versions.list(device);
    return list.some(
      (version) =>
        version.id === wanted.id ||
        // A history that was made again may have other ids; who was only read again has another time.
        (Date.parse(version.time) === Date.parse(wanted.time) && version.sha1 === wanted.sha1),
    );
  }

  private show(): void {
    const { degraded } = this.deps;
    const lost = this.list();
    if (lost.length === 0) {
      degraded.clear(trouble);
      return;
    }
    const names = lost.slice(0, mostNamed).map(({ device }) => device);
    const more = lost.length > mostNamed ? ` and ${lost.length - mostNamed} more` : '';
    const unsent = lost.reduce((sum, record) => sum + record.unsent.length, 0);
    const nowhere = unsent === 0 ? '' : `; ${unsent} of them had not left the rack yet`;
    degraded.raise(
      trouble,
      `versions of ${names.join(', ')}${more} are no longer in the history${nowhere}; bring them back with skolo backup restore-history --from …, or accept the loss with skolo backup accept-loss`,
    );
  }
}

/** Lost once more: what was stored since the first time. */
function together(first: LostRecord, second: LostRecord): LostRecord {
  const unsent = new Map([...first.unsent, ...second.unsent].map((each) => [each.id, each]));
  const versions =
    first.versions === undefined || second.versions === undefined
      ? undefined
      : first.versions + second.versions;
  const { versions: _, ...newer } = second;
  return {
    ...newer,
    since: first.since,
    ...(versions !== undefined && { versions }),
    unsent: [...unsent.values()],
  };
}

/** What is needed to know a version again. */
export function knownOf({ id, time, sha1 }: Pick<Version, 'id' | 'time' | 'sha1'>): KnownVersion {
  return { id, time, ...(sha1 !== undefined && { sha1 }) };
}

/** In a copy of the former history, the same content is the same version, whatever its id. */
function isSame(version: Version, wanted: KnownVersion): boolean {
  return version.id === wanted.id || (wanted.sha1 !== undefined && version.sha1 === wanted.sha1);
}
