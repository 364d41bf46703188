/** No wall-clock time decides whether correct code passes, and none decides what is tested. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../..');

/** What a limit that is the last argument of a test or of its preparation looks like, by the indentation of its beginning. */
const block = String.raw`^( *)(?:(?:it|test|describe|(?:before|after)(?:All|Each))\b|\]?\)\().*\n(?:\1 .*\n|\n)*`;

/** Spellings of a time limit of a test's own, of second tries, and of a choice by the date. The limits of all tests are in vitest.shared.ts. */
const spellings = [
  /(?:[{,]|^)\s*timeout: (?!undefined)|[{,] timeout(?: \}|,)/m,
  new RegExp(String.raw`${block}\1\}, (?![[{'"\x60]).*\);$`, 'm'),
  new RegExp(String.raw`${block}\1  \},\n\1  [\w.]+(?: [*+/-] [\w.]+)*,\n\1\);$`, 'm'),
  /^( *)(?:await )?vi\.wait.*\n(?:\1 .*\n|\n)*\1\}, [\d_]+\);$/m,
  /\b(?:waitFor|waitUntil)\(.*, [\d_]{3,}\)/,
  /\b(?:testTimeout|hookTimeout|setConfig)\b/,
  // As long as polls: of playwright, and for benches.
  /setDefault(?:Navigation)?Timeout\((?!900_000)/,
  /\bAbortSignal\.timeout\((?!900_000)/,
  // Of kubectl: as long as polls, or tests.
  /--timeout=(?!900s|1h)/,
  /now\(\) - \w+\)?\)\.toBeLess/,
  /^ *(?:it|test|describe)\b.*\bretry: (?!0\b)|^ +\{.*\bretry: (?!0\b).*\},\n *(?:async )?\(/m,
  /\bDate\.now\(\) ?%|\bseed(?:ed\(|: |\w* = ).*\bDate\.now\(|\bnew Date\(\)\.get(?:UTC)?\w+\(/,
];

/** Files with a time limit, and why a slow computer does not reach it or why it is not the test's. */
const exceptions = new Map([
  [
    'packages/base/src/internet/internet.test.ts',
    'what never answers, against the limit that a caller gives',
  ],
  [
    'packages/equipment/src/models/testing/linear-rules.ts',
    'as the limit of polls, for an expression that never ends',
  ],
  [
    'packages/setup/src/jumphost/steps/firewall.slow.test.ts',
    'a connection that a firewall drops never opens',
  ],
  ['services/alert-to-pubsub/src/watch/alertmanager.test.ts', 'answers that never end'],
  ['test/bench/src/wrk.test.ts', 'a column of what wrk prints'],
  [
    'test/e2e/src/fallback/fake-k3s.ts',
    'the limit of a kubelet for a probe, which it then repeats',
  ],
  [
    'test/e2e/src/readers/equipment.ts',
    'equipment that never comes to an end; what it has cost until then counts',
  ],
  ['test/images/src/engine/docker.ts', 'as the limit of all tests, before the first of them'],
]);

const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter(
    (file) =>
      /\.test\.m?[jt]sx?$|\/testing\/.*\.m?[jt]s$/.test(file) ||
      // Helpers of tests, too.
      /^test\/(?:e2e|images|kube)\/src\/.*\.ts$/.test(file),
  )
  // Not one that was removed, but is still in the index.
  .filter((file) => existsSync(join(root, file)))
  .filter((file) => !file.endsWith('/time-limits.test.ts'));

function hasTimeLimit(text: string): boolean {
  return spellings.some((spelling) => spelling.test(text));
}

describe('tests', () => {
  it('have no time limits of their own, but for exceptions with a reason', () => {
    const limited = files.filter((file) => hasTimeLimit(readFileSync(join(root, file), 'utf8')));

    expect(files.length).toBeGreaterThan(1000);
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
    "it('waits', async () => {\n  await wait();\n}, 600_000);",
    "  it.skipIf(why)('waits', async () => {\n    await wait();\n\n  }, 60000);",
    "it.each([\n  'a',\n])('waits for %s', async (name) => {\n  await wait(name);\n}, 10 * minutes);",
    'beforeAll(async () => {\n  await wait();\n}, timeoutMs);',
    "it(\n  'waits',\n  async () => {\n    await wait();\n  },\n  180_000,\n);",
    "it.skipIf(why)(\n  'waits',\n  async () => {\n    await wait();\n  },\n  15 * minutes,\n);",
    "await vi.waitFor(async () => {\n  expect(await read()).toBe('on');\n}, 5000);",
    'vi.setConfig({ testTimeout: 1 });',
    "it('is tried again', { retry: 2 }, () => {",
    "describe('all', { concurrent: true, retry: tries }, () => {",
    "it(\n  'is tried again',\n  { retry: 2 },\n  async () => {",
    "await plane.kubectl(['wait', '--for=condition=Ready', 'pod/a', '--timeout=120s']);",
    'await vi.waitFor(read, 5000);',
    'expect(performance.now() - start).toBeLessThan(500);',
    'page.setDefaultTimeout(30_000);',
    'const isMonday = new Date().getUTCDay() === 1;',
    'const signal = AbortSignal.timeout(500);',
    'const seed = Date.now() % 1000;',
    'const random = seeded(Date.now());',
    'fc.assert(property, { seed: Math.floor(Date.now() / 86_400_000) });',
  ])('recognises %j', (text) => {
    expect(hasTimeLimit(text)).toBe(true);
  });

  it.each([
    "'scrape_timeout: 10s': 'scrape_timeout: 5s',",
    "'switch-2  failed  31 s  timeout: nothing heard for 30 s'",
    'setTimeout(() => {\n      end();\n    }, 30_000);',
    "it('ends', async () => {\n  setTimeout(() => {\n    end();\n  }, 30_000);\n});",
    "await vi.waitFor(async () => {\n  expect(await read()).toBe('on');\n}, seldom);",
    "it.each(names)('%s', (name) => {\n  ask(name);\n});",
    'const { watch } = await started({ retry: 10 });',
    "const message = ['retry: 10'];",
    'const expiresAt = new Date(Date.now() + 86_400_000);',
    'socketErrors: { timeout: undefined },',
  ])('ignores %j', (text) => {
    expect(hasTimeLimit(text)).toBe(false);
  });
});
