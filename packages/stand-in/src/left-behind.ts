/**
 * Containers live on when k3s is stopped or dead. One that no longer serves still has the port or the state directory:
 * it gets a signal to end before the unit starts.
 */
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { programOf, type StandInService } from './services.ts';

/** As long as the service may take to finish what is under way (`stopWithin` is 10 s). */
const patienceMs = 12_000;

/** Ends the service's processes in pods. Returns how many there were. */
export async function endLeftBehind(service: StandInService): Promise<number> {
  const pids = await processesInPods(service);
  for (const pid of pids) send(pid, 'SIGTERM');
  for (let waited = 0; pids.some(isAlive) && waited < patienceMs; waited += 100) await pause(100);
  for (const pid of pids.filter(isAlive)) send(pid, 'SIGKILL');
  return pids.length;
}

async function processesInPods(service: StandInService): Promise<number[]> {
  const pids: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const read = (file: string) => readFile(`/proc/${name}/${file}`, 'utf8').catch(() => '');
    const isProgram = (await read('cmdline')).split('\0')[1]?.endsWith(programOf(service));
    if (isProgram && (await read('cgroup')).includes('kubepods')) pids.push(Number(name));
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
