/** Versions in the rack: those of devices in the history, those of the jumphost as encrypted archives. */

import { type BackupSource, resolveVersion, type Version } from '@skolo/backup';
import { BackupError } from '@skolo/models/configuration';
import type { Rack } from '@skolo/rack';
import type { JumphostBackup } from '../jumphost/backup.ts';
import { startupNameOf } from '../targets.ts';
import type { Store } from './store.ts';

/** What the history and the archives have in common. */
export interface VersionSource extends Pick<BackupSource, 'versions' | 'content'> {
  newest(device: string): Promise<Version | undefined>;
  count(device: string): Promise<number>;
}

interface VersionsDeps {
  rack: () => Pick<Rack, 'jumphost'>;
  store: Pick<Store, 'repository'>;
  jumphost: JumphostBackup;
}

/** All methods throw BackupError. */
export class Versions {
  private readonly deps: VersionsDeps;

  constructor(deps: VersionsDeps) {
    this.deps = deps;
  }

  /** Whether the versions of a device are archives. */
  isArchived(device: string): boolean {
    return device === this.deps.rack().jumphost.name;
  }

  /** Names of devices in the history; the jumphost is not one of them. */
  async inHistory(): Promise<string[]> {
    return await this.deps.store.repository.devices();
  }

  /** Names of devices with archives, which need no history. */
  async inArchives(): Promise<string[]> {
    const newest = await this.deps.jumphost.newest();
    return newest ? [newest.device] : [];
  }

  /** The newest first. */
  async list(device: string, limit?: number): Promise<Version[]> {
    return await this.of(device).versions(device, limit === undefined ? {} : { limit });
  }

  async newest(device: string): Promise<Version | undefined> {
    return await this.of(device).newest(device);
  }

  async count(device: string): Promise<number> {
    return await this.of(device).count(device);
  }

  /** @param wanted as `resolveVersion` of `@skolo/backup` takes it, or `startup` */
  async find(device: string, wanted: string): Promise<Version> {
    if (wanted === 'startup') {
      const startup = await this.newest(startupNameOf(device));
      if (startup !== undefined) return startup;
      throw new BackupError(
        'not-found',
        `${device}: no startup configuration that differed from the running one was ever read`,
      );
    }
    if (wanted === 'latest') {
      const newest = await this.newest(device);
      if (newest !== undefined) return newest;
    }
    const versions = await this.list(device);
    if (versions.length === 0) {
      throw new BackupError('not-found', `${device} has not been backed up yet`);
    }
    return resolveVersion(versions, wanted);
  }

  async content(version: Version): Promise<Buffer> {
    return await this.of(version.device).content(version);
  }

  /** Writes the content as it is to a file that does not exist yet. */
  async contentToFile(version: Version, file: string): Promise<void> {
    await this.deps.store.repository.contentToFile(version, file);
  }

  /** The file of an archive, which is compressed and encrypted already. Undefined: the version is not an archive. */
  async archive({ id, device }: Version): Promise<string | undefined> {
    return this.isArchived(device) ? await this.deps.jumphost.file(id) : undefined;
  }

  private of(device: string): VersionSource {
    const { store, jumphost } = this.deps;
    return this.isArchived(device) ? jumphost : store.repository;
  }
}
