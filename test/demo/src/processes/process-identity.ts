/** Distinguishes a process from a later one with the same pid. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { readBootId } from '@skolo/base';

/** When the process started, in the system's own format; undefined if there is no such process. */
export async function startOf(pid: number): Promise<string | undefined> {
  return existsSync('/proc/self/stat') ? startByProc(pid) : startByPs(pid);
}

/** proc(5): the state is the 3rd field, the start, in ticks since boot, the 22nd. The 2nd may contain anything. */
async function startByProc(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z') return undefined;
    const boot = readBootId();
    return boot && `${boot} ${fields[19]}`;
  } catch {
    return undefined;
  }
}

async function startByPs(pid: number): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)]);
    return stdout.trim();
  } catch {
    return undefined;
  }
}
