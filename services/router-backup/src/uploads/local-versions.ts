/** What is stored in the rack: the history in git, and beside it the archives of the jumphost. */
import type { JumphostBackup } from '../jumphost-backup.ts';
import type { Store } from '../store.ts';
import type { Versions } from '../versions.ts';
import type { LocalVersions } from './carrier.ts';

export interface LocalVersionsDeps {
  store: Pick<Store, 'repository'>;
  versions: Pick<Versions, 'list'>;
  jumphost: Pick<JumphostBackup, 'newest' | 'file'>;
  /** Whether a device's versions are archives. */
  isArchived(device: string): boolean;
}

export function localVersions(deps: LocalVersionsDeps): LocalVersions {
  const { store, versions, jumphost, isArchived } = deps;
  return {
    isArchived,
    async devices() {
      const archived = await jumphost.newest();
      const devices = await store.repository.devices();
      return [...devices, ...(archived ? [archived.device] : [])];
    },
    list: (device, limit) => versions.list(device, limit),
    contentToFile: (version, file) => store.repository.contentToFile(version, file),
    async archive({ id, device }) {
      return isArchived(device) ? await jumphost.file(id) : undefined;
    },
  };
}
