/**
 * Containers live on when k3s is stopped or dead. One that no longer serves still has the port or the state directory:
 * it is told to end before the unit starts.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Places } from './places.ts';
import type { StandInService } from './services.ts';

/** As long as the service may take to finish what is under way (`stopWithin` is 10 s). */
const patienceMs = 12_000;

/** Ends the service's processes in pods, and says how many there were. */
export async function endLeftBehind(where: Places, service: StandInService): Promise<number> {
  const pids = await processesInPods(where, service);
  for (const pid of pids) send(pid, 'SIGTERM');
  for (let waited = 0; pids.some(isAlive) && waited < patienceMs; waited += 100) await pause(100);
  for (const pid of pids.filter(isAlive)) send(pid, 'SIGKILL');
  return pids.length;
}

async function processesInPods({ proc }: Places, service: StandInService): Promise<number[]> {
  const all = (await readdir(proc)).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    all.map(async (pid) => {
      const [command, cgroup] = await Promise.all(
        ['cmdline', 'cgroup'].map((file) =>
          readFile(join(proc, pid, file), 'utf8').catch(() => ''),
        ),
      );
      const isService = command?.split('\0')[1]?.endsWith(`services/${service.name}/dist/main.js`);
      return isService && cgroup?.includes('kubepods') ? [Number(pid)] : [];
    }),
  );
  return found.flat();
}

function send(pid: number, signal: NodeJS.Signals) {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
