/** Copies the configuration of the units from k3s, so that it is on the disk when k3s is not there. */
import { errorText } from '@skolo/errors';
import { type ApiServer, NotThere } from './api-server.ts';
import { FolderNotOurs, writeFolder } from './folder-version.ts';
import { configurationOf, type Places } from './places.ts';
import { projectedFiles } from './projected.ts';
import type { StandInService } from './services.ts';

export type Synced = 'written' | 'unchanged' | { problem: string };

/** Keeps what is there when anything is wrong, and says what. */
export async function syncService(
  api: ApiServer,
  where: Places,
  service: StandInService,
): Promise<Synced> {
  try {
    const files = await projectedFiles(api, service);
    const isWritten = await writeFolder(configurationOf(where, service), files, service.gid);
    return isWritten ? 'written' : 'unchanged';
  } catch (error) {
    if (error instanceof NotThere) return { problem: 'k3s has no such Deployment' };
    if (error instanceof FolderNotOurs) return { problem: error.message };
    return { problem: errorText(error) };
  }
}
