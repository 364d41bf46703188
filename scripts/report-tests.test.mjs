import { execFile } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';

const folder = fileURLToPath(new URL('testdata/report', import.meta.url));
const vitest = fileURLToPath(new URL('../node_modules/.bin/vitest', import.meta.url));

it('reports every outcome, also what fails outside of the tests', async () => {
  const file = join(folder, '.test-results.json');
  onTestFinished(() => rmSync(file, { force: true }));

  await expect(promisify(execFile)(vitest, ['run'], { cwd: folder })).rejects.toThrow();

  const { passed, failed, skipped, retried, files } = JSON.parse(readFileSync(file, 'utf8'));
  const name = (/** @type {{ name: string }} */ a, /** @type {{ name: string }} */ b) =>
    a.name < b.name ? -1 : 1;
  expect(passed).toBe(4);
  expect(failed.sort(name)).toEqual([
    {
      name: 'does-not-load.fixture.mjs',
      why: expect.stringContaining("Cannot find module './missing.mjs'"),
    },
    {
      name: 'outcomes.fixture.mjs > fails',
      why: expect.stringMatching(
        /^expected \{ .* to deeply equal \{ .* - {3}"port": 2, \+ {3}"port": 1,$/,
      ),
    },
    { name: 'outcomes.fixture.mjs > is skipped by hand', why: 'was skipped without a reason' },
    { name: 'outcomes.fixture.mjs > with a hook that fails', why: 'no server' },
    { name: 'outside of a test', why: 'too late' },
  ]);
  expect(files).toContainEqual({ name: 'outcomes.fixture.mjs', seconds: expect.closeTo(0.5, 0) });
  expect(retried).toEqual([
    { name: 'outcomes.fixture.mjs > passes when it is tried again', why: 'not yet seed 42' },
  ]);
  expect(skipped.sort(name)).toEqual([
    { name: 'outcomes.fixture.mjs > is skipped', why: 'curl is not installed' },
    {
      name: 'outcomes.fixture.mjs > part 1 > test 2 is skipped with its suite',
      why: 'needs root',
    },
    { name: 'outcomes.fixture.mjs > test 3 is skipped with its reason', why: 'takes long' },
    {
      name: 'outcomes.fixture.mjs > with a hook that fails > never begins',
      why: 'what should have prepared them failed',
    },
  ]);
});
