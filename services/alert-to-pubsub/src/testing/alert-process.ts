/** The service as its own process, so that it can be killed and measured. */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { alertToPubsubApi, type Client, createClient } from '@skolo/api';
import { type OwnProcess, startOwnProcess } from '@skolo/common/testing/own-process';

const sources = join(import.meta.dirname, '..');

export interface AlertProcess extends OwnProcess {
  client: Client<typeof alertToPubsubApi>;
}

/**
 * @param dir contains rack.yaml; the state is below it
 * @param script the program, below `src`, or by its full path
 * @param flags more flags for the service
 * @param nodeFlags flags for Node and V8
 */
export async function startAlertProcess(
  dir: string,
  script = 'main.ts',
  flags: Readonly<Record<string, string>> = {},
  nodeFlags: readonly string[] = [],
): Promise<AlertProcess> {
  const started = await startOwnProcess(resolve(sources, script), dir, {
    flags,
    nodeFlags,
    env: { METADATA_SERVER_DETECTION: 'none' },
    hasChannel: true,
  });
  return {
    ...started,
    client: createClient(alertToPubsubApi, { baseUrl: started.url, timeoutMs: 900_000 }),
  };
}

/** In MiB: resident now, and the maximum so far. Undefined if the kernel does not report it. */
export async function memoryOf({
  child,
}: AlertProcess): Promise<{ now: number; most: number } | undefined> {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
  const of = (name: string) => {
    const kib = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1];
    return kib === undefined ? undefined : Number(kib) / 1024;
  };
  const [now, most] = [of('VmRSS'), of('VmHWM')];
  return now === undefined || most === undefined ? undefined : { now, most };
}
