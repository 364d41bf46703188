import { execFileSync } from 'node:child_process';
import { peer } from './peer.ts';

/** The path of a Python with all modules. Programs of pyenv on the PATH are scripts, which need more than Python to start. */
export function findPython(): string | undefined {
  const found = peer('python3');
  if (found === undefined) return undefined;
  const print = ['-c', 'import sys; print(sys.executable)'];
  return execFileSync(found, print, { encoding: 'utf8' }).trim();
}
