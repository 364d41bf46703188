import { isAbsolute, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root. */
export const root = fileURLToPath(new URL('../../../..', import.meta.url));

/** The directory of the person who started this: npm changes to the root of the repository first. */
export function userFolder(): string {
  const { npm_lifecycle_event: script, INIT_CWD: from } = process.env;
  return script === 'start' && from ? from : process.cwd();
}

/** A path as that person would write it: relative if it is below their directory. */
export function pathFrom(path: string, from: string): string {
  const short = relative(from, resolve(from, path));
  return short === '' || short.startsWith('..') || isAbsolute(short) ? resolve(from, path) : short;
}
