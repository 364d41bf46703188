/** What /proc tells of processes; proc(5). A process that ends meanwhile is left out. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface ProcessEntry {
  pid: number;
  parent: number;
  /** Ticks since boot: with the pid it names one process, also when the number is used again. */
  started: string;
  /** Has a terminal: somebody works there. */
  hasTerminal: boolean;
  isZombie: boolean;
}

export function processes(): Map<number, ProcessEntry> {
  const found = new Map<number, ProcessEntry>();
  for (const name of readdirSync('/proc')) {
    const entry = /^\d+$/.test(name) ? processEntry(Number(name)) : undefined;
    if (entry !== undefined) found.set(entry.pid, entry);
  }
  return found;
}

export function processEntry(pid: number): ProcessEntry | undefined {
  const stat = textOf(pid, 'stat');
  // The name of the program may have blanks and parentheses.
  const [state, parent, , , terminal, ...more] =
    stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
  const started = more[14];
  if (parent === undefined || started === undefined) return undefined;
  return {
    pid,
    parent: Number(parent),
    started,
    hasTerminal: terminal !== '0',
    isZombie: state === 'Z' || state === 'X',
  };
}

/** These, and all that descends from them. */
export function withDescendants(
  roots: Iterable<number>,
  all: ReadonlyMap<number, ProcessEntry>,
): Set<number> {
  const children = new Map<number, number[]>();
  for (const { pid, parent } of all.values()) {
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [pid]);
    else siblings.push(pid);
  }
  const found = new Set(roots);
  // A set gives what is added while it is gone through, too.
  for (const pid of found) for (const child of children.get(pid) ?? []) found.add(child);
  return found;
}

export function ancestors(pid: number, all: ReadonlyMap<number, ProcessEntry>): Set<number> {
  const found = new Set<number>();
  for (let at = all.get(pid); at !== undefined && !found.has(at.pid); at = all.get(at.parent)) {
    found.add(at.pid);
  }
  return found;
}

export function argumentsOf(pid: number): string[] {
  return textOf(pid, 'cmdline')?.split('\0').slice(0, -1) ?? [];
}

export function hasVariable(pid: number, name: string, value: string): boolean {
  return `\0${textOf(pid, 'environ') ?? ''}`.includes(`\0${name}=${value}\0`);
}

export function workingFolder(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

function textOf(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return undefined;
  }
}
