/** Sees to it that a sound zip is in the bot's folder. One that is sound stays: the bot keeps it up to date itself. */
import { constants } from 'node:fs';
import { access, copyFile, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { syncFolder } from '@skolo/durable/atomic-file';
import { type CheckDeps, checkZip } from './check-zip.ts';
import { type DownloadOptions, download } from './download.ts';

export interface InstallDeps extends CheckDeps, Omit<DownloadOptions, 'token' | 'timeoutMs'> {
  botDir: string;
  token: (signal: AbortSignal) => Promise<string>;
  downloadMs: number;
  onDownload: (isOk: boolean, facts: { why: string; error?: unknown }) => void;
}

export function zipOf(botDir: string): string {
  return join(botDir, 'swarming_bot.zip');
}

/**
 * Makes the folder where there is none.
 *
 * @throws Error With a text for people.
 */
export async function prepareFolder(botDir: string, home: string | undefined): Promise<void> {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant.
  if (!/^[\x00-\x7f]*$/.test(botDir))
    throw new Error(`${botDir}: the bot needs a folder named in ASCII`);
  if (botDir === home || dirname(botDir) === botDir) {
    throw new Error(`${botDir} cannot be the bot's folder: it deletes what it does not know`);
  }
  try {
    await mkdir(botDir, { recursive: true, mode: 0o755 });
    await access(botDir, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new Error(`${botDir}: ${textOf(error)}; the bot needs a folder of its own`, {
      cause: error,
    });
  }
}

/**
 * Checks the zip, and fetches it anew if it is not sound.
 *
 * @throws Error With a text for people: no sound zip is there now.
 */
export async function ensureZip(deps: InstallDeps): Promise<void> {
  const { botDir, onDownload, signal } = deps;
  const check = await checkZip(zipOf(botDir), deps);
  if (check.isSound) return;
  try {
    await fetchSomewhere(deps);
    onDownload(true, { why: check.why });
  } catch (error) {
    signal.throwIfAborted();
    onDownload(false, { why: check.why, error });
    throw error;
  }
}

/** Where the room or the right to write is missing, there may be another place. */
const elsewhere = ['EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR', 'ENOSPC', 'EDQUOT'];

async function fetchSomewhere(deps: InstallDeps): Promise<void> {
  const { botDir } = deps;
  const inside = join(botDir, '.swarming_bot.zip.part');
  // Beside the folder first: in it, a bot that starts deletes what it does not know.
  const beside = join(dirname(botDir), `.${basename(botDir)}.swarming_bot.zip.part`);
  try {
    await fetchTo(beside, inside, deps);
  } catch (error) {
    if (!elsewhere.includes(codeOf(error) ?? '')) throw readable(error, botDir);
    try {
      await fetchTo(inside, inside, deps);
    } catch (second) {
      throw readable(second, botDir);
    }
  }
}

async function fetchTo(temp: string, inside: string, deps: InstallDeps): Promise<void> {
  try {
    // Nobody's but ours: it is held by the lock of the folder.
    await rm(temp, { force: true, recursive: true });
    const file = await open(temp, 'wx', 0o644);
    try {
      const token = await deps.token(deps.signal);
      await download(file, { ...deps, token, timeoutMs: deps.downloadMs });
      await file.sync();
    } finally {
      await file.close();
    }
    const check = await checkZip(temp, deps);
    if (!check.isSound) throw new Error(`${deps.server} sent a broken bot: ${check.why}`);
    await putInPlace(temp, inside, zipOf(deps.botDir));
  } finally {
    await rm(temp, { force: true }).catch(() => undefined);
  }
}

async function putInPlace(temp: string, inside: string, zip: string): Promise<void> {
  try {
    await replace(temp, zip);
  } catch (error) {
    if (codeOf(error) !== 'EXDEV') throw error;
    // The folder is a mount of its own, as it is in a container.
    try {
      await copyFile(temp, inside);
      await sync(inside);
      await replace(inside, zip);
    } finally {
      await rm(inside, { force: true }).catch(() => undefined);
    }
  }
  await syncFolder(dirname(zip));
}

async function replace(temp: string, zip: string): Promise<void> {
  try {
    await rename(temp, zip);
  } catch (error) {
    if (!['EISDIR', 'ENOTEMPTY', 'EEXIST'].includes(codeOf(error) ?? '')) throw error;
    await rm(zip, { force: true, recursive: true });
    await rename(temp, zip);
  }
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}

const texts: Record<string, string> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'its quota is used up',
  EACCES: 'it may not be written to',
  EPERM: 'it may not be written to',
  EROFS: 'its file system is read-only',
  ENOTDIR: 'it is no folder',
  EEXIST: 'it is no folder',
  EIO: 'the disk does not work',
};

function textOf(error: unknown): string {
  const code = codeOf(error);
  return (
    (code === undefined ? undefined : texts[code]) ??
    (error instanceof Error ? error.message : String(error))
  );
}

function readable(error: unknown, botDir: string): unknown {
  const code = codeOf(error);
  return code !== undefined && code in texts
    ? new Error(`${botDir}: the bot cannot be saved there: ${textOf(error)}`, { cause: error })
    : error;
}
