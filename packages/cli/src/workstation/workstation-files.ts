/** Finds a person's files on a workstation, in `~/.config/skolo`: default options, and a token for each rack. */
import { existsSync } from 'node:fs';
import { chmod, mkdir, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { errorCode, ifThere } from '@skolo/base';
import { readFileIfExists, writeFileAtomic } from '@skolo/base/durable/atomic-file';
import { CliError, exitCodes } from '../errors.ts';

type Env = Readonly<NodeJS.ProcessEnv>;

const usualFolders = {
  XDG_CONFIG_HOME: '.config',
  XDG_CACHE_HOME: '.cache',
  XDG_DATA_HOME: '.local/share',
  XDG_STATE_HOME: '.local/state',
} as const;

/** A directory of this user. XDG Base Directory Specification: a relative path is not valid. */
export function userFolder(env: Env, kind: keyof typeof usualFolders): string {
  const given = env[kind] ?? '';
  return given.startsWith('/') ? given : join(env.HOME || homedir(), usualFolders[kind]);
}

function workstationFolder(env: Env): string {
  return join(userFolder(env, 'XDG_CONFIG_HOME'), 'skolo');
}

/** Absolute paths. */
export interface Defaults {
  rack?: string;
  clusters?: string;
}

/**
 * Defaults of `--rack` and `--clusters`: `config.json` has `{ "rack": FILE, "clusters": FILE }`, relative to its directory.
 *
 * @throws CliError It is not valid.
 */
export async function readDefaults(env: Env): Promise<Defaults> {
  const file = join(workstationFolder(env), 'config.json');
  const text = await readFileIfExists(file).catch((cause: unknown) => {
    throw invalid(file, `cannot be read (${errorCode(cause)})`, cause);
  });
  if (text === undefined) return {};
  // Most users have no such file, and each command would wait for zod.
  const { z } = await import('zod');
  const path = z.string().min(1);
  const File = z.strictObject({ rack: path.optional(), clusters: path.optional() });
  try {
    const { rack, clusters } = File.parse(JSON.parse(text));
    const absolute = (given: string) => resolve(dirname(file), given);
    return {
      ...(rack !== undefined && { rack: absolute(rack) }),
      ...(clusters !== undefined && { clusters: absolute(clusters) }),
    };
  } catch (cause) {
    throw invalid(file, 'expected {"rack": "FILE", "clusters": "FILE"}, each optional', cause);
  }
}

function invalid(file: string, what: string, cause: unknown): CliError {
  return new CliError(`${file}: ${what}`, exitCodes.badConfiguration, { cause });
}

function tokenFile(env: Env, rack: string): string {
  return join(workstationFolder(env), 'tokens', rack);
}

/** The file with the token that `skolo login` saved for a rack; undefined without one. */
export function savedTokenFile(env: Env, rack: string): string | undefined {
  const file = tokenFile(env, rack);
  return existsSync(file) ? file : undefined;
}

/** Saves a token in a file that only its owner can read, replacing the previous one. Returns the file. */
export async function saveToken(env: Env, rack: string, token: string): Promise<string> {
  const file = tokenFile(env, rack);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  // It may exist with other permissions.
  await chmod(dirname(file), 0o700);
  await writeFileAtomic(file, `${token}\n`);
  return file;
}

/** Whether there was one. */
export async function removeToken(env: Env, rack: string): Promise<boolean> {
  const removed = rm(tokenFile(env, rack)).then(() => true);
  return (await ifThere(removed)) ?? false;
}
