/** Finds and kills leftover processes of a bot whose parents have died: from an earlier agent, or a killed bot_init. */
import { realpathSync } from 'node:fs';
import { pause } from '@skolo/base';
import {
  ancestors,
  argumentsOf,
  type FolderId,
  folderId,
  folderSeenBy,
  type ProcessEntry,
  processEntry,
  processes,
  quietly,
  sendSignal,
  sharesPidNamespace,
  withDescendants,
} from '../host/processes.ts';
import { isOfBotsOnly } from './bot-folder.ts';
import { belongsToBot, isTaskRunner } from './bot-process.ts';

/** The sum of all pauses while waiting for a process that hangs in the kernel; nothing but a busy computer delays a SIGKILL otherwise. */
const stuckMs = 10_000;
const mostRounds = 20;

/**
 * Ends every process that is proven to belong to the bot of a directory (see bot-process.ts), and its descendants. It spares `except`, the
 * current bot_init, and the bot_inits of other living agents, with their descendants.
 *
 * Fulfilled with the processes that do not die.
 */
export function sweep(
  botDir: string,
  except: number | undefined,
  signal?: AbortSignal,
): Promise<Swept> {
  return endAll((all) => leftovers(botDir, except, all), signal);
}

/** Ends hanging bot_inits of a directory whose agent has died: otherwise they would have ended by themselves. */
export function sweepLostInits(botDir: string, signal?: AbortSignal): Promise<Swept> {
  return endAll((all) => lostInits(botDir, all), signal);
}

/** Ends a process and all its descendants. */
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
  let waitedMs = 0;
  for (let waitMs = 5; ; waitMs = Math.min(200, waitMs * 2)) {
    signal?.throwIfAborted();
    const found = standingStill(find);
    if (found.length === 0) return { ended: ended.size, stuck: [] };
    if (waitedMs > stuckMs) {
      return { ended: ended.size, stuck: found.map(({ pid }) => pid) };
    }
    for (const entry of found) {
      end(entry, 'SIGKILL');
      ended.add(nameOf(entry));
    }
    await pause(waitMs, signal);
    // Not the time since the beginning: on a busy computer even the first look may take that long.
    waitedMs += waitMs;
  }
}

/** All are stopped before the first is killed: a process that starts meanwhile could not be found by its parent. */
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
  if (isSame(entry, processEntry(entry.pid))) sendSignal(entry.pid, number);
}

function isSame(one: ProcessEntry | undefined, other: ProcessEntry | undefined): boolean {
  return one !== undefined && one.started === other?.started;
}

function leftovers(
  botDir: string,
  except: number | undefined,
  all: ReadonlyMap<number, ProcessEntry>,
): Set<number> {
  const folder = folderOfBot(botDir);
  if (folder === undefined) return new Set();
  const spared = withDescendants(
    [...(except === undefined ? [] : [except]), ...initsOfOthers(all)],
    all,
  );
  for (const pid of ancestors(process.pid, all)) spared.add(pid);
  const roots = [...all.values()].filter(
    (entry) => !spared.has(entry.pid) && belongsToBot(entry, folder),
  );
  const found = withDescendants(
    roots.map(({ pid }) => pid),
    all,
  );
  for (const pid of spared) found.delete(pid);
  return found;
}

/** Undefined if the directory is not for a bot alone: nothing in it is ended. */
function folderOfBot(botDir: string): FolderId | undefined {
  const realPath = quietly(() => realpathSync(botDir)) ?? botDir;
  return isOfBotsOnly(botDir) && isOfBotsOnly(realPath) ? folderId(botDir) : undefined;
}

/** The bot_inits of other living agents. Where the lock works, none of them has this agent's directory. */
function initsOfOthers(all: ReadonlyMap<number, ProcessEntry>): number[] {
  return [...all.values()].flatMap(({ pid, parent }) => {
    const isOthers = readInit(pid)?.agent === parent && parent !== process.pid;
    return isOthers ? [pid] : [];
  });
}

function lostInits(botDir: string, all: ReadonlyMap<number, ProcessEntry>) {
  const folder = folderOfBot(botDir);
  const lost = [...all.values()].filter(({ pid, parent }) => {
    const init = readInit(pid);
    if (init === undefined || init.agent === parent || readInit(parent) !== undefined) return false;
    // In another namespace the agent has a different pid, and may be alive.
    return (
      folder !== undefined && sharesPidNamespace(pid) && folderSeenBy(pid, init.botDir) === folder
    );
  });
  return withDescendants(
    lost.map(({ pid }) => pid),
    all,
  );
}

function readInit(pid: number): { botDir: string; agent: number } | undefined {
  const args = argumentsOf(pid);
  const at = args.findIndex((arg) => arg.endsWith('/bot_init.py'));
  return at < 0 ? undefined : { botDir: args[at + 1] ?? '', agent: Number(args[at + 3]) };
}

/** Whether a task_runner is among the descendants of a process. */
export function runsTask(pid: number): boolean {
  const below = [...withDescendants([pid], processes())];
  return below.some((each) => isTaskRunner(argumentsOf(each)));
}
