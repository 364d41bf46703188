import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { lower } from './bench.ts';
import { recorderOf } from './record.ts';

const file = 'docs/reference/measurements.jsonl';
const earlier = '{"part":"services/b","bench":"memory","figure":9,"unit":"MiB"}\n';
const memory = lower('memory', 'MiB', async () => ({ figure: 0 }));
const peak = lower('memory-peak', 'MiB', async () => ({ figure: 0 }));

/** A repository with one commit. */
function repositoryOf() {
  const folder = mkdtempSync(join(tmpdir(), 'skolo-record-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], {
      cwd: folder,
      encoding: 'utf8',
    });
  mkdirSync(join(folder, 'docs/reference'), { recursive: true });
  writeFileSync(join(folder, file), earlier);
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '--message', 'first');
  const commit = git('rev-parse', 'HEAD').slice(0, 9);
  const lines = () => readFileSync(join(folder, file), 'utf8').trim().split('\n');
  return { folder, commit, lines };
}

it('a figure replaces the earlier one of its bench only, with the commit that it is of', () => {
  const { folder, commit, lines } = repositoryOf();
  const part = (name: string) => recorderOf(folder, join(folder, 'services', name));

  part('b')(peak, { figure: 3 }, 0.5);
  part('a')(memory, { figure: 1 }, 0.5);
  part('b')(memory, { figure: 12.3456, against: { peer: 1234.5 } }, 1.25);

  expect(lines().map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({ part: 'services/a', bench: 'memory', figure: 1 }),
    {
      ...{ part: 'services/b', bench: 'memory', figure: 12.35, unit: 'MiB' },
      ...{ against: { peer: 1235 }, commit, load: 1.25 },
      date: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
      node: expect.stringMatching(/^\d+\.\d+$/),
    },
    expect.objectContaining({ part: 'services/b', bench: 'memory-peak', figure: 3 }),
  ]);
});

it('sources that are of no commit have no figures', () => {
  const { folder } = repositoryOf();
  writeFileSync(join(folder, 'new.ts'), '');

  expect(() => recorderOf(folder, folder)).toThrow('commit these first');
});
