/** Finds and ends what is left of a bot whose parents have died: by an earlier agent, or by a bot_init that was killed. */
import { readFileSync, realpathSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { pause } from '@skolo/common/light';
import { isOfBotsOnly } from './bot-folder.ts';
import { markVariable } from './environment.ts';
import {
  ancestors,
  argumentsOf,
  hasVariable,
  type ProcessEntry,
  processEntry,
  processes,
  withDescendants,
  workingFolder,
} from './processes.ts';

const zipName = /(?:^|\/)swarming_bot(?:\.[12])?\.zip$/;
/** What a process gets that hangs in the kernel; nothing else delays a SIGKILL. */
const stuckMs = 10_000;
const mostRounds = 20;

/**
 * Ends all that belongs to the bot of a folder, but for `except`, the bot_init that is there now, and what descends from
 * it. A bot_init of another agent that lives is spared, too.
 *
 * Fulfilled with those that do not die.
 */
export function sweep(
  botDir: string,
  except: number | undefined,
  signal?: AbortSignal,
): Promise<Swept> {
  return endAll((all) => leftovers(botDir, except, all), signal);
}

/** Ends the bot_inits of a folder whose agent has died, and that hang: they would have ended by themselves. */
export function sweepLostInits(botDir: string, signal?: AbortSignal): Promise<Swept> {
  return endAll((all) => lostInits(botDir, all), signal);
}

/** Ends a process and all that descends from it. */
export function endTree(pid: number): Promise<Swept> {
  const known = processEntry(pid);
  return endAll((all) => (isSame(known, all.get(pid)) ? withDescendants([pid], all) : new Set()));
}

export interface Swept {
  ended: number;
  stuck: number[];
}

type Find = (all: ReadonlyMap<number, ProcessEntry>) => ReadonlySet<number>;

async function endAll(find: Find, signal?: AbortSignal): Promise<Swept> {
  const ended = new Set<string>();
  const begin = performance.now();
  for (let waitMs = 5; ; waitMs = Math.min(200, waitMs * 2)) {
    signal?.throwIfAborted();
    const found = standingStill(find);
    if (found.length === 0) return { ended: ended.size, stuck: [] };
    if (performance.now() - begin > stuckMs) {
      return { ended: ended.size, stuck: found.map(({ pid }) => pid) };
    }
    for (const entry of found) {
      end(entry, 'SIGKILL');
      ended.add(nameOf(entry));
    }
    await pause(waitMs, signal);
  }
}

/** Nobody is ended before all stand still: who is started meanwhile would have no parent to be found by. */
function standingStill(find: Find): ProcessEntry[] {
  const still = new Set<string>();
  for (let round = 0; ; round++) {
    const all = processes();
    const found = [...find(all)].flatMap((pid) => all.get(pid) ?? []).filter((p) => !p.isZombie);
    const moving = found.filter((entry) => !still.has(nameOf(entry)));
    if (moving.length === 0 || round === mostRounds) return found;
    for (const entry of moving) {
      end(entry, 'SIGSTOP');
      still.add(nameOf(entry));
    }
  }
}

function nameOf({ pid, started }: ProcessEntry): string {
  return `${pid} ${started}`;
}

function end(entry: ProcessEntry, number: NodeJS.Signals) {
  if (!isSame(entry, processEntry(entry.pid))) return;
  try {
    process.kill(entry.pid, number);
  } catch {
    // It has ended meanwhile.
  }
}

function isSame(one: ProcessEntry | undefined, other: ProcessEntry | undefined): boolean {
  return one !== undefined && one.started === other?.started;
}

function leftovers(
  botDir: string,
  except: number | undefined,
  all: ReadonlyMap<number, ProcessEntry>,
): Set<number> {
  const folders = new Set([botDir, realPath(botDir)].filter(isOfBotsOnly));
  const spared = withDescendants(
    [...(except === undefined ? [] : [except]), ...others(botDir, all)],
    all,
  );
  for (const pid of ancestors(process.pid, all)) spared.add(pid);
  const locked = lockedBy(botDir);
  const roots = [...all.values()].filter(
    (entry) => !spared.has(entry.pid) && isOfBot(entry, folders, locked),
  );
  const found = withDescendants(
    roots.map(({ pid }) => pid),
    all,
  );
  for (const pid of spared) found.delete(pid);
  return found;
}

/** The bot_inits of other agents that live. Where the lock works, there is none while this agent has it. */
function others(botDir: string, all: ReadonlyMap<number, ProcessEntry>): number[] {
  return [...all.values()].flatMap(({ pid, parent }) => {
    const init = readInit(pid);
    const isOthers = init?.botDir === botDir && init.agent === parent && parent !== process.pid;
    return isOthers ? [pid] : [];
  });
}

function isOfBot(
  { pid, hasTerminal }: ProcessEntry,
  folders: Set<string>,
  locked: number | undefined,
): boolean {
  for (const folder of folders) if (hasVariable(pid, markVariable, folder)) return true;
  const cwd = workingFolder(pid);
  // Somebody at a terminal who looks at the logs is no task.
  if (cwd !== undefined && !hasTerminal && locked !== undefined && isInside(cwd, folders))
    return true;
  const args = argumentsOf(pid);
  const at = args.findIndex((arg) => zipName.test(arg));
  const zip = args[at];
  if (zip === undefined) return false;
  // Also what the bot runs of itself (task_runner, run_isolated), but not what somebody tries at a terminal.
  const isStarted = /^start_(?:bot|slave)$/.test(args[at + 1] ?? '');
  if (!isStarted && hasTerminal) return false;
  if (isStarted && pid === locked) return true;
  return isInside(isAbsolute(zip) ? zip : join(cwd ?? '/', zip), folders);
}

function isInside(path: string, folders: ReadonlySet<string>): boolean {
  return [...folders].some((folder) => path === folder || path.startsWith(`${folder}/`));
}

/**
 * The pid that the bot wrote down, of this pid namespace or another: it says nothing without a look at the process.
 * Undefined: no bot was ever in this folder, and who works in it is none of ours.
 */
function lockedBy(botDir: string): number | undefined {
  try {
    return Number(readFileSync(join(botDir, 'swarming.lck'), 'latin1').trim());
  } catch {
    return undefined;
  }
}

function lostInits(botDir: string, all: ReadonlyMap<number, ProcessEntry>) {
  const lost = [...all.values()].filter(({ pid, parent }) => {
    const init = readInit(pid);
    return init?.botDir === botDir && init.agent !== parent && readInit(parent) === undefined;
  });
  return withDescendants(
    lost.map(({ pid }) => pid),
    all,
  );
}

function readInit(pid: number): { botDir: string | undefined; agent: number } | undefined {
  const args = argumentsOf(pid);
  const at = args.findIndex((arg) => arg.endsWith('/bot_init.py'));
  return at < 0 ? undefined : { botDir: args[at + 1], agent: Number(args[at + 3]) };
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** Whether a task_runner is among the descendants of a process. */
export function runsTask(pid: number): boolean {
  for (const below of withDescendants([pid], processes())) {
    const args = argumentsOf(below);
    const at = args.findIndex((arg) => zipName.test(arg));
    if (at >= 0 && args[at + 1] === 'task_runner') return true;
  }
  return false;
}
