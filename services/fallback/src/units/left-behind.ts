/**
 * Ends containers that k3s left behind: they continue when k3s is stopped or dead. One that no longer serves still has the port or the
 * state directory, so it is ended before the unit starts.
 */

import { readdir, readFile } from 'node:fs/promises';
import { pause } from '@skolo/base';
import { type PodService, programOf } from './services.ts';

/** As long as the service may take to finish what is under way (`stopWithin` is 10 s). */
const patienceMs = 12_000;

/** Ends the service's processes in pods. Returns how many there were. */
export async function endLeftBehind(service: PodService): Promise<number> {
  const pids = await processesInPods(service);
  for (const pid of pids) send(pid, 'SIGTERM');
  for (let waited = 0; pids.some(isAlive) && waited < patienceMs; waited += 100) await pause(100);
  for (const pid of pids.filter(isAlive)) send(pid, 'SIGKILL');
  return pids.length;
}

export async function processesInPods(service: PodService): Promise<number[]> {
  return await processesIn(
    'kubepods',
    (cmdline) => cmdline.split('\0')[1]?.endsWith(programOf(service)) ?? false,
  );
}

/** Processes in a control group whose path contains this. */
export async function processesIn(
  group: string,
  isMeant: (cmdline: string) => boolean = () => true,
): Promise<number[]> {
  const pids: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const read = (file: string) => readFile(`/proc/${name}/${file}`, 'utf8').catch(() => '');
    if ((await read('cgroup')).includes(group) && isMeant(await read('cmdline')))
      pids.push(Number(name));
  }
  return pids;
}

function isAlive(pid: number): boolean {
  return send(pid, 0);
}

/** False where there is no such process. */
function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
