/** The service as its own process, so that it can be killed. */
import { join } from 'node:path';
import { type Client, createClient, routerBackupApi } from '@skolo/api';
import { type OwnProcess, startOwnProcess } from '@skolo/common/testing/own-process';

const main = join(import.meta.dirname, '../main.ts');

export interface BackupProcess extends OwnProcess {
  client: Client<typeof routerBackupApi>;
}

/** @param dir contains rack.yaml; the state is below it */
export async function startBackupProcess(
  dir: string,
  token: string,
  flags: Readonly<Record<string, string>> = {},
): Promise<BackupProcess> {
  const started = await startOwnProcess(main, dir, { flags });
  return { ...started, client: createClient(routerBackupApi, { baseUrl: started.url, token }) };
}
