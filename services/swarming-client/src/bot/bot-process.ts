/**
 * Decides which processes belong to the bot of a directory, and may be ended. Several agents may run on one computer, each in its own
 * namespaces and all with the same path, and other programs read the directory: backups, log shippers, people. So a process counts only
 * with proof of two facts: it was started by the bot of a directory, and that directory has this one's device and inode. What cannot be
 * read proves nothing.
 */
import { dirname, isAbsolute } from 'node:path';
import {
  argumentsOf,
  type FolderId,
  folderId,
  folderSeenBy,
  type ProcessEntry,
  sharesPidNamespace,
  variableOf,
  workingFolder,
  worksIn,
} from '../host/processes.ts';
import { markVariable } from './environment.ts';

const zipName = /(?:^|\/)swarming_bot(?:\.[12])?\.zip$/;
const interpreter = /(?:^|\/)[\w.-]*python[\w.-]*$/i;
const started = /^start_(?:bot|slave)$/;
const ownCommands = /^(?:task_runner|run_isolated|is_fine)$/;
/** The bot sets it for everything that it starts, with any launcher. */
const ofBot = 'SWARMING_HEADLESS';

/** Whether a process can be proven to belong to the bot of a folder. */
export function belongsToBot(entry: ProcessEntry, folder: FolderId): boolean {
  // Another agent may have a nested namespace. A task's processes in one are ended only as descendants.
  if (!sharesPidNamespace(entry.pid)) return false;
  return isMarked(entry, folder) || isOfTask(entry, folder) || isBot(entry, folder);
}

/** `python3 -u …/swarming_bot.2.zip task_runner …` */
export function isTaskRunner(args: readonly string[]): boolean {
  return commandOf(args)?.command === 'task_runner';
}

function isMarked({ pid }: ProcessEntry, folder: FolderId): boolean {
  const marked = variableOf(pid, markVariable);
  return marked !== undefined && folderSeenBy(pid, marked) === folder;
}

/** Also a task of a bot that another launcher started. */
function isOfTask({ pid, hasTerminal }: ProcessEntry, folder: FolderId): boolean {
  return !hasTerminal && variableOf(pid, ofBot) !== undefined && worksIn(pid, folder);
}

function isBot({ pid, hasTerminal }: ProcessEntry, folder: FolderId): boolean {
  const args = argumentsOf(pid);
  const found = commandOf(args);
  if (found === undefined || !interpreter.test(args[0] ?? '')) return false;
  const isStarted = started.test(found.command);
  // Somebody runs a command of the bot in a terminal.
  if (!isStarted && (hasTerminal || !ownCommands.test(found.command))) return false;
  if (isAbsolute(found.zip)) return folderSeenBy(pid, dirname(found.zip)) === folder;
  const cwd = workingFolder(pid);
  if (cwd === undefined) return false;
  // The bot changes to its directory, from which a relative path leads elsewhere.
  const isInFolder = isStarted && folderId(`/proc/${pid}/cwd/`) === folder;
  return isInFolder || folderSeenBy(pid, dirname(`${cwd}/${found.zip}`)) === folder;
}

/** Only if the zip is the program: `rsync …/swarming_bot.zip` is not the bot's. */
function commandOf(args: readonly string[]): { zip: string; command: string } | undefined {
  const at = args.findIndex((arg) => zipName.test(arg));
  const [zip, command] = args.slice(at, at + 2);
  if (at < 1 || zip === undefined || command === undefined) return undefined;
  return args.slice(1, at).every((arg) => arg.startsWith('-')) ? { zip, command } : undefined;
}
