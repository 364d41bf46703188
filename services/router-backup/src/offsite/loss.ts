/**
 * Decides which versions are lost: the journal knows them, but the history no longer has them, because the repository was deleted,
 * replaced by an older copy, or set aside. They are recorded before a new history is created, and stay recorded until they are restored,
 * or an operator accepts the loss.
 */

import type { Version } from '@skolo/backup';
import { count, errorText } from '@skolo/base';
import type { StateJournal } from '@skolo/common';
import { BackupError } from '@skolo/equipment/models/configuration';
import type { Versions } from '../history/versions.ts';
import type { PartDeps } from '../part-deps.ts';
import { type DeviceRecord, type KnownVersion, knownOf, type LostRecord } from '../state.ts';
import { jumphostModel } from '../targets.ts';
import type { OffsiteCopies } from './copies.ts';

const trouble = 'history lost';
/** The number of devices that a message names. */
const mostNamed = 5;

interface HistoryLossDeps extends Pick<PartDeps, 'clock' | 'log' | 'emit' | 'state'> {
  journal: Pick<StateJournal, 'isOpen'>;
  versions: Versions;
  copies: Pick<OffsiteCopies, 'unsent' | 'sendAll'>;
}

export class HistoryLoss {
  private readonly deps: HistoryLossDeps;
  /** The journal was empty at the start, and what the history contains has not been seen since then. */
  private isNewJournal: boolean | undefined;

  constructor(deps: HistoryLossDeps) {
    this.deps = deps;
  }

  /** By device name. */
  list(): LostRecord[] {
    const lost = [...this.deps.state.lost.all.values()];
    return lost.sort((a, b) => (a.device < b.device ? -1 : 1));
  }

  /**
   * The history is missing, and a new one is about to be created.
   *
   * @throws BackupError `storage`: its contents cannot be recorded
   */
  async beforeNew(): Promise<void> {
    const { state, journal } = this.deps;
    if (!journal.isOpen) {
      throw new BackupError(
        'storage',
        'there is no repository, and the journal, which would show whether one existed, is not open yet',
      );
    }
    const inHistory = [...state.devices.all.values()].filter(
      ({ model }) => model !== jumphostModel,
    );
    await this.record(inHistory);
    this.report();
  }

  /** Reports a new journal beside an existing history, as soon as that can be read: it is not a new rack. */
  private async checkJournal(): Promise<void> {
    const { state, versions, copies, log, emit } = this.deps;
    this.isNewJournal ??= state.devices.all.size + state.runs.all.size + state.marks.all.size === 0;
    if (!this.isNewJournal) return;
    const devices = await versions.inHistory();
    this.isNewJournal = false;
    if (devices.length === 0) return;
    copies.sendAll();
    log.error({ devices: devices.length }, 'journal lost');
    emit({
      type: 'degraded',
      what: 'journal lost',
      why: `the journal is new, but the history contains ${count(devices.length, 'configuration')}. At the next reading, all serial numbers and host names are pinned again. Equipment that is no longer in rack.yaml is unknown, and every version is copied off site again. Check skolo backup status; this message disappears when the service restarts`,
    });
  }

  /** Compares the history with the journal's records of it. Never throws. */
  async review(): Promise<void> {
    const { state, journal, log } = this.deps;
    if (!journal.isOpen) return;
    try {
      await this.checkJournal();
      const missing: DeviceRecord[] = [];
      for (const record of state.devices.all.values()) {
        if (await this.isMissing(record)) missing.push(record);
      }
      await this.record(missing);
      const found: string[] = [];
      for (const record of this.list()) if (await this.isBack(record)) found.push(record.device);
      if (found.length > 0) await state.write(found.map((device) => state.lost.remove(device)));
    } catch (error) {
      log.warn({ why: errorText(error) }, 'history cannot be compared with the journal');
    }
    this.report();
  }

  /**
   * A copy was added to the history, so its versions are no longer lost.
   *
   * @param copy the versions of each device in it
   * @returns what is still lost
   */
  async restored(copy: ReadonlyMap<string, readonly Version[]>): Promise<LostRecord[]> {
    const { state } = this.deps;
    const changes = this.list().map((record) => {
      const has = copy.get(record.device) ?? [];
      const { newest, unsent } = record;
      const left = unsent.filter((version) => !has.some((each) => isSame(each, version)));
      if (left.length === 0 && has.some((each) => isSame(each, newest)))
        return state.lost.remove(record.device);
      return state.lost.put({ ...record, unsent: left });
    });
    await state.write(changes);
    this.report();
    return this.list();
  }

  /** An operator accepts the loss. @throws StorageUnavailable */
  async accept(): Promise<LostRecord[]> {
    const { state, emit } = this.deps;
    const lost = this.list();
    const devices = lost.map(({ device }) => device);
    await state.write(devices.map((device) => state.lost.remove(device)));
    emit({ type: 'loss-accepted', devices });
    this.report();
    return lost;
  }

  /** Those that had versions, and are not recorded yet. */
  private async record(devices: readonly DeviceRecord[]): Promise<void> {
    const { state, copies, clock, emit } = this.deps;
    const since = new Date(clock.now()).toISOString();
    const lost = devices.flatMap(({ name: device, newest, versions }): LostRecord[] => {
      const before = state.lost.get(device);
      if (newest === undefined || before?.newest.id === newest.id) return [];
      const unsent = copies
        .unsent(device)
        .map(({ version: id, ...rest }) => knownOf({ id, ...rest }));
      const now = { device, since, newest, versions, unsent };
      return [before === undefined ? now : together(before, now)];
    });
    if (lost.length === 0) return;
    try {
      await state.write(lost.map((record) => state.lost.put(record)));
    } catch (error) {
      const what = `versions of ${count(lost.length, 'configuration')} are missing from the history, but the loss cannot be recorded`;
      throw new BackupError('storage', `${what}: ${errorText(error)}`, { cause: error });
    }
    emit({ type: 'history-lost', devices: lost.map(({ device }) => device) });
  }

  /** Its newest version was in the history, but no longer is. */
  private async isMissing({ name, newest }: DeviceRecord): Promise<boolean> {
    const { versions } = this.deps;
    if (newest === undefined) return false;
    if ((await versions.newest(name))?.id === newest.id) return false;
    return !(await this.has(name, newest));
  }

  private async isBack({ device, newest, unsent }: LostRecord): Promise<boolean> {
    for (const version of [newest, ...unsent]) if (!(await this.has(device, version))) return false;
    return true;
  }

  private async has(device: string, wanted: KnownVersion): Promise<boolean> {
    const list = await this.deps.versions.list(device);
    return list.some(
      (version) =>
        version.id === wanted.id ||
        // A rebuilt history may have other IDs; a device that was only read again has another time.
        (Date.parse(version.time) === Date.parse(wanted.time) && version.sha1 === wanted.sha1),
    );
  }

  private report(): void {
    const { emit } = this.deps;
    const lost = this.list();
    if (lost.length === 0) {
      emit({ type: 'degraded', what: trouble });
      return;
    }
    const names = lost.slice(0, mostNamed).map(({ device }) => device);
    const more = lost.length > mostNamed ? ` and ${lost.length - mostNamed} more` : '';
    const unsent = lost.reduce((sum, record) => sum + record.unsent.length, 0);
    const nowhere = unsent === 0 ? '' : `; ${unsent} of them had not been copied off site yet`;
    emit({
      type: 'degraded',
      what: trouble,
      why: `versions of ${names.join(', ')}${more} are no longer in the history${nowhere}; restore them with skolo backup restore-history --from PLACE --reason WHY, or accept the loss with skolo backup accept-loss --reason WHY`,
    });
  }
}

/** Lost once more: what was stored since the first loss. */
function together(first: LostRecord, second: LostRecord): LostRecord {
  const unsent = new Map([...first.unsent, ...second.unsent].map((each) => [each.id, each]));
  const versions =
    first.versions === undefined || second.versions === undefined
      ? undefined
      : first.versions + second.versions;
  return { ...second, since: first.since, versions, unsent: [...unsent.values()] };
}

/** In a copy of the previous history, the same content is the same version, even with another ID. */
function isSame(version: Version, wanted: KnownVersion): boolean {
  return version.id === wanted.id || (wanted.sha1 !== undefined && version.sha1 === wanted.sha1);
}
