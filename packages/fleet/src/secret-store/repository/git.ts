/** Read-only queries of git's index, which contains the next commit. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { buffer, text } from 'node:stream/consumers';
import { withDeadline } from '@skolo/base';
import { StoreError } from '../errors.ts';

const deadlineMs = 60_000;

export interface GitDeps {
  folder: string;
  /** In a hook, git passes its index in variables. */
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
}

/**
 * Runs git with input, and returns its output.
 *
 * @param mayFindNothing exit code 1 is not a failure, as with `git grep`
 * @throws StoreError
 */
export async function git(
  { folder, env, signal }: GitDeps,
  args: readonly string[],
  { input = '', mayFindNothing = false }: { input?: string; mayFindNothing?: boolean } = {},
): Promise<Buffer> {
  const what = `git ${args[0]}`;
  const late = () => new StoreError(`${what}: no response within 60 s`);
  return await withDeadline({ ms: deadlineMs, late, signal }, async (stop) => {
    const child = spawn('git', args, { cwd: folder, env, signal: stop });
    // It may exit without reading all of it.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    const [out, said, [code]] = await Promise.all([
      buffer(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ]);
    if (code === 0 || (code === 1 && mayFindNothing && said === '')) return out;
    const why = said.trim().split('\n')[0] || `exit code ${code}`;
    throw new StoreError(`${what} in ${folder}: ${why}`);
  });
}

export async function topFolder(deps: GitDeps): Promise<string> {
  return (await git(deps, ['rev-parse', '--show-toplevel'])).toString().trimEnd();
}

/** Paths in the index below a directory, relative to the top directory. */
export async function trackedFiles(deps: GitDeps, below: string): Promise<string[]> {
  const args = ['ls-files', '-z', '--full-name', '--', `:(top,literal)${below}`];
  return (await git(deps, args)).toString().split('\0').filter(Boolean);
}

/** Contents of files in the index, by path. */
export async function indexedContents(
  deps: GitDeps,
  paths: readonly string[],
): Promise<Map<string, string>> {
  const input = paths.map((path) => `:${path}\n`).join('');
  const output = await git(deps, ['cat-file', '--batch'], { input });
  const contents = new Map<string, string>();
  let at = 0;
  for (const path of paths) {
    const end = output.indexOf('\n', at);
    const size = Number(/^\S+ blob (\d+)$/.exec(output.toString('utf8', at, end))?.[1]);
    if (Number.isNaN(size)) throw new StoreError(`${path}: git cannot read it`);
    contents.set(path, output.toString('utf8', end + 1, end + 1 + size));
    at = end + size + 2;
  }
  return contents;
}

interface GrepHit {
  file: string;
  line: number;
  /** Matched text. It may be a secret. */
  match: string;
}

/** Lines in the index that match one of the patterns, which are read from standard input. */
export async function grepIndex(
  deps: GitDeps,
  patterns: readonly string[],
  { as, below }: { as: 'text' | 'expression'; below: string },
): Promise<GrepHit[]> {
  if (patterns.length === 0) return [];
  const how = as === 'text' ? '-F' : '-E';
  const flags = ['--cached', '--text', '--full-name', '-n', '-o', '-z', how, '-f', '-'];
  const found = await git(deps, ['grep', ...flags, '--', `:(top,literal)${below}`], {
    input: `${patterns.join('\n')}\n`,
    mayFindNothing: true,
  });
  return [...found.toString().matchAll(/^([^\0\n]+)\0(\d+)\0(.*)$/gm)].map(
    ([, file = '', line = '', match = '']) => ({ file, line: Number(line), match }),
  );
}
