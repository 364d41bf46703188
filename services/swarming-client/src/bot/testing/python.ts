/** The Pythons on this computer that can run a bot. */

import { accessSync, constants, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { findPython } from '@skolo/simulators/python';

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

function minorOf(path: string): number {
  return Number(/\/3\.(\d+)\.[^/]*\/bin/.exec(path)?.[1] ?? 0);
}

/** Those of pyenv that are new enough for the bot, oldest first, for tests of each. */
export const pythons: string[] = ofPyenv()
  .filter((path) => isProgram(path) && minorOf(path) >= 8)
  .sort((a, b) => minorOf(a) - minorOf(b));

/** The one of this computer. */
export const python = findPython();
