/** Processes in /proc; proc(5). A process that ends meanwhile is omitted. */
import { closeSync, openSync, readdirSync, readlinkSync, readSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

export interface ProcessEntry {
  pid: number;
  parent: number;
  /** Ticks since boot: together with the pid it identifies a process, even if the pid is reused. */
  started: string;
  /** Has a terminal: an operator works in it. */
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

/** Undefined: it has ended meanwhile, or is unreadable. */
export function quietly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Does nothing if it has ended by itself. @param pid of a group: negative */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  quietly(() => process.kill(pid, signal));
}

export function processEntry(pid: number): ProcessEntry | undefined {
  const stat = textOf(pid, 'stat');
  // The program's name may contain blanks and parentheses.
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

/** These, and all their descendants. */
export function withDescendants(
  roots: Iterable<number>,
  all: ReadonlyMap<number, ProcessEntry>,
): Set<number> {
  const children = Map.groupBy(all.values(), ({ parent }) => parent);
  const found = new Set(roots);
  // Iterating over a set includes items that are added meanwhile.
  for (const pid of found) for (const child of children.get(pid) ?? []) found.add(child.pid);
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
  return textsOf(pid, 'cmdline');
}

/** From the environment that the process started with. Undefined: it has no such variable, or is unreadable. */
export function variableOf(pid: number, name: string): string | undefined {
  const variable = textsOf(pid, 'environ').find((each) => each.startsWith(`${name}=`));
  return variable?.slice(name.length + 1);
}

/**
 * In the middle of execve(2) a process has neither arguments nor an environment, and cannot be recognized: such a one is read again. Kernel
 * threads and zombies have neither for ever, and no program.
 */
function textsOf(pid: number, file: 'cmdline' | 'environ'): string[] {
  let text = textOf(pid, file);
  for (let looks = 0; text === '' && programOf(pid) !== undefined; looks += 1) {
    // With arguments but without an environment: hardly ever in the middle, and some programs are started without one.
    if (looks === (textOf(pid, 'cmdline') === '' ? 25 : 2)) break;
    Atomics.wait(timer, 0, 0, 2);
    text = textOf(pid, file);
  }
  return text?.split('\0').slice(0, -1) ?? [];
}

const timer = new Int32Array(new SharedArrayBuffer(4));

function programOf(pid: number): string | undefined {
  return quietly(() => readlinkSync(`/proc/${pid}/exe`));
}

/** Also false if it is unreadable. */
export function sharesPidNamespace(pid: number): boolean {
  const own = pidNamespace('self');
  return own !== undefined && pidNamespace(pid) === own;
}

function pidNamespace(pid: number | 'self'): string | undefined {
  return quietly(() => readlinkSync(`/proc/${pid}/ns/pid`));
}

export function workingFolder(pid: number): string | undefined {
  return quietly(() => readlinkSync(`/proc/${pid}/cwd`));
}

/** A look at all processes reads hundreds of files: `readFileSync` allocates 64 KiB for each, because the kernel reports no size. */
const bytes = Buffer.allocUnsafeSlow(16_384);

function textOf(pid: number, file: string): string | undefined {
  return quietly(() => {
    const opened = openSync(`/proc/${pid}/${file}`, 'r');
    try {
      let text = '';
      for (let count = 1; count > 0; ) {
        count = readSync(opened, bytes);
        text += bytes.toString('latin1', 0, count);
      }
      return text;
    } finally {
      closeSync(opened);
    }
  });
}

/**
 * A directory by its device and inode, as seen by another process. A path proves little: in another mount namespace the same path is
 * another directory, and another path may be this one. As text: device and inode.
 */
export type FolderId = string;

const mostLinks = 40;

/** Undefined: the directory does not exist, or this process cannot see it. */
export function folderId(path: string): FolderId | undefined {
  const found = quietly(() => statSync(path, { bigint: true }));
  return found?.isDirectory() ? `${found.dev}:${found.ino}` : undefined;
}

/** The directory that a path means for a process. Undefined: unknown. */
export function folderSeenBy(pid: number, path: string): FolderId | undefined {
  if (!path.startsWith('/')) return undefined;
  const root = `/proc/${pid}/root`;
  const left = namesOf(path);
  let at = root;
  let links = 0;
  while (left.length > 0) {
    const name = left.shift();
    // `..` could leave the process's root.
    if (name === '..') return undefined;
    const target = linkTarget(`${at}/${name}`);
    if (target === undefined) {
      at = `${at}/${name}`;
      continue;
    }
    // The kernel would follow an absolute link from the root of this process, not from the other's.
    links += 1;
    if (links > mostLinks) return undefined;
    if (target.startsWith('/')) at = root;
    left.unshift(...namesOf(target));
  }
  return folderId(`${at}/`);
}

/** Whether a process works in a directory, or below it. */
export function worksIn(pid: number, folder: FolderId): boolean {
  const cwd = linkTarget(`/proc/${pid}/cwd`);
  if (cwd === undefined) return false;
  if (folderId(`/proc/${pid}/cwd/`) === folder) return true;
  // The kernel has resolved all links in it.
  for (let at = dirname(cwd); at !== '/' && at !== '.'; at = dirname(at)) {
    if (folderSeenBy(pid, at) === folder) return true;
  }
  return false;
}

function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

/** Undefined: it is no link. */
function linkTarget(path: string): string | undefined {
  return quietly(() => readlinkSync(path));
}
