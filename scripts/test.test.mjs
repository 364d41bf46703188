import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { root } from './node.mjs';

const passed = { passed: 3, failed: [], skipped: [], files: [{ name: 'a.test.ts', seconds: 2 }] };
const skipped = [{ name: 'packages/a/src/b.test.ts > is skipped', why: 'xz is not installed' }];
const lint = { taskId: '//#lint', execution: { exitCode: 0 } };

/** A clone with the packages `a` and `b`, in which this shell script stands in for turbo. @param {string} turbo */
function createClone(turbo) {
  const clone = mkdtempSync(join(tmpdir(), 'skolo-test-'));
  onTestFinished(() => rmSync(clone, { recursive: true }));
  cpSync(join(root, 'scripts'), join(clone, 'scripts'), {
    recursive: true,
    filter: (file) => !file.includes('.test.'),
  });
  const files = {
    'node_modules/.bin/turbo': `#!/bin/sh\ncat > /dev/null\n${turbo}\n`,
    'packages/a/vitest.config.ts': '',
    'packages/b/vitest.config.ts': '',
    'packages/b/src/b.slow.test.ts': "it('is slow', () => {});\n  it.each(rows)('is slow');\n",
    'scripts/peers.yaml': '[]',
    '.gitignore': 'node_modules\n.turbo\n.test-results\n.skolo\n',
  };
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(clone, file)), { recursive: true });
    writeFileSync(join(clone, file), text, { mode: 0o755 });
  }
  for (const name of ['yaml', 'zod'])
    symlinkSync(join(root, 'node_modules', name), join(clone, 'node_modules', name));
  const git = (/** @type {string[]} */ ...args) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { cwd: clone });
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '--message', 'all');
  return { clone, commit: git('rev-parse', 'HEAD').toString().trim() };
}

/** @param {string} clone */
function runTests(clone, run = 'first') {
  const { stdout, status } = spawnSync(process.execPath, ['scripts/test.mjs', run], {
    cwd: clone,
    encoding: 'utf8',
    env: { ...process.env, npm_lifecycle_event: undefined },
  });
  return { status, stdout, lines: stdout.trim().split('\n') };
}

/** The shell commands of a turbo that leaves these results of each package, and this summary. */
function leave(
  /** @type {Record<string, object>} */ results,
  /** @type {object[]} */ tasks,
  task = 'test',
) {
  const files = Object.entries(results).map(
    ([name, content]) =>
      `mkdir -p packages/${name}/.test-results; echo '${JSON.stringify(content)}' > packages/${name}/.test-results/${task}.json`,
  );
  return `mkdir -p .turbo/runs; echo '${JSON.stringify({ tasks })}' > .turbo/runs/1.json; ${files.join('; ')}`;
}

/** @param {string} name @param {number} [exitCode] */
function taskOf(name, exitCode = 0, task = 'test') {
  return { taskId: `@skolo/${name}#${task}`, execution: { exitCode } };
}

const bothPassed = { a: passed, b: { ...passed, skipped } };

describe('npm test', () => {
  it('prints the totals, what was not run and why, the processor time, and what the second tier adds', () => {
    const { clone } = createClone(leave(bothPassed, [lint, taskOf('a'), taskOf('b')]));

    const { status, lines } = runTests(clone);

    expect(lines.slice(-6)).toEqual([
      'Not run: xz is not installed: 1 tests of packages/a/src/b.test.ts',
      'Processor time of the tests: 4 s, most of it in',
      '     2 s  a.test.ts',
      '     2 s  a.test.ts',
      'npm run test:slow adds 2 tests, or tables of tests',
      '6 passed, 0 failed, 1 skipped',
    ]);
    expect(status).toBe(0);
  });

  it('does not count results of an earlier run', () => {
    const { clone } = createClone(leave(bothPassed, [lint, taskOf('a'), taskOf('b')]));
    expect(runTests(clone).status).toBe(0);
    writeFileSync(join(clone, 'node_modules/.bin/turbo'), '#!/bin/sh\nexit 0');

    expect(runTests(clone).lines.at(-1)).toMatch(/^0 passed, [1-9]/);
  });
});

describe('npm test without an answer', () => {
  const failed = [{ name: 'packages/a/src/a.test.ts > fails', why: 'expected 1' }];
  it.each([
    [
      'turbo does nothing',
      'exit 0',
      ['//#lint: did not run', 'packages/a: test left no results', 'first: no test has passed'],
    ],
    ['turbo is killed', 'kill -9 $$', ['//#lint: did not run', '@skolo/b#test: did not run']],
    [
      'turbo reports an error of its own',
      `${leave(bothPassed, [lint, taskOf('a'), taskOf('b')])}; exit 1`,
      ['turbo: ended with 1'],
    ],
    [
      'lint has failed',
      leave(bothPassed, [
        { taskId: '//#lint', execution: { exitCode: 1 } },
        taskOf('a'),
        taskOf('b'),
      ]),
      ['//#lint: ended with 1'],
    ],
    ['lint was not run', leave(bothPassed, [taskOf('a'), taskOf('b')]), ['//#lint: did not run']],
    [
      'a package was never started',
      leave({ a: passed }, [lint, taskOf('a'), { taskId: '@skolo/b#test' }]),
      ['packages/b: test left no results', '@skolo/b#test: did not run'],
    ],
    [
      'a package left no results',
      leave({ a: passed }, [lint, taskOf('a'), taskOf('b')]),
      ['packages/b: test left no results'],
    ],
    [
      'a package ended with an error after its tests',
      leave(bothPassed, [lint, taskOf('a'), taskOf('b', 1)]),
      ['@skolo/b#test: ended with 1'],
    ],
    [
      'no package has a test',
      leave({ a: { ...passed, passed: 0 }, b: { ...passed, passed: 0 } }, [
        lint,
        taskOf('a'),
        taskOf('b'),
      ]),
      ['first: no test has passed'],
    ],
    [
      'a test has failed',
      `${leave({ a: { ...passed, failed }, b: passed }, [lint, taskOf('a', 1), taskOf('b')])}; exit 1`,
      ['packages/a/src/a.test.ts > fails: expected 1'],
    ],
  ])('fails if %s', (_what, turbo, problems) => {
    const { clone } = createClone(turbo);

    const { status, stdout, lines } = runTests(clone);

    for (const problem of problems) expect(lines).toContain(`Failed: ${problem}`);
    expect(stdout).toMatch(/\d+ passed, [1-9]\d* failed, \d+ skipped\n$/);
    expect(status).toBe(1);
  });
});

describe('.skolo/green.json', () => {
  const green = leave(bothPassed, [lint, taskOf('a'), taskOf('b')]);
  const slow = leave(
    bothPassed,
    [lint, taskOf('a', 0, 'test:slow'), taskOf('b', 0, 'test:slow')],
    'test:slow',
  );
  /** @param {string} clone */
  const readGreen = (clone) => JSON.parse(readFileSync(join(clone, '.skolo/green.json'), 'utf8'));

  it('names the runs of this commit that had no failure', () => {
    const { clone, commit } = createClone(`${green}; ${slow.replace('runs/1', 'runs/2')}`);

    runTests(clone);
    runTests(clone, 'slow');

    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT/);
    expect(readGreen(clone)).toEqual({ commit, runs: { first: time, slow: time } });
  });

  it('forgets a run that fails when it is repeated', () => {
    const { clone, commit } = createClone('if [ -e .turbo/runs ]; then exit 1; fi');
    const turbo = join(clone, 'node_modules/.bin/turbo');
    writeFileSync(turbo, `#!/bin/sh\n${green}`);
    runTests(clone);
    expect(Object.keys(readGreen(clone).runs)).toEqual(['first']);
    writeFileSync(turbo, '#!/bin/sh\nexit 1');

    runTests(clone);

    expect(readGreen(clone)).toEqual({ commit, runs: {} });
  });

  it.each([
    ['has changes', 'echo // changed >> scripts/test.mjs', ''],
    ['changes during the run', 'true', 'echo // changed >> scripts/run.mjs'],
    [
      'is restored during the run',
      'true',
      'echo // changed >> scripts/run.mjs; git checkout --quiet scripts',
    ],
    ['has a file that a setting hides', 'git config status.showUntrackedFiles no; touch new', ''],
  ])('is not written if the working tree %s', (_what, before, during) => {
    const { clone } = createClone(`${green}; ${during}`);
    execFileSync('sh', ['-c', before], { cwd: clone });

    expect(runTests(clone).status).toBe(0);

    expect(() => readGreen(clone)).toThrow('ENOENT');
  });

  it('does not name the second tier without the counterparts that can be installed', () => {
    const { clone, commit } = createClone(slow);
    const peers =
      '- { name: nothing, commands: [no-such-program], version: [--version], debian: [nothing] }\n';
    writeFileSync(join(clone, 'scripts/peers.yaml'), peers);
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-qam', 'peer'], {
      cwd: clone,
    });

    expect(runTests(clone, 'slow').status).toBe(0);

    const { runs, commit: recorded } = readGreen(clone);
    expect(runs).toEqual({});
    expect(recorded).not.toBe(commit);
  });
});
