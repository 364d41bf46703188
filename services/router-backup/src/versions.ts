/** Versions of devices, wherever they are kept: in the history, or, of the jumphost, as encrypted archives. */

import { type BackupSource, resolveVersion, type Version } from '@skolo/backup';
import { BackupError } from '@skolo/models/configuration';
import type { Store } from './store.ts';
import { startupNameOf } from './targets.ts';

/** What a device's versions are asked of. */
export interface Kept extends Pick<BackupSource, 'versions' | 'content'> {
  newest(device: string): Promise<Version | undefined>;
  count(device: string): Promise<number>;
}

export interface VersionsDeps {
  store: Store;
  archives: Kept;
  /** Whether a device's versions are archives. */
  isArchived(device: string): boolean;
}

/** All methods throw BackupError. */
export class Versions {
  private readonly deps: VersionsDeps;

  constructor(deps: VersionsDeps) {
    this.deps = deps;
  }

  /** Names of devices, without those whose versions are archives. */
  async inHistory(): Promise<string[]> {
    return await this.deps.store.repository.devices();
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

  private of(device: string): Kept {
    const { store, archives, isArchived } = this.deps;
    return isArchived(device) ? archives : store.repository;
  }
}
