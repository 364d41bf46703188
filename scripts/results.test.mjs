import { describe, expect, it } from 'vitest';
import { addUp, closing, notAsked } from './results.mjs';

/** @type {import('./results.mjs').Results} */
const good = {
  passed: 3,
  failed: [],
  skipped: [{ name: 'a.test.ts > a', why: 'curl is missing' }],
  retried: [{ name: 'a.test.ts > b', why: 'no answer' }],
  files: [{ name: 'a.test.ts', seconds: 49.6 }],
};
/** @type {import('./results.mjs').Results} */
const bad = {
  passed: 1,
  failed: [{ name: 'b.test.ts > b', why: 'expected 1 to be 2' }],
  skipped: [],
  retried: [],
  files: [{ name: 'b.test.ts', seconds: 50.6 }],
};

it('a test that does not find what is installed has not asked for it', () => {
  const skipped = ['wrk', 'age', 'systemd-analyze', 'curl or wrk'].map((program) => ({
    name: `looks for ${program}`,
    why: `${program} is not installed`,
  }));
  const nspawn = { name: 'systemd-nspawn', commands: ['nspawn'], others: ['systemd-analyze'] };

  const failed = notAsked(skipped, [{ name: 'wrk', commands: ['wrk'] }, nspawn]);

  expect(failed.map(({ name }) => name)).toEqual(['looks for wrk', 'looks for systemd-analyze']);
});

describe('adding up', () => {
  it('counts the tests of all packages', () => {
    const total = addUp(
      [
        { package: '//', task: 'lint', exitCode: 0 },
        { package: '@skolo/a', task: 'build', exitCode: 0 },
        { package: '@skolo/a', task: 'test', exitCode: 0 },
        { package: '@skolo/b', task: 'test', exitCode: 1 },
      ],
      new Map([
        ['@skolo/a', good],
        ['@skolo/b', bad],
      ]),
    );

    expect(total).toEqual({
      passed: 4,
      failed: [{ name: '@skolo/b b.test.ts > b', why: 'expected 1 to be 2' }],
      skipped: [{ name: '@skolo/a a.test.ts > a', why: 'curl is missing' }],
      retried: [{ name: '@skolo/a a.test.ts > b', why: 'no answer' }],
      files: [
        { name: '@skolo/a a.test.ts', seconds: 49.6 },
        { name: '@skolo/b b.test.ts', seconds: 50.6 },
      ],
      notRun: [],
    });
  });

  it.each(['build', 'lint'])('counts a %s that failed', (task) => {
    const total = addUp([{ package: '@skolo/a', task, exitCode: 2 }], new Map());

    expect(total.failed).toEqual([{ name: `@skolo/a ${task}`, why: 'ended with 2' }]);
  });

  it('names what was not started, without counting what an earlier run left there', () => {
    const total = addUp(
      [
        { package: '@skolo/a', task: 'build', exitCode: 2 },
        { package: '@skolo/a', task: 'lint', exitCode: undefined },
        { package: '@skolo/a', task: 'test', exitCode: undefined },
      ],
      new Map(),
    );

    expect(total.failed).toHaveLength(1);
    expect(total.notRun).toEqual(['@skolo/a lint, test: something that it needs failed']);
  });

  it.each([
    ['that ended badly although no test failed', 137, good, 'ended with 137'],
    ['that ended badly and left nothing', 1, undefined, 'ended with 1'],
    ['that ended well and left nothing', 0, undefined, 'left no results'],
  ])('counts a test run %s', (_what, exitCode, results, why) => {
    const total = addUp(
      [{ package: '@skolo/a', task: 'test', exitCode }],
      new Map(results && [['@skolo/a', results]]),
    );

    expect(total.failed).toEqual([{ name: '@skolo/a test', why }]);
    expect(total.passed).toBe(results?.passed ?? 0);
  });
});

describe('the closing lines', () => {
  it('are one when there is nothing to say', () => {
    const lines = closing(
      { passed: 12, failed: [], skipped: [], retried: [], files: [], notRun: [] },
      [],
    );

    expect(lines).toEqual(['', '12 passed, 0 failed, 0 skipped']);
  });

  it('name what failed, at first or at all, and what was not run, skipped tests by their reason', () => {
    const skipped = ['1', '2', '3', '4', '5', '6', '7'].map((name) => ({ name, why: 'no wrk' }));

    const lines = closing(
      {
        passed: 12,
        failed: [{ name: '@skolo/b b.test.ts > b', why: 'expected 1 to be 2' }],
        skipped: [{ name: 'x', why: 'no curl' }, ...skipped],
        retried: [{ name: '@skolo/a a.test.ts > b', why: 'no answer' }],
        notRun: ['@skolo/c test: something that it needs failed'],
        files: [
          { name: '@skolo/a a.test.ts', seconds: 49.6 },
          { name: '@skolo/b b.test.ts', seconds: 50.6 },
        ],
      },
      ['wrk is not installed'],
    );

    expect(lines.join('\n')).toBe(`
Failed:
  @skolo/b b.test.ts > b: expected 1 to be 2

Passed only when tried again (a defect of the test or of the code):
  @skolo/a a.test.ts > b: no answer

Not run:
  wrk is not installed
  @skolo/c test: something that it needs failed
  1 test: no curl
    x
  7 tests: no wrk
    1
    2
    3
    4
    5
    and 2 more

Test files took 100 s of processor time. Most took:
    51 s  @skolo/b b.test.ts
    50 s  @skolo/a a.test.ts

12 passed, 1 failed, 8 skipped`);
  });
});
