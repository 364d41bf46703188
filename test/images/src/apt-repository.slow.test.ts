/** The apt repository that publishing writes, on fresh computers, by the commands of docs/reference/release.md. */
import { cp, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@skolo/base/testing';
import { type Computer, lacks } from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { writeAptRepository } from '../../../scripts/publish/apt-repository.mjs';
import { Section } from './alone/section.ts';
import { arch, freshDebian, whyNoFreshDebian, writePackage } from './fresh-debian.ts';

const debians = ['debian', 'debian-13'] as const;
const url = 'file:/opt/packages/apt';

/** Writes the repository after each of two versions, signed by a new key. */
async function makeRepositories(dir: string): Promise<void> {
  const home = join(dir, 'gnupg');
  await run('install', ['-d', '-m', '700', home]);
  vi.stubEnv('GNUPGHOME', home);
  const create = ['--passphrase', '', '--quick-generate-key', 'skolo packages', 'ed25519', 'sign'];
  await run('gpg', ['--batch', '--quiet', ...create]);
  const { stdout } = await run('gpg', ['--list-keys', '--with-colons']);
  const key = /^fpr:*([\dA-F]{40}):$/m.exec(stdout)?.[1] ?? '';
  for (const version of ['0.2.0', '0.2.1']) {
    await writePackage(dir, version);
    const packages = [join(dir, `skolo_${version}_${arch}.deb`)];
    const folder = join(dir, 'apt');
    await writeAptRepository({ folder, packages, key, url });
    await cp(folder, join(dir, `apt-${version}`), { recursive: true });
  }
  await run('gpgconf', ['--kill', 'gpg-agent']);
}

describe.skipIf(lacks('gpg') ?? whyNoFreshDebian())('an apt repository', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'skolo-apt-'));
    await makeRepositories(dir);
    // apt reads it as another user.
    await run('chmod', ['-R', 'a+rX', dir]);
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await rm(dir, { recursive: true, force: true });
  });

  /** The repository as it was when this version was the newest. */
  async function show(version: string): Promise<void> {
    await rm(join(dir, 'apt'), { recursive: true });
    await cp(join(dir, `apt-${version}`), join(dir, 'apt.new'), { recursive: true });
    await rename(join(dir, 'apt.new'), join(dir, 'apt'));
  }

  it.for(debians)(
    'on %s: install, upgrade, an older version, a changed index, removal',
    async (debian, { skip }) => {
      const why = whyNoFreshDebian(debian);
      if (why !== undefined) return skip(why);
      await show('0.2.0');
      const computer: Computer = await freshDebian('198.51.100.1/24', dir, debian);
      try {
        await computer.boot();
        const sh = async (script: string) => await computer.run('sh', '-ec', script);
        const need = async (script: string) => {
          const { exitCode, text } = await sh(script);
          expect(exitCode, `${script}\n${text}`).toBe(0);
          return text;
        };
        const page = await Section.open(
          'Install with apt',
          { APT_URL: url },
          'docs/reference/release.md',
        );

        await need(page.next('skolo.sources'));
        await need(page.next('apt-get install'));

        expect(await need('skolo --version')).toBe('0.2.0\n');
        await show('0.2.1');
        await need('apt-get update && apt-get upgrade --yes');
        expect(await need('skolo --version')).toBe('0.2.1\n');
        await need('apt-get install --yes --allow-downgrades skolo=0.2.0');
        expect(await need('skolo --version')).toBe('0.2.0\n');

        // Somebody between us and the user, who has no key.
        await run('sed', ['-i', 's/0.2.1/0.2.9/', join(dir, 'apt/dists/stable/InRelease')]);
        await run('sed', ['-i', 's/stable/unstable/', join(dir, 'apt/dists/stable/InRelease')]);
        const changed = await sh('apt-get update -o APT::Update::Error-Mode=any');
        expect(changed.exitCode).not.toBe(0);
        expect(changed.text).toMatch(
          /signatures? (were|was) invalid|BADSIG|not signed|Bad signature|verification failed/i,
        );

        await need(page.next('apt-get purge'));
        page.end();
        expect((await sh('command -v skolo')).exitCode).not.toBe(0);
        expect(await need('ls /etc/apt/sources.list.d /etc/apt/keyrings')).not.toContain('skolo');
      } finally {
        await computer.scrap();
      }
    },
  );
});
