/** Public keys of ssh of the person at this desk. */
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { errorCode } from '@skolo/errors';
import { publicKeysOf } from '@skolo/jumphost';
import type { SkoloCommand } from './command.ts';
import { CliError } from './errors.ts';

/** Those of `--key`, else of ~/.ssh. @throws CliError There is none. */
export async function publicKeys(
  { io }: SkoloCommand,
  given: string[] | undefined,
): Promise<string[]> {
  const files =
    given?.map((file) => resolve(io.folder, file)) ??
    (await ownKeys(io.env.HOME ?? io.env.USERPROFILE ?? ''));
  const keys: string[] = [];
  for (const file of files) keys.push(...publicKeysOf(await readKeys(file), file));
  if (keys.length > 0) return [...new Set(keys)];
  throw new CliError('no public key of ssh; name a file with --key, or make one with ssh-keygen');
}

async function readKeys(file: string): Promise<string> {
  return await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new CliError(`${file}: cannot be read (${errorCode(cause)}); correct --key`, 1, {
      cause,
    });
  });
}

async function ownKeys(home: string): Promise<string[]> {
  const folder = join(home, '.ssh');
  const names = await readdir(folder).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  });
  return names.filter((name) => /^id_.*\.pub$/.test(name)).map((name) => join(folder, name));
}
