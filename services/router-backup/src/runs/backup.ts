/** Reads a device, makes sure that it is the right one, and stores what is new in the history. */
import type { CommitAbout, Version } from '@skolo/backup';
import { errorText } from '@skolo/base';
import type { Content } from '@skolo/models/backup';
import { fingerprintOf, isSame } from '@skolo/models/configuration';
import type { InfrastructureDevice } from '@skolo/rack';
import type { Base } from '../base.ts';
import type { Store } from '../history/store.ts';
import { BackupFailed, SuspiciouslySmall } from '../read/failure.ts';
import type { Fetch, Fetched } from '../read/fetch.ts';
import { pin, whyAnother } from '../read/identity.ts';
import type { PowerDaemon } from '../read/power-daemon.ts';
import type { Transcript } from '../read/transcript.ts';
import type { State } from '../state.ts';
import { startupNameOf } from '../targets.ts';
import type { Occasion, Stored } from './attempts.ts';

export interface BackupDeps extends Pick<Base, 'rack' | 'clock' | 'emit'> {
  fetch: Fetch;
  store: Store;
  state: State;
  /** A power cycle comes before a backup. */
  power: Pick<PowerDaemon, 'wanted' | 'unlessWanted'>;
}

export class Backup {
  private readonly deps: BackupDeps;

  constructor(deps: BackupDeps) {
    this.deps = deps;
  }

  /** @throws BackupFailed, and errors of the device */
  async store(
    device: InfrastructureDevice,
    transcript: Transcript,
    occasion: Occasion,
    signal: AbortSignal,
  ): Promise<Stored> {
    const { fetch, state, store, power } = this.deps;
    const { name } = device;
    const fetched = await power.unlessWanted(name, signal, (either) =>
      fetch.read(device, transcript, either),
    );
    try {
      const kept = await this.keep(device, fetched, occasion);
      const startup = await this.keepStartup(device, fetched, occasion);
      const { unsaved, size, identity, legacyAlgorithms } = fetched;
      const pinned = pin(identity, state.devices.get(name)?.identity);
      // The history may have gone since.
      const versions = await store.count(name);
      return {
        ...kept,
        size,
        facts: { unsaved, identity: pinned, startup, legacyAlgorithms, versions },
      };
    } finally {
      await fetch.drop(device);
    }
  }

  /**
   * Stores what was read, unless the history has it already.
   *
   * @throws BackupFailed
   */
  async keep(
    device: InfrastructureDevice,
    fetched: Fetched,
    occasion: Occasion,
  ): Promise<Pick<Stored, 'before' | 'after' | 'isNew'>> {
    const { store, state } = this.deps;
    const { name, serial } = device;
    const { content, changedBy } = fetched;
    const record = state.devices.get(name);
    const another = whyAnother(name, fetched.identity, { serial, pinned: record?.identity });
    if (another !== undefined) throw new BackupFailed(name, 'wrong-device', another);
    try {
      const before = await store.repository.newest(name);
      if (before !== undefined) {
        if (await this.isUnchanged(before, fetched)) return { before, after: before, isNew: false };
        this.checkSize(name, before, fetched, occasion.isByHand);
      }
      const after = await this.commit(device, name, content, { ...occasion, changedBy });
      return { before, after, isNew: after.id !== before?.id };
    } catch (error) {
      if (error instanceof BackupFailed) throw error;
      await store.failed(error, fetched.size);
      const what = `read, but not stored: ${errorText(error)}`;
      throw new BackupFailed(name, 'storage', what, { cause: error });
    }
  }

  /**
   * Stores the configuration that the device would boot with, where it differs from the running one. Returns its version.
   *
   * @throws BackupFailed
   */
  private async keepStartup(
    device: InfrastructureDevice,
    { model, startup }: Fetched,
    { run, by }: Occasion,
  ): Promise<string | undefined> {
    if (startup === undefined) return undefined;
    const { store } = this.deps;
    const { name } = device;
    const file = startupNameOf(name);
    try {
      const { repository } = store;
      const before = await repository.newest(file);
      if (before && isSame(await repository.content(before), startup, model)) return before.id;
      const reason = `what ${name} would boot with; it runs another configuration`;
      const { id } = await this.commit(device, file, { bytes: startup }, { run, by, reason });
      return id;
    } catch (error) {
      await store.failed(error, startup.length);
      const what = `its startup configuration is not stored: ${errorText(error)}`;
      throw new BackupFailed(name, 'storage', what, { cause: error });
    }
  }

  private async commit(
    { model }: InfrastructureDevice,
    file: string,
    content: Content,
    { run, by, reason, changedBy }: Pick<CommitAbout, 'run' | 'by' | 'reason' | 'changedBy'>,
  ): Promise<Version> {
    const { rack, store, clock, emit } = this.deps;
    const about: CommitAbout = {
      rack: rack().name,
      model,
      run,
      time: new Date(clock.now()).toISOString(),
      by,
      reason,
      changedBy,
    };
    const version = await store.repository.commit({ device: file, content, about });
    store.stored();
    emit({ type: 'version-stored', version });
    return version;
  }

  /** @throws SuspiciouslySmall */
  private checkSize(name: string, before: Version, fetched: Fetched, isByHand: boolean): void {
    const { rack, state } = this.deps;
    const { shrinkPercent } = rack().services['router-backup'];
    const { size, content, model, sha1 } = fetched;
    const former = before.size ?? 0;
    const lost = former === 0 ? 0 : ((former - size) / former) * 100;
    if (lost <= shrinkPercent) return;
    // Without what changes by itself, such as a clock.
    const suspect = 'bytes' in content ? fingerprintOf(content.bytes, model) : sha1;
    if (isByHand && state.devices.get(name)?.suspect === suspect) return;
    const what = `it has ${size} bytes, the version before has ${former}; if that is right, run: skolo backup run ${name}`;
    throw new SuspiciouslySmall(name, what, suspect);
  }

  /** Equal but for what changes by itself. */
  private async isUnchanged(before: Version, { sha1, content, model }: Fetched): Promise<boolean> {
    if (before.sha1 === sha1) return true;
    if (!('bytes' in content) || model.volatile.length === 0) return false;
    return isSame(await this.deps.store.repository.content(before), content.bytes, model);
  }
}
