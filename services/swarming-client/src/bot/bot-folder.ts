/** Checks the bot's directory (`botDir`): nothing else may use it. */

import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname, normalize } from 'node:path';
import { errorCode, errorText } from '@skolo/base';
import { makeFolder } from '@skolo/base/durable/make-folder';

const ofSystem =
  /^\/(?:$|(?:bin|boot|dev|etc|home|lib\d*|media|mnt|opt|proc|root|run|sbin|srv|sys|tmp|usr|var|var\/\w+|usr\/\w+|home\/[^/]+)$|(?:dev|proc|sys)\/)/;

/** False for directories that others use: the bot deletes unknown files in it, and the agent ends processes in it. */
export function isOfBotsOnly(path: string): boolean {
  return !ofSystem.test(normalize(path).replace(/(?<=.)\/$/, ''));
}

/** @throws Error With a text for people: it cannot be a bot's directory. */
function checkFolder(botDir: string, home: string | undefined): void {
  const remedy = 'set `botDir` in rack.yaml to a directory that only the bot uses, such as /b/s';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant.
  if (!/^[\x00-\x7f]*$/.test(botDir)) {
    throw new Error(
      `${botDir}: the path of the bot directory must contain only ASCII characters; ${remedy}`,
    );
  }
  if (botDir === home || !isOfBotsOnly(botDir)) {
    throw new Error(
      `${botDir} cannot be the bot directory, because the bot deletes unknown files in it; ${remedy}`,
    );
  }
}

/**
 * Creates the directory if it does not exist.
 *
 * @throws Error With a text for people.
 */
export async function prepareFolder(botDir: string, home: string | undefined): Promise<void> {
  checkFolder(botDir, home);
  try {
    await makeFolder(botDir, 0o755);
    await access(botDir, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw notUsable(botDir, error);
  }
}

/** Why the bot cannot have this directory; undefined: it can. Creates nothing. */
export async function folderProblem(
  botDir: string,
  home: string | undefined,
): Promise<string | undefined> {
  try {
    checkFolder(botDir, home);
  } catch (error) {
    return errorText(error);
  }
  for (let at = botDir; ; at = dirname(at)) {
    try {
      await access(`${at}/.`, constants.W_OK | constants.X_OK);
      return undefined;
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') return notUsable(botDir, error).message;
    }
  }
}

function notUsable(botDir: string, error: unknown): Error {
  const text = `${botDir} cannot be the bot directory: ${fileTrouble(error)}`;
  return new Error(text, { cause: error });
}

/** System errors, for people. */
const texts: Record<string, string> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is exhausted',
  EACCES: 'it is not writable',
  EPERM: 'it is not writable',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'it is not a directory',
  EEXIST: 'it is not a directory',
  EIO: 'the disk reports an input/output error',
};

export function isFileTrouble(error: unknown): boolean {
  return (errorCode(error) ?? '') in texts;
}

export function fileTrouble(error: unknown): string {
  return texts[errorCode(error) ?? ''] ?? errorText(error);
}
