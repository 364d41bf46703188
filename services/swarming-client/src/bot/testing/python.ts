/** The Pythons of this computer that a bot may run on. */
import { accessSync, constants, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function ofPyenv(): string[] {
  const versions = join(homedir(), '.pyenv/versions');
  try {
    return readdirSync(versions).map((version) => join(versions, version, 'bin/python3'));
  } catch {
    return [];
  }
}

const onPath = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'python3'));

/** Those of pyenv that are new enough for the bot. */
export const pythons: string[] = ofPyenv().filter(
  (path) => isProgram(path) && /\/3\.(?:[89]|1[0-9])\.[^/]*\/bin/.test(path),
);

/** One of them; the programs of pyenv on the PATH are scripts. */
export const python: string | undefined = ['/usr/bin/python3', ...pythons, ...onPath].find(
  isProgram,
);
