/** Publishing, from a small repository with real git, ssh-keygen, gpg and dpkg-deb to a forge and a registry that only record. */
import { execFile, execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { lacks } from '@skolo/simulators/peer';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { targets } from '../release/images.mjs';

const repository = 'https://forge.example/ann/skolo';
const program = pathToFileURL(join(import.meta.dirname, 'publish.mjs'));

/** A forge that has the release and its files in a directory, and a registry. Each prints what it is told to `log`. */
const programs = {
  gh: `echo "gh $1 $2" >> "$AT/log"
case "$2" in
  view) [ -d "$AT/release" ] || exit 1; ls "$AT/release"; cat "$AT/draft" ;;
  create) mkdir "$AT/release"; echo true > "$AT/draft" ;;
  upload) shift 6; cp "$@" "$AT/release" ;;
  edit) echo false > "$AT/draft" ;;
esac
`,
  npm: `echo "npm $1" >> "$AT/log"
case "$1" in
  view) [ ! -e "$AT/published" ] || echo 0.3.0 ;;
  publish) [ ! -e "$AT/registry-is-down" ] && touch "$AT/published" ;;
esac
`,
};

/** @type {string} */
let dir;
/** @type {string} */
let root;
/** @type {NodeJS.ProcessEnv} */
let env;
/** @type {string} */
let key;

const why = lacks('gpg', 'ssh');
beforeAll(() => {
  if (why !== undefined) return;
  dir = mkdtempSync(join(tmpdir(), 'skolo-publish-'));
  const home = join(dir, 'gnupg');
  mkdirSync(home, { mode: 0o700 });
  env = {
    ...process.env,
    AT: dir,
    GNUPGHOME: home,
    PATH: `${join(dir, 'bin')}:${process.env.PATH}`,
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: `url.${join(dir, 'forge.git')}.insteadOf`,
    GIT_CONFIG_VALUE_0: repository,
  };
  for (const [name, text] of Object.entries(programs)) {
    write(`bin/${name}`, `#!/bin/sh\n${text}`);
    chmodSync(join(dir, 'bin', name), 0o755);
  }
  const create = ['--passphrase', '', '--quick-generate-key', 'packages@test', 'ed25519', 'sign'];
  execFileSync('gpg', ['--batch', '--quiet', ...create], { env, stdio: 'pipe' });
  const listed = execFileSync('gpg', ['--list-keys', '--with-colons'], { env, encoding: 'utf8' });
  key = /^fpr:*([\dA-F]{40}):$/m.exec(listed)?.[1] ?? '';
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(dir, 'signer')]);
  write('package/DEBIAN/control', control);
  execFileSync('dpkg-deb', ['-Znone', '--build', join(dir, 'package'), join(dir, 'skolo.deb')]);
});
afterAll(() => {
  if (why !== undefined) return;
  execFileSync('gpgconf', ['--kill', 'gpg-agent'], { env });
  rmSync(dir, { recursive: true });
});

beforeEach((context) => {
  context.skip(why !== undefined, why);
  for (const name of [
    'log',
    'draft',
    'release',
    'published',
    'registry-is-down',
    'apt',
    'uploaded',
  ])
    rmSync(join(dir, name), { recursive: true, force: true });
  root = makeRepository();
});

it('prints what goes where, in order, and does nothing', async () => {
  const { code, text } = await publish();

  expect(text.split('\n').map((line) => line.split(root).join('ROOT'))).toEqual([
    expect.stringMatching(/^skolo 0\.3\.0, commit [\da-f]{9}, is published in this order:$/),
    `1. tag: v0.3.0 to ${repository}`,
    `2. release: 5 files of ROOT/out/release/0.3.0, and the changes in CHANGELOG.md, to ${repository}/releases/tag/v0.3.0`,
    '3. npm: skolo-cli-0.3.0.tgz to registry.npmjs.org, with provenance, as @skolo/cli',
    `4. images: ${targets().length} images to registry.example/skolo/NAME:0.3.0, with SBOM and provenance; their digests, images.txt, to the release`,
    `5. apt: skolo_0.3.0_amd64.deb to ${dir}/apt, with an index signed by ${key}, and from there to https://apt.example`,
    'To publish it, add --yes 0.3.0',
    '',
  ]);
  expect({ code, log: existsSync(join(dir, 'log')) }).toEqual({ code: 0, log: false });
});

it.each([
  [
    'a value is not filled in',
    () => changeOwner('contact: .*', 'contact: FILL_IN'),
    'owner.yaml:2: contact: FILL_IN: not filled in',
  ],
  [
    'a page has no value',
    () => commit({ 'SECURITY.md': 'Write to FILL_IN.\n' }),
    'SECURITY.md:1: Write to FILL_IN.: not filled in; run npm run generate',
  ],
  [
    'a package has another version',
    () => commit({ 'packages/a/package.json': '{"version":"0.2.0"}' }),
    'packages/a/package.json: version 0.2.0, not 0.3.0; run npm version',
  ],
  [
    'the lock file is old',
    () => commit({ 'packages/a/package.json': '{"version":"0.3.0","dependencies":{"zod":"1"}}' }),
    'package-lock.json: differs from packages/a/package.json; run npm install',
  ],
  ['a file has changed', () => write('clone/new', ''), 'the working tree has changes'],
  [
    'the changes have no day',
    () => commit({ 'CHANGELOG.md': '## 0.3.0\n\nAll.\n' }),
    'CHANGELOG.md: no section `## 0.3.0 (DATE)`',
  ],
  [
    'nobody knows until when it gets fixes',
    () => commit({ 'SUPPORT.md': '| 0.2 | 2026-11-25 | 2027-11-25 |\n' }),
    'SUPPORT.md: no row for 0.3; run npm run generate',
  ],
  [
    'the tag is missing',
    () => git('tag', '--delete', 'v0.3.0'),
    'tag v0.3.0: missing; run git tag',
  ],
  [
    'the tag is elsewhere',
    () => git('commit', '--quiet', '--allow-empty', '--message', 'later'),
    'tag v0.3.0: is commit ',
  ],
  [
    'the release was made before',
    () => git('commit', '--quiet', '--amend', '--message', 'again'),
    'out/release/0.3.0: made from commit ',
  ],
  [
    'there is no release',
    () => rmSync(join(root, 'out'), { recursive: true }),
    'out/release/0.3.0: no release 0.3.0; make it',
  ],
  [
    'a file of the release is damaged',
    () => write('clone/out/release/0.3.0/skolo-cli-0.3.0.tgz', 'x'),
    'skolo-cli-0.3.0.tgz: missing, or not as in SHA256SUMS',
  ],
  [
    'a file was added',
    () => write('clone/out/release/0.3.0/extra', 'x'),
    'extra: not in SHA256SUMS',
  ],
  [
    'it is not signed',
    () => rmSync(join(root, 'out/release/0.3.0/SHA256SUMS.sig')),
    'SHA256SUMS: not signed; run ssh-keygen',
  ],
  [
    'somebody else signed it',
    () => signWithAnotherKey(),
    'SHA256SUMS.sig: not a signature by `signer`',
  ],
  [
    'gpg does not have the key',
    () => changeOwner('key: .*', `key: ${'A'.repeat(40)}`),
    `OpenPGP key ${'A'.repeat(40)}: gpg does not have`,
  ],
])('publishes nothing if %s', async (_what, change, message) => {
  change();

  const { code, text } = await publish('--yes', '0.3.0');

  expect(text).toContain(message);
  expect({ code, log: existsSync(join(dir, 'log')) }).toEqual({ code: 1, log: false });
});

const runsOfTiers = { first: '2026-12-01T08:00:00Z', slow: '2026-12-01T09:00:00.000Z' };
const allRuns = { ...runsOfTiers, long: '2026-12-01T12:00:00+01:00' };
const commands = ['npm test', 'npm run test:slow', 'npm run test:long'];

it.each([
  ['is missing', () => rmSync(recordFile()), 'missing', commands],
  [
    'cannot be read',
    () => {
      rmSync(recordFile());
      mkdirSync(recordFile());
    },
    'cannot be read (EISDIR)',
    commands,
  ],
  [
    'is cut off',
    () => writeFileSync(recordFile(), `{ "commit": "${head()}`),
    'not a record of test runs',
    commands,
  ],
  [
    'has another structure',
    () =>
      writeFileSync(recordFile(), JSON.stringify({ commit: head(), runs: Object.keys(allRuns) })),
    'not a record of test runs',
    commands,
  ],
  [
    'has a run without a time',
    () => writeRecord(head(), { ...allRuns, long: true }),
    'not a record of test runs',
    commands,
  ],
  [
    'is of another commit',
    () => writeRecord('0123456789'.repeat(4), allRuns),
    'of commit 012345678',
    commands,
  ],
  [
    'lacks one run',
    () => writeRecord(head(), runsOfTiers),
    'no successful run',
    ['npm run test:long'],
  ],
  [
    'has all runs, and an unknown one',
    () => writeRecord(head(), { ...allRuns, bare: 'x' }),
    '',
    [],
  ],
  ['has all runs', () => writeRecord(head(), allRuns), '', []],
])('lists each missing test run if the record %s', async (_condition, change, problem, missing) => {
  change();

  const { code, text } = await publish('--only', 'npm');

  expect(text.split('\n').filter((line) => line.includes('green.json'))).toEqual(
    missing.map(
      (command) =>
        `${recordFile()}: ${problem}; run \`${command}\` on commit ${head().slice(0, 9)}, with a clean working tree`,
    ),
  );
  expect(code).toBe(missing.length === 0 ? 0 : 1);
});

it('publishes nothing without a record of test runs', async () => {
  rmSync(recordFile());

  const { code } = await publish('--yes', '0.3.0');

  expect({ code, log: existsSync(join(dir, 'log')) }).toEqual({ code: 1, log: false });
});

it('publishes nothing if --yes names another version', async () => {
  const { code, text } = await publish('--yes', '0.2.0');

  expect(text).toContain('publish: --yes 0.2.0: package.json has version 0.3.0');
  expect({ code, log: existsSync(join(dir, 'log')) }).toEqual({ code: 2, log: false });
});

const withoutImages = ['tag', 'release', 'npm', 'apt'].flatMap((step) => ['--only', step]);

it('goes on after a step that failed, and then does only what is missing', async () => {
  write('registry-is-down', '');

  const first = await publish('--yes', '0.3.0', ...withoutImages);

  expect(first.code).toBe(1);
  expect(resultsIn(first.text)).toEqual([
    'tag: published',
    'release: published',
    'npm: failed',
    'apt: published',
    '0.3.0 is incomplete: npm; remove the cause, and repeat this command',
  ]);
  const forge = ['--git-dir', join(dir, 'forge.git'), 'rev-parse', 'v0.3.0^{commit}'];
  expect(execFileSync('git', forge, { encoding: 'utf8' }).trim()).toBe(git('rev-parse', 'HEAD'));
  expect(readFileSync(join(dir, 'uploaded'), 'utf8')).toContain('InRelease');
  rmSync(join(dir, 'registry-is-down'));
  rmSync(join(dir, 'log'));

  const second = await publish('--yes', '0.3.0', ...withoutImages);

  expect({ code: second.code, results: resultsIn(second.text) }).toEqual({
    code: 0,
    results: [
      'tag: is there already',
      'release: is there already',
      'npm: published',
      'apt: published',
    ],
  });
  expect(readFileSync(join(dir, 'log'), 'utf8')).toBe('gh release view\nnpm view\nnpm publish\n');
});

it('does not try what needs a step that failed', async () => {
  write('clone/.git/hooks/pre-push', '#!/bin/sh\nexit 1\n');
  chmodSync(join(root, '.git/hooks/pre-push'), 0o755);

  const { text } = await publish('--yes', '0.3.0');

  expect(resultsIn(text)).toEqual([
    'tag: failed',
    'release: not tried, because tag failed',
    'npm: published',
    'images: not tried, because release failed',
    'apt: published',
    '0.3.0 is incomplete: tag, release, images; remove the cause, and repeat this command',
  ]);
});

it('does not replace a package that was published', async () => {
  await publish('--yes', '0.3.0', '--only', 'apt');
  const pool = join(dir, 'apt/pool/main/s/skolo/skolo_0.3.0_amd64.deb');
  writeFileSync(pool, 'other bytes');

  const { text } = await publish('--yes', '0.3.0', '--only', 'apt');

  expect(text).toContain(`${pool}: this version was published with other bytes`);
});

const control = `Package: skolo
Version: 0.3.0
Architecture: amd64
Maintainer: Ann <ann@test.example>
Description: test
 of a package
`;

/**
 * A tagged commit, and a signed release of it.
 */
function makeRepository() {
  const folder = join(dir, 'clone');
  rmSync(folder, { recursive: true, force: true });
  rmSync(join(dir, 'forge.git'), { recursive: true, force: true });
  mkdirSync(folder);
  root = folder;
  execFileSync('git', ['init', '--quiet', '--bare', join(dir, 'forge.git')]);
  git('init', '--quiet');
  for (const [name, value] of [
    ['user.name', 'Ann'],
    ['user.email', 'ann@test.example'],
  ])
    git('config', name ?? '', value ?? '');
  const lock = { packages: { '': { version: '0.3.0' }, 'packages/a': { version: '0.3.0' } } };
  commit({
    '.gitignore': 'out/\n.skolo/\n',
    'package.json': '{"version":"0.3.0"}',
    'packages/a/package.json': '{"version":"0.3.0"}',
    'package-lock.json': JSON.stringify(lock),
    'CHANGELOG.md': '## 0.3.0 (2026-12-01)\n\nAll.\n',
    'SUPPORT.md': '| 0.3 | 2026-12-01 | 2027-12-01 |\n',
    'owner.yaml': `repository: ${repository}
contact: ann@test.example
maintainers: [{ name: Ann, account: ann }]
agreed: Ann
supportMonths: 12
signer: ${readFileSync(join(dir, 'signer.pub'), 'utf8').trim()}
images: registry.example/skolo/
apt:
  url: https://apt.example
  directory: ${dir}/apt
  upload: find . > ../uploaded
  key: ${key}
`,
  });
  makeRelease();
  return folder;
}

/** Tags the commit, records its test runs, and makes a release of it. */
function makeRelease() {
  git('tag', '--annotate', '--force', '--message', 'skolo 0.3.0', 'v0.3.0');
  writeRecord(head(), allRuns);
  const files = join(root, 'out/release/0.3.0');
  rmSync(files, { recursive: true, force: true });
  write('clone/out/release/0.3.0/commit.txt', `${head()}\n`);
  write('clone/out/release/0.3.0/skolo-cli-0.3.0.tgz', 'of a test');
  execFileSync('cp', [join(dir, 'skolo.deb'), join(files, 'skolo_0.3.0_amd64.deb')]);
  const names = ['commit.txt', 'skolo-cli-0.3.0.tgz', 'skolo_0.3.0_amd64.deb'];
  const sums = execFileSync('sha256sum', names, { cwd: files, encoding: 'utf8' });
  write('clone/out/release/0.3.0/SHA256SUMS', sums);
  signWith('signer');
}

/** The record of test runs. */
function recordFile() {
  return join(root, '.skolo/green.json');
}

/**
 * @param {string} commit
 * @param {Record<string, unknown>} runs
 */
function writeRecord(commit, runs) {
  write('clone/.skolo/green.json', JSON.stringify({ commit, runs }));
}

/** The commit that is checked out. */
function head() {
  return git('rev-parse', 'HEAD');
}

/** @param {string} name */
function signWith(name) {
  const sums = join(root, 'out/release/0.3.0/SHA256SUMS');
  rmSync(`${sums}.sig`, { force: true });
  const sign = ['-q', '-Y', 'sign', '-f', join(dir, name), '-n', 'skolo', sums];
  execFileSync('ssh-keygen', sign, { stdio: 'pipe' });
}

function signWithAnotherKey() {
  const file = join(dir, 'another');
  if (!existsSync(file)) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
  signWith('another');
}

/**
 * Commits it, and makes the release again.
 *
 * @param {string} pattern
 * @param {string} by
 */
function changeOwner(pattern, by) {
  const text = readFileSync(join(root, 'owner.yaml'), 'utf8');
  commit({ 'owner.yaml': text.replace(RegExp(`(?<=^ *)${pattern}$`, 'm'), by) });
  makeRelease();
}

/** @param {Record<string, string>} files */
function commit(files) {
  for (const [name, text] of Object.entries(files)) write(`clone/${name}`, text);
  git('add', '.');
  git('commit', '--quiet', '--message', 'change');
}

/** @param {string[]} args */
function git(...args) {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: 'pipe' }).trim();
}

/**
 * @param {string} path below the directory
 * @param {string} text
 */
function write(path, text) {
  const file = join(dir, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** @param {string[]} args */
async function publish(...args) {
  const start = `console.error = console.log; import { publish } from '${program}'; process.exitCode = await publish(process.argv[1], process.argv.slice(2));`;
  const all = ['--input-type=module', '--eval', start, '--', root, ...args];
  const {
    code = 0,
    stdout,
    stderr,
  } = await promisify(execFile)(process.execPath, all, {
    env,
  }).catch((error) => error);
  return { code, text: `${stdout}${stderr}` };
}

/**
 * What happened to each step, without the reasons of programs.
 *
 * @param {string} text
 */
function resultsIn(text) {
  return [
    ...text.matchAll(
      /^(?:(?:tag|release|npm|images|apt): (?:published|is there already|failed|not tried.*)|0\.3\.0 is.*)/gm,
    ),
  ].map(([line]) => line);
}
