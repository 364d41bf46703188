/** No wall-clock time decides whether correct code passes, and none decides what is tested. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../..');

/** Spellings of a time limit of a test's own, and of a choice by the date. The limits of all tests are in vitest.shared.ts. */
const spellings = [
  /(?:[{,]|^)\s*timeout: (?!undefined)|[{,] timeout(?: \}|,)/m,
  /^\s*\}, (?:\d{2,}_?\d{3}|[\d_]{6,}|\d+ \* \d[\d_]*)\);/m,
  /\b(?:testTimeout|hookTimeout|setConfig)\b/,
  // Of playwright: as long as polls.
  /setDefaultTimeout\((?!900_000)/,
  /waitFor\(.*, [\d_]{3,}\)/,
  /now\(\) - \w+\)\.toBeLess/,
  /\{ retry: [1-9]/,
  /\bAbortSignal\.timeout\(/,
  /\bDate\.now\(\) ?%|\bnew Date\(\)\.get(?:UTC)?Day\(/,
];

/** Files with a time limit, and why a slow computer does not reach it or why it is not the test's. */
const exceptions = new Map([
  [
    'packages/base/src/internet/internet.test.ts',
    'what never answers, against the limit that a caller gives',
  ],
  [
    'packages/equipment/src/models/configuration/linear-rules.test.ts',
    'an expression that never ends, against a minute for milliseconds',
  ],
  ['packages/rack/src/watch/watch.test.ts', 'how often the product looks again'],
  [
    'packages/setup/src/jumphost/steps/firewall.slow.test.ts',
    'a connection that a firewall drops never opens',
  ],
  ['services/alert-to-pubsub/src/watch/alertmanager.test.ts', 'answers that never end'],
  [
    'services/swarming-client/src/testing/agent-process.ts',
    'as the limit of all polls, for benches',
  ],
  ['test/bench/src/wrk.test.ts', 'a column of what wrk prints'],
]);

const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => /\.test\.m?ts$|\.test\.mjs$|\/src\/(?:.*\/)?testing\/.*\.ts$/.test(file))
  .filter((file) => !file.endsWith('/time-limits.test.ts'));

function hasTimeLimit(text: string): boolean {
  return spellings.some((spelling) => spelling.test(text));
}

describe('tests', () => {
  it('have no time limits of their own, but for exceptions with a reason', () => {
    const limited = files.filter((file) => hasTimeLimit(readFileSync(join(root, file), 'utf8')));

    expect(files.length).toBeGreaterThan(800);
    expect(limited).toEqual([...exceptions.keys()].sort());
  });
});

describe('hasTimeLimit', () => {
  it.each([
    "it('waits', { timeout: 5000 }, async () => {",
    "describe('all', { timeout }, () => {",
    '  timeout: 300_000 + kills * 30_000,',
    "await expect.poll(read, { interval: 5, timeout: 60_000 }).toBe('on');",
    "await run('sh', args, { env, timeout: limit });",
    "it('waits', async () => {\n}, 600_000);",
    '  }, 60000);',
    'vi.setConfig({ testTimeout: 1 });',
    "it('is tried again', { retry: 2 }, () => {",
    'await vi.waitFor(read, 5000);',
    'expect(performance.now() - start).toBeLessThan(500);',
    'page.setDefaultTimeout(30_000);',
    'const isMonday = new Date().getUTCDay() === 1;',
    'const signal = AbortSignal.timeout(500);',
    'const seed = Date.now() % 1000;',
  ])('recognises %j', (text) => {
    expect(hasTimeLimit(text)).toBe(true);
  });

  it.each([
    "'scrape_timeout: 10s': 'scrape_timeout: 5s',",
    "'switch-2  failed  31 s  timeout: nothing heard for 30 s'",
    'setTimeout(() => {\n    }, 100);',
    'socketErrors: { timeout: undefined },',
  ])('ignores %j', (text) => {
    expect(hasTimeLimit(text)).toBe(false);
  });
});
