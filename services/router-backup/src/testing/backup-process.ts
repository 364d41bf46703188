/** The service as its own process, so that it can be killed. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, createClient, type Fetch, routerBackupApi } from '@skolo/api';
import { type OwnProcess, startOwnProcess } from '@skolo/common/testing/own-process';

const main = join(import.meta.dirname, '../main.ts');

export interface BackupProcess extends OwnProcess {
  client: Client<typeof routerBackupApi>;
}

/** Tests share their processors, so a service may say that it is overloaded. */
const patient: Fetch = async (url, request) => {
  for (;;) {
    const response = await fetch(url, request);
    if (response.status !== 503) return response;
    await response.body?.cancel();
    await sleep(500, undefined, { signal: request.signal });
  }
};

/** @param dir contains rack.yaml; the state is below it */
export async function startBackupProcess(
  dir: string,
  token: string,
  flags: Readonly<Record<string, string>> = {},
): Promise<BackupProcess> {
  const started = await startOwnProcess(main, dir, { flags });
  const client = createClient(routerBackupApi, {
    baseUrl: started.url,
    token,
    fetch: patient,
    // As long as tests wait for anything.
    timeoutMs: 900_000,
  });
  return { ...started, client };
}
