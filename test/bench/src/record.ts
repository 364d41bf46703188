/** `--record`: the program that measured a figure publishes it, with the commit that it is of. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type Bench, type Measurement, rounded } from './bench.ts';

const file = 'docs/reference/measurements.jsonl';
/** The page is made from it. */
const files = 'docs/reference/measurements.*';

/**
 * Writes a bench's figures into a repository's docs/reference/measurements.jsonl, in place of its earlier ones.
 *
 * @param load average before it began
 */
type Record = (bench: Bench, measurement: Measurement, load: number) => void;

/**
 * @param folder of the workspace whose benches they are
 * @throws {Error} if the sources are not those of a commit
 */
export function recorderOf(repository: string, folder: string): Record {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: repository, encoding: 'utf8' }).trim();
  const changed = git('status', '--porcelain', '--', '.', `:!${files}`);
  if (changed) throw new Error(`commit these first, because figures name a commit:\n${changed}`);
  const measured = {
    date: new Date().toISOString().slice(0, 10),
    commit: git('rev-parse', 'HEAD').slice(0, 9),
    node: process.versions.node.replace(/\.\d+$/, ''),
  };
  const part = relative(repository, folder);
  const path = join(repository, file);
  return ({ name, unit }, { figure, against = {} }, load) => {
    const peers = Object.entries(against).map(([peer, theirs]) => [peer, rounded(theirs)]);
    const key = { part, bench: name };
    const figures = { figure: rounded(figure), unit, against: Object.fromEntries(peers) };
    const row = JSON.stringify({ ...key, ...figures, ...measured, load: rounded(load) });
    const ofIt = JSON.stringify(key).replace(/}$/, ',');
    const others = readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line && !line.startsWith(ofIt));
    writeFileSync(path, `${[...others, row].sort().join('\n')}\n`);
  };
}
