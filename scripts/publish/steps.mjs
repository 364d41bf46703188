/** Lists what publishing a release does, in order. Each step can be repeated: it does what is missing. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inTempFolder } from '../release/temp-folder.mjs';
import { writeAptRepository } from './apt-repository.mjs';
import { imagesOf, pushImages } from './images.mjs';

/**
 * @typedef {object} Step
 * @property {string} name
 * @property {string} what goes where
 * @property {string} [after] a step without which it cannot be done
 * @property {() => boolean} [isDone] whether the other side has it
 * @property {() => unknown} run
 */

/**
 * @param {import('./release.mjs').Release} release
 * @returns {Step[]}
 */
export function stepsOf(release) {
  const { root, version, tag, folder, files, owner } = release;
  const { repository, apt } = owner;
  const published = files.filter((name) => name !== 'images.txt');
  const forge = ['--repo', repository];
  const tgz = `skolo-cli-${version}.tgz`;
  const debs = files.filter((name) => name.endsWith('.deb'));
  const isPublished = (/** @type {string[]} */ names) => {
    const view = ['release', 'view', tag, ...forge, '--json', 'isDraft,assets', '--jq'];
    const state = answer('gh', [...view, '.isDraft, .assets[].name']).split('\n');
    return state.includes('false') && names.every((name) => state.includes(name));
  };
  return [
    {
      name: 'tag',
      what: `${tag} to ${repository}`,
      isDone: () => {
        const ref = `refs/tags/${tag}`;
        const here = answer('git', ['-C', root, 'rev-parse', ref]).trim();
        return answer('git', ['ls-remote', repository, ref]).startsWith(`${here}\t`);
      },
      run: () => run('git', ['-C', root, 'push', repository, `refs/tags/${tag}`]),
    },
    {
      name: 'release',
      what: `${published.length} files of ${folder}, and the changes in CHANGELOG.md, to ${repository}/releases/tag/${tag}`,
      after: 'tag',
      isDone: () => isPublished(published),
      run: () => {
        // Users see it when it is whole.
        if (answer('gh', ['release', 'view', tag, ...forge]) === '') createDraft(release, forge);
        const paths = published.map((name) => join(folder, name));
        run('gh', ['release', 'upload', tag, ...forge, '--clobber', ...paths]);
        run('gh', ['release', 'edit', tag, ...forge, '--draft=false']);
      },
    },
    {
      name: 'npm',
      what: `${tgz} to registry.npmjs.org, with provenance, as @skolo/cli`,
      isDone: () => answer('npm', ['view', `@skolo/cli@${version}`, 'version']).trim() === version,
      run: () => run('npm', ['publish', join(folder, tgz), '--access', 'public', '--provenance']),
    },
    {
      name: 'images',
      what: `${imagesOf(release).length} images to ${owner.images}NAME:${version}, with SBOM and provenance; their digests, images.txt, to the release`,
      after: 'release',
      isDone: () => isPublished(['images.txt']),
      run: async () => {
        const file = join(folder, 'images.txt');
        writeFileSync(file, `${(await pushImages(release)).join('\n')}\n`);
        run('gh', ['release', 'upload', tag, ...forge, '--clobber', file]);
      },
    },
    {
      name: 'apt',
      what: `${debs.join(' and ') || 'Debian packages'} to ${apt.directory}, with an index signed by ${apt.key}, and from there to ${apt.url}`,
      run: async () => {
        const packages = debs.map((name) => join(folder, name));
        await writeAptRepository({ folder: apt.directory, packages, key: apt.key, url: apt.url });
        run('sh', ['-c', apt.upload], apt.directory);
      },
    },
  ];
}

/**
 * @param {import('./release.mjs').Release} release
 * @param {string[]} forge
 */
function createDraft({ version, tag, changes = '' }, forge) {
  inTempFolder((work) => {
    const notes = join(work, 'notes.md');
    writeFileSync(notes, changes);
    const args = ['--draft', '--verify-tag', '--title', `skolo ${version}`, '--notes-file', notes];
    run('gh', ['release', 'create', tag, ...forge, ...args]);
  });
}

/**
 * What a program prints; nothing if it fails, such as when it does not find what it is asked for.
 *
 * @param {string} program
 * @param {string[]} args
 */
function answer(program, args) {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return '';
  }
}

/**
 * @param {string} program
 * @param {string[]} args
 * @param {string} [cwd]
 */
function run(program, args, cwd) {
  execFileSync(program, args, { stdio: 'inherit', cwd });
}
