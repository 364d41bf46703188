/**
 * Decides whether the bot must be downloaded (again): its zip is missing or invalid (python/check_bot_zip.py). A valid one stays, because
 * the bot updates it.
 */

import { copyFile, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errorCode, errorText, parseJson } from '@skolo/base';
import { syncFolder } from '@skolo/base/durable/atomic-file';
import type { RunCommand } from '@skolo/base/run-command';
import type { Emit } from '@skolo/common/light';
import { z } from 'zod';
import type { AgentEvent } from '../events.ts';
import { pythonFolder } from '../package-files.ts';
import { fileTrouble, isFileTrouble } from './bot-folder.ts';
import { type DownloadOptions, download } from './download.ts';
import { cleanEnvironment } from './environment.ts';

export interface InstallDeps extends CheckDeps, Omit<DownloadOptions, 'token' | 'timeoutMs'> {
  botDir: string;
  token: (signal: AbortSignal) => Promise<string>;
  downloadMs: number;
  emit: Emit<AgentEvent>;
}

export function zipOf(botDir: string): string {
  return join(botDir, 'swarming_bot.zip');
}

/**
 * Checks the zip, and downloads it again if it is not valid.
 *
 * @throws Error With a text for people: there is no valid zip.
 */
export async function ensureZip(deps: InstallDeps): Promise<void> {
  const { botDir, server, emit, signal } = deps;
  const check = await checkZip(zipOf(botDir), deps);
  if (check.isSound) return;
  const download = { server, botDir, why: check.why };
  try {
    await fetchSomewhere(deps);
    emit({ type: 'bot-downloaded', ...download });
  } catch (error) {
    signal.throwIfAborted();
    emit({ type: 'bot-not-downloaded', ...download, failed: errorText(error) });
    throw error;
  }
}

/** Another directory may have space left, or be writable. */
const elsewhere = ['EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR', 'ENOSPC', 'EDQUOT'];

async function fetchSomewhere(deps: InstallDeps): Promise<void> {
  const { botDir } = deps;
  const inside = join(botDir, '.swarming_bot.zip.part');
  // Next to the directory first: a starting bot deletes unknown files in it.
  const beside = join(dirname(botDir), `.${basename(botDir)}.swarming_bot.zip.part`);
  try {
    await fetchTo(beside, inside, deps);
  } catch (error) {
    if (!elsewhere.includes(errorCode(error) ?? '')) throw readable(error, botDir);
    try {
      await fetchTo(inside, inside, deps);
    } catch (second) {
      throw readable(second, botDir);
    }
  }
}

async function fetchTo(temp: string, inside: string, deps: InstallDeps): Promise<void> {
  try {
    // It is this agent's own file, because it is covered by the directory's lock.
    await rm(temp, { force: true, recursive: true });
    const file = await open(temp, 'wx', 0o644);
    try {
      const { server, botId, localAddress, downloadMs: timeoutMs, stallMs, signal } = deps;
      const token = await deps.token(signal);
      await download(file, { server, botId, token, localAddress, timeoutMs, stallMs, signal });
      await file.sync();
    } finally {
      await file.close();
    }
    const check = await checkZip(temp, deps);
    if (!check.isSound) throw new Error(`${deps.server} did not send a valid bot: ${check.why}`);
    await putInPlace(temp, inside, zipOf(deps.botDir));
  } finally {
    await rm(temp, { force: true }).catch(() => undefined);
  }
}

async function putInPlace(temp: string, inside: string, zip: string): Promise<void> {
  try {
    await replace(temp, zip);
  } catch (error) {
    if (errorCode(error) !== 'EXDEV') throw error;
    // The directory is a mount, as in a container.
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
    if (!['EISDIR', 'ENOTEMPTY', 'EEXIST'].includes(errorCode(error) ?? '')) throw error;
    await rm(zip, { force: true, recursive: true });
    await rename(temp, zip);
  }
}

async function sync(path: string): Promise<void> {
  await using file = await open(path, 'r');
  await file.sync();
}

function readable(error: unknown, botDir: string): unknown {
  return isFileTrouble(error)
    ? new Error(`${botDir}: the bot could not be saved: ${fileTrouble(error)}`, { cause: error })
    : error;
}

/** Asks Python whether a zip is a bot that it can run; see check_bot_zip.py. */
const ZipCheck = z.discriminatedUnion('isSound', [
  z.object({ isSound: z.literal(true) }),
  z.object({ isSound: z.literal(false), why: z.string() }),
]);
type ZipCheck = z.output<typeof ZipCheck>;

interface CheckDeps {
  run: RunCommand;
  env: NodeJS.ProcessEnv;
  python: string;
  server: string;
  timeoutMs: number;
  signal: AbortSignal;
}

/**
 * @throws Error The check itself failed, which says nothing about the zip.
 * @throws The signal's reason.
 */
export async function checkZip(path: string, deps: CheckDeps): Promise<ZipCheck> {
  const { run, env, python, server, timeoutMs, signal } = deps;
  const known = await stat(path).catch(() => undefined);
  if (known === undefined) return { isSound: false, why: 'it does not exist' };
  if (!known.isFile()) return { isSound: false, why: 'it is not a file' };
  const { status, stdout, stderr } = await run(
    python,
    ['-I', '-S', `${pythonFolder}/check_bot_zip.py`, path, server],
    { timeoutMs, signal, env: cleanEnvironment(env), mostBytes: 64 * 1024 },
  );
  const check = ZipCheck.safeParse(parseJson(stdout)).data;
  if (status === 0 && check !== undefined) return check;
  const why = stderr.trim().split('\n').at(-1) || `status ${status ?? 'none'}`;
  throw new Error(`${python} cannot check the bot's zip file: ${why.slice(0, 200)}`);
}
