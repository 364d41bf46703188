/** The processes of this computer. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

export interface OneProcess {
  pid: number;
  parent: number;
  command: string;
}

/** All running ones, without zombies. */
export async function processes(): Promise<OneProcess[]> {
  return existsSync('/proc/self/stat') ? processesByProc() : processesByPs();
}

export async function isRunning(pid: number): Promise<boolean> {
  return (await processes()).some((one) => one.pid === pid);
}

/** Command lines that contain the text. */
export async function processesThatName(text: string): Promise<string[]> {
  const all = await processes();
  return all.map(({ command }) => command).filter((command) => command.includes(text));
}

/** proc(5); ps is not on every Linux. */
async function processesByProc(): Promise<OneProcess[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid): Promise<OneProcess[]> => {
      try {
        const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
        const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ');
        return state === 'Z' ? [] : [{ pid: Number(pid), parent: Number(parent), command }];
      } catch {
        return [];
      }
    }),
  );
  return found.flat();
}

async function processesByPs(): Promise<OneProcess[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,stat=,args=']);
  const lines = stdout.matchAll(/^ *(\d+) +(\d+) +(\S+) +(.*)$/gm);
  return [...lines].flatMap(([, pid, parent, state = '', command = '']) =>
    state.startsWith('Z') ? [] : [{ pid: Number(pid), parent: Number(parent), command }],
  );
}
