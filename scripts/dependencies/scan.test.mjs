import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { lacks } from '@skolo/simulators/peer';
import { beforeEach, expect, it, onTestFinished } from 'vitest';

const program = join(import.meta.dirname, 'scan.mjs');
const run = promisify(execFile);

/** @type {string} */
let dir;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'skolo-scan-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
});

/** @param {Record<string, unknown>} files */
function write(files) {
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(dir, name), JSON.stringify(content));
  }
}

/**
 * Runs the scan in the directory.
 *
 * @param {string[]} args
 */
async function scan(...args) {
  const all = [program, '--lock', 'lock.json', '--vex', 'vex.json', ...args];
  const {
    code = 0,
    stdout,
    stderr,
  } = await run(process.execPath, all, { cwd: dir }).catch((error) => error);
  return { code, text: `${stdout}${stderr}` };
}

/**
 * @param {string} version
 * @param {object} [more]
 */
function lockWith(version, more) {
  const packages = {
    '': { version: '1.0.0' },
    'packages/ours': { version: '1.0.0' },
    'node_modules/@skolo/ours': { link: true },
    'node_modules/@scope/library': { version, license: 'MIT' },
    'node_modules/other': { version: '1.0.0', license: '(MIT OR GPL-3.0)' },
    ...more,
  };
  return { packages };
}

/**
 * @param {string} id
 * @param {string} name
 * @param {object[]} events
 * @param {object} [more]
 */
function entry(id, name, events, more) {
  const affected = [{ package: { ecosystem: 'npm', name }, ranges: [{ type: 'SEMVER', events }] }];
  return { id, modified: '2026-11-01T00:00:00Z', summary: 'A hole', affected, ...more };
}

const high = { database_specific: { severity: 'HIGH' } };
const planted = entry(
  'GHSA-planted',
  '@scope/library',
  [{ introduced: '0' }, { fixed: '1.4.2' }, { introduced: '2.0.0-rc.1' }, { fixed: '2.1.0' }],
  { ...high, aliases: ['CVE-2026-0001'] },
);
const database = [
  planted,
  entry('GHSA-fixed', 'other', [{ introduced: '0' }, { fixed: '1.0.0' }], high),
  entry('GHSA-foreign', 'not-here', [{ introduced: '0' }], high),
];

it('finds the planted entry of three, and what fixes it', async () => {
  write({ 'lock.json': lockWith('1.4.1'), 'database.json': database });

  const { code, text } = await scan('--database', 'database.json');

  expect(
    text,
  ).toBe(`@scope/library 1.4.1: GHSA-planted, CVE-2026-0001: high: A hole; fixed in 1.4.2, 2.1.0; fails
2 packages (2 may ship) compared with 3 entries: findings at or above low
`);
  expect(code).toBe(1);
});

it.each([
  ['0.0.1-alpha', 1],
  ['1.4.2-rc.1', 1],
  ['1.4.2', 0],
  ['1.10.0', 0],
  ['2.0.0-beta', 0],
  ['2.0.0-rc.1', 1],
  ['2.0.0-rc.10', 1],
  ['2.0.0', 1],
  ['2.1.0+build', 0],
])('compares versions as npm does: %s', async (version, code) => {
  write({ 'lock.json': lockWith(version), 'database.json': database });

  expect(await scan('--database', 'database.json')).toMatchObject({ code });
});

it.each([
  { threshold: 'critical', entry: planted, code: 0 },
  { threshold: 'high', entry: planted, code: 1 },
  // Nobody has rated it, such as malware.
  { threshold: 'critical', entry: { ...planted, database_specific: undefined }, code: 1 },
  { threshold: 'low', entry: { ...planted, withdrawn: '2026-11-02T00:00:00Z' }, code: 0 },
])('with the threshold $threshold, exits with $code', async ({ threshold, entry, code }) => {
  write({ 'lock.json': lockWith('1.0.0'), 'database.json': entry });

  expect(await scan('--database', 'database.json', '--threshold', threshold)).toMatchObject({
    code,
  });
});

/**
 * @param {object} statement
 */
function vexWith(statement) {
  const common = {
    vulnerability: { name: 'CVE-2026-0001' },
    products: [{ '@id': 'pkg:npm/%40scope/library@1.4.1' }],
  };
  return {
    '@context': 'https://openvex.dev/ns/v0.2.0',
    statements: [{ ...common, ...statement }],
  };
}

it('prints why a vulnerability does not apply, for the version that was examined only', async () => {
  const statement = {
    status: 'not_affected',
    justification: 'vulnerable_code_not_in_execute_path',
  };
  write({
    'lock.json': lockWith('1.4.1'),
    'database.json': database,
    'vex.json': vexWith(statement),
  });

  const { code, text } = await scan('--database', 'database.json');

  expect({ code, text }).toMatchObject({
    code: 0,
    text: expect.stringContaining('; not affected: vulnerable_code_not_in_execute_path\n'),
  });
  write({ 'lock.json': lockWith('1.4.0') });
  expect(await scan('--database', 'database.json')).toMatchObject({ code: 1 });
});

it.each([
  ['a statement without a reason', { 'vex.json': vexWith({ status: 'not_affected' }) }],
  ['an empty database', { 'database.json': [] }],
  ['a file that is no database', { 'database.json': { vulnerabilities: [] } }],
])('does not pass with %s', async (_what, files) => {
  write({ 'lock.json': lockWith('1.0.0'), 'database.json': database, ...files });

  expect(await scan('--database', 'database.json')).toMatchObject({ code: 2 });
});

it.skipIf(lacks('python3'))('reads the ZIP of files that OSV publishes', async () => {
  write({ 'lock.json': lockWith('1.4.1'), 'GHSA-planted.json': planted });
  await run('python3', ['-m', 'zipfile', '-c', 'all.zip', 'GHSA-planted.json'], { cwd: dir });

  expect(await scan('--database', 'all.zip')).toMatchObject({ code: 1 });
});

it('fails for a licence that may not ship, unless only development needs the package', async () => {
  const gpl = { version: '1.0.0', license: 'GPL-3.0' };
  const of = (/** @type {object} */ more) => lockWith('2.1.0', { 'node_modules/gpl': more });
  write({ 'lock.json': of(gpl), 'database.json': database });

  const { code, text } = await scan('--database', 'database.json');

  expect(text).toContain('gpl 1.0.0: licence GPL-3.0; see docs/reference/dependencies.md\n');
  expect(code).toBe(1);
  write({ 'lock.json': of({ ...gpl, dev: true }) });
  expect(await scan('--database', 'database.json')).toMatchObject({ code: 0 });
});

it('finds no other licence in what skolo ships', async () => {
  write({ 'database.json': database });

  const { stdout } = await run(process.execPath, [program, '--database', 'database.json'], {
    cwd: dir,
  });

  expect(stdout).toMatch(/^\d{3} packages .* nothing at or above low$/m);
});
