import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';

const folder = fileURLToPath(new URL('testdata/report', import.meta.url));
const path = 'scripts/testdata/report';
const vitest = fileURLToPath(new URL('../node_modules/.bin/vitest', import.meta.url));

it('reports every outcome, also what fails outside of the tests', async () => {
  const results = mkdtempSync(join(tmpdir(), 'skolo-report-'));
  onTestFinished(() => rmSync(results, { recursive: true }));
  const file = join(results, 'new', 'results.json');
  const args = ['run', '--outputFile', file];

  await expect(promisify(execFile)(vitest, args, { cwd: folder })).rejects.toThrow();

  const { passed, failed, skipped, files } = JSON.parse(readFileSync(file, 'utf8'));
  const name = (/** @type {{ name: string }} */ a, /** @type {{ name: string }} */ b) =>
    a.name < b.name ? -1 : 1;
  expect(passed).toBe(3);
  expect(failed.sort(name)).toEqual([
    { name: 'outside of a test', why: 'too late' },
    {
      name: `${path}/does-not-load.fixture.mjs > `,
      why: expect.stringContaining("Cannot find module './missing.mjs'"),
    },
    { name: `${path}/empty.fixture.mjs > an empty table`, why: 'has no tests' },
    {
      name: `${path}/outcomes.fixture.mjs > fails`,
      why: expect.stringMatching(/^expected \{ .* to deeply equal \{ /),
    },
    {
      name: `${path}/outcomes.fixture.mjs > is skipped by hand`,
      why: 'was skipped without a reason',
    },
    {
      name: `${path}/outcomes.fixture.mjs > with a hook that fails`,
      why: 'no server at this address',
    },
  ]);
  expect(files).toContainEqual({
    name: `${path}/outcomes.fixture.mjs`,
    seconds: expect.closeTo(0.5, 0),
  });
  expect(skipped.sort(name)).toEqual([
    { name: `${path}/outcomes.fixture.mjs > is skipped`, why: 'curl is not installed' },
    {
      name: `${path}/outcomes.fixture.mjs > part 1 > test 2 is skipped with its suite`,
      why: 'needs root',
    },
    { name: `${path}/outcomes.fixture.mjs > test 3 is skipped with its reason`, why: 'takes long' },
    {
      name: `${path}/outcomes.fixture.mjs > with a hook that fails > never begins`,
      why: 'its preparation failed',
    },
  ]);
});
