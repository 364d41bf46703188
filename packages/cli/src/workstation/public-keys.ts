/** The ssh public keys of the person at this workstation. */
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ifThere } from '@skolo/base';
import { publicKeysOf } from '@skolo/setup/jumphost';
import type { SkoloCommand } from '../command.ts';
import { CliError, exitCodes } from '../errors.ts';
import { readGivenFile } from './given-file.ts';

/** Those of `--key`, otherwise those in ~/.ssh. @throws CliError There is none. */
export async function publicKeys(
  { io }: SkoloCommand,
  given: string[] | undefined,
): Promise<string[]> {
  const files =
    given?.map((file) => resolve(io.folder, file)) ??
    (await ownKeys(io.env.HOME ?? io.env.USERPROFILE ?? ''));
  const keys: string[] = [];
  for (const file of files) {
    keys.push(
      ...publicKeysOf(
        await readGivenFile(file, 'specify a readable file with --key', exitCodes.failed),
        file,
      ),
    );
  }
  if (keys.length > 0) return [...new Set(keys)];
  throw new CliError(
    'no SSH public key found; specify a file with --key, or create a key pair with ssh-keygen',
  );
}

async function ownKeys(home: string): Promise<string[]> {
  const folder = join(home, '.ssh');
  const names = (await ifThere(readdir(folder))) ?? [];
  return names.filter((name) => /^id_.*\.pub$/.test(name)).map((name) => join(folder, name));
}
