/** Reads what is to be published, and finds what in it disagrees. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256OfFile } from '@skolo/base';
import { z } from 'zod';
import { versionsIn } from '../release/changelog.mjs';
import { git } from '../release/git.mjs';
import { placeholder, readOwner } from '../release/owner.mjs';
import { inTempFolder } from '../release/temp-folder.mjs';
import { testRunProblems } from './test-runs.mjs';

const Manifest = z.looseObject({ version: z.string() });
const Lock = z.looseObject({ packages: z.record(z.string(), z.looseObject({})) });

/**
 * @typedef {object} Release
 * @property {string} root of the repository
 * @property {string} version
 * @property {string} tag
 * @property {string} commit
 * @property {string} folder
 * @property {string[]} files in it
 * @property {string | undefined} changes dated section of CHANGELOG.md
 * @property {import('../release/owner.mjs').Owner} owner
 */

/**
 * @param {string} root of the repository
 * @returns {Release}
 */
export function readRelease(root) {
  const { version } = Manifest.parse(readJson(join(root, 'package.json')));
  const folder = join(root, 'out/release', version);
  const versions = versionsIn(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'));
  const section = versions.find((each) => each.version === version);
  return {
    root,
    version,
    tag: `v${version}`,
    commit: git(root, 'rev-parse', 'HEAD'),
    folder,
    files: existsSync(folder) ? readdirSync(folder).sort() : [],
    changes: section?.day && section.changes,
    owner: readOwner(root),
  };
}

/**
 * What must be changed first, one line for each problem.
 *
 * @param {Release} release
 * @param {readonly string[]} steps that are to be done
 */
export async function problemsOf(release, steps) {
  const { root, version, tag, commit, changes } = release;
  const problems = [...placeholdersIn(root), ...otherVersions(root, version)];
  if (git(root, 'status', '--porcelain') !== '') {
    problems.push('the working tree has changes; commit or stash them');
  }
  if (!changes) {
    problems.push(`CHANGELOG.md: no section \`## ${version} (DATE)\` with changes; add it`);
  }
  const minor = version.replace(/\.\d+$/, '');
  if (!readFileSync(join(root, 'SUPPORT.md'), 'utf8').includes(`| ${minor} |`)) {
    problems.push(`SUPPORT.md: no row for ${minor}; run npm run generate`);
  }
  const tagged = gitOr(root, 'rev-parse', '--verify', '--quiet', `refs/tags/${tag}^{commit}`);
  if (tagged === undefined) problems.push(`tag ${tag}: missing; run git tag --sign ${tag}`);
  else if (tagged !== commit) {
    problems.push(`tag ${tag}: is commit ${tagged.slice(0, 9)}; check out this tag, or move it`);
  }
  problems.push(...testRunProblems(release));
  problems.push(...(await fileProblems(release)));
  if (steps.includes('release')) problems.push(...signatureProblems(release));
  if (steps.includes('apt')) problems.push(...keyProblems(release));
  return problems;
}

/**
 * Also those in pages: then owner.yaml was filled in, but nothing was generated from it.
 *
 * @param {string} root
 */
function placeholdersIn(root) {
  const where = ['owner.yaml', '*.md', '.github'];
  const found = gitOr(root, 'grep', '--word-regexp', '-n', '-e', placeholder, '--', ...where) ?? '';
  return found
    .split('\n')
    .filter((line) => line !== '' && !line.includes(`each ${placeholder}`))
    .map((line) => {
      const [, file = '', at, text = ''] = /^([^:]*):(\d+):(.*)$/.exec(line) ?? [];
      const how = file === 'owner.yaml' ? 'fill in the value' : 'run npm run generate';
      return `${file}:${at}: ${text.trim().slice(0, 60)}: not filled in; ${how}, and commit it`;
    });
}

/**
 * @param {string} root
 * @param {string} version
 */
function otherVersions(root, version) {
  const { packages } = Lock.parse(readJson(join(root, 'package-lock.json')));
  const files = git(root, 'ls-files', 'package.json', '*/package.json').split('\n');
  return files.flatMap((file) => {
    const folder = file === 'package.json' ? '' : file.slice(0, -'/package.json'.length);
    const manifest = Manifest.safeParse(readJson(join(root, file)));
    // Others, such as test data, are no packages of the workspace.
    const locked = packages[folder];
    if (!manifest.success || locked === undefined) return [];
    const problems = [];
    if (manifest.data.version !== version) {
      problems.push(
        `${file}: version ${manifest.data.version}, not ${version}; run npm version ${version} --workspaces --include-workspace-root --no-git-tag-version`,
      );
    }
    const same = ['version', 'dependencies', 'devDependencies', 'optionalDependencies'].every(
      (key) => JSON.stringify(manifest.data[key]) === JSON.stringify(locked[key]),
    );
    if (!same) problems.push(`package-lock.json: differs from ${file}; run npm install`);
    return problems;
  });
}

/** @param {Release} release */
async function fileProblems({ folder, files, commit, version }) {
  if (!files.includes('SHA256SUMS') || !files.includes('commit.txt')) {
    return [`${folder}: no release ${version}; make it with npm run release`];
  }
  const of = readFileSync(join(folder, 'commit.txt'), 'utf8').trim();
  if (of !== commit) {
    return [
      `${folder}: made from commit ${of.slice(0, 9)}, not from ${commit.slice(0, 9)}; make it again`,
    ];
  }
  const sums = readFileSync(join(folder, 'SHA256SUMS'), 'utf8').trim().split('\n');
  const named = new Map(sums.map((line) => [line.slice(66), line.slice(0, 64)]));
  const problems = [];
  for (const [name, sum] of named) {
    const file = join(folder, name);
    if (!existsSync(file) || (await sha256OfFile(file)) !== sum) {
      problems.push(`${file}: missing, or not as in SHA256SUMS; make the release again`);
    }
  }
  const others = files.filter((each) => !named.has(each) && !isAdded(each));
  return [
    ...problems,
    ...others.map((each) => `${join(folder, each)}: not in SHA256SUMS; remove it`),
  ];
}

/**
 * The sums, their signature, and what publishing adds.
 *
 * @param {string} name
 */
function isAdded(name) {
  return ['SHA256SUMS', 'SHA256SUMS.sig', 'images.txt'].includes(name);
}

/** @param {Release} release */
function signatureProblems({ folder, files, owner: { signer } }) {
  if (!files.includes('SHA256SUMS')) return [];
  if (!files.includes('SHA256SUMS.sig')) {
    return [
      `${folder}/SHA256SUMS: not signed; run ssh-keygen -Y sign -f KEY -n skolo ${folder}/SHA256SUMS`,
    ];
  }
  try {
    inTempFolder((work) => {
      const allowed = join(work, 'allowed_signers');
      writeFileSync(allowed, `skolo ${signer}\n`);
      const args = ['-Y', 'verify', '-f', allowed, '-I', 'skolo', '-n', 'skolo'];
      execFileSync('ssh-keygen', [...args, '-s', join(folder, 'SHA256SUMS.sig')], {
        input: readFileSync(join(folder, 'SHA256SUMS')),
        stdio: 'pipe',
      });
    });
    return [];
  } catch {
    return [
      `${folder}/SHA256SUMS.sig: not a signature by \`signer\` of owner.yaml; sign it with this key`,
    ];
  }
}

/** @param {Release} release */
function keyProblems({ owner: { apt } }) {
  if (apt.key === placeholder) return [];
  try {
    execFileSync('gpg', ['--batch', '--list-secret-keys', apt.key], { stdio: 'pipe' });
    return [];
  } catch {
    return [
      `OpenPGP key ${apt.key}: gpg does not have its secret key; import it, or set GNUPGHOME`,
    ];
  }
}

/**
 * Undefined: git exits with an error, such as when it finds nothing.
 *
 * @param {string} root
 * @param {string[]} args
 */
function gitOr(root, ...args) {
  try {
    return git(root, ...args);
  } catch {
    return undefined;
  }
}

/**
 * @param {string} file
 * @returns {unknown}
 */
function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}
