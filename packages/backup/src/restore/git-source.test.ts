import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { needs, run } from '@skolo/base/testing';
import { BackupError } from '@skolo/equipment/models/configuration';
import { startLinuxHost } from '@skolo/simulators';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { change, filledBy, TestHistory } from '../testing/history.ts';
import { openGitSource } from './git-source.ts';
import { openSource } from './open-source.ts';

let history: TestHistory;

beforeEach(async () => {
  history = await TestHistory.withFirstCommit();
});

afterEach(() => void vi.unstubAllEnvs());

const fill = filledBy(async (repository) => {
  await repository.commit(change('switch-1', 'one\n'));
  await repository.commit(change('router', Buffer.from([0, 255])));
  await repository.commit(change('switch-1', 'two\n', { reason: 'port 3 is lab' }));
});
const filled = () => fill(history.folder);

describe('a git repository as a source', () => {
  it('is the folder of a history', async () => {
    await filled();
    const repository = await history.open();

    const source = await openGitSource(history.folder);

    expect(await source.devices()).toEqual(['router', 'switch-1']);
    expect(await source.versions('switch-1')).toEqual(await repository.versions('switch-1'));
    const [, first] = await source.versions('switch-1');
    expect(first && (await source.content(first))).toEqual(Buffer.from('one\n'));
    expect(await source.versions('switch-9')).toEqual([]);
    await source.close();
  });

  it('is a clone with files, on whatever branch', async () => {
    await filled();
    const clone = join(history.parent, 'clone');
    await run('git', ['clone', '-q', '-b', 'main', history.folder, clone]);
    await run('git', ['-C', clone, 'branch', '-m', 'backups']);

    const source = await openGitSource(clone);

    expect(await source.devices()).toEqual(['router', 'switch-1']);
    await source.close();
  });

  it('shows what a person committed by hand', async () => {
    const clone = join(history.parent, 'clone');
    await run('git', ['init', '-q', '-b', 'main', clone]);
    await mkdir(join(clone, 'devices'));
    await writeFile(join(clone, 'devices', 'old-switch'), 'by hand\n');
    await writeFile(join(clone, 'README'), 'what this is\n');
    await run('git', ['-C', clone, 'add', '.']);
    const date = '2020-01-02T03:04:05Z';
    const identity = ['-c', 'user.name=a', '-c', 'user.email=a@example.com'];
    await run('git', ['-C', clone, ...identity, 'commit', '-q', '-m', 'from the old server'], {
      env: { ...process.env, GIT_COMMITTER_DATE: date },
    });

    const source = await openGitSource(clone);

    expect(await source.devices()).toEqual(['old-switch']);
    const [version] = await source.versions('old-switch');
    expect(version).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{40}$/),
      device: 'old-switch',
      time: '2020-01-02T03:04:05.000Z',
      summary: 'from the old server',
    });
    expect(version && (await source.content(version))).toEqual(Buffer.from('by hand\n'));
    await source.close();
  });

  it('is a remote over ssh, cloned with the keys of the user and removed afterwards', async () => {
    needs('ssh', 'sshd');
    const host = await startLinuxHost();
    if (!host) throw new Error('sshd does not start');
    try {
      await filled();
      const options = [
        'StrictHostKeyChecking=no',
        'UserKnownHostsFile=/dev/null',
        'LogLevel=ERROR',
      ];
      const ssh = ['ssh', '-F', 'none', '-i', host.privateKeyFile, ...options.map((o) => `-o${o}`)];
      vi.stubEnv('GIT_SSH_COMMAND', ssh.join(' '));
      vi.stubEnv('TMPDIR', history.parent);

      const source = await openSource(
        `ssh://${host.username}@${host.host}:${host.port}${history.folder}`,
      );

      expect(await source.devices()).toEqual(['router', 'switch-1']);
      const [newest] = await source.versions('switch-1', { limit: 1 });
      expect(newest && (await source.content(newest))).toEqual(Buffer.from('two\n'));
      await source.close();
      await expect(
        openGitSource(`ssh://${host.username}@${host.host}:${host.port}/no/such/place`),
      ).rejects.toMatchObject({ code: 'not-found' });
      expect(await readdir(history.parent)).toEqual(['history']);
    } finally {
      await host.close();
    }
  });

  it('decides for each file whether it is encrypted', async () => {
    await filled();
    await commitEncrypted('zzz', Buffer.from('tuo'));
    const ssh = join(history.parent, 'ssh');
    await writeFile(ssh, '#!/bin/sh\nfor last; do :; done\nexec sh -c "$last"\n', { mode: 0o755 });
    vi.stubEnv('GIT_SSH_COMMAND', ssh);
    const source = await openSource(`ssh://nobody@rack${history.folder}`, {
      trust: { encrypts: true },
    });
    const [plain] = await source.versions('router');
    const [encrypted] = await source.versions('zzz');

    await expect(plain && source.content(plain)).rejects.toMatchObject({ code: 'unauthenticated' });
    await expect(encrypted && source.content(encrypted)).rejects.toMatchObject({ code: 'no-key' });
    await source.close();
  });

  it("accepts plain files of the rack's own repository alone, if rack.yaml encrypts copies", async () => {
    await filled();
    const clone = join(history.parent, 'clone');
    await run('git', ['clone', '-q', '-b', 'main', history.folder, clone]);
    const remote = join(history.parent, 'remote.git');
    await run('git', ['clone', '-q', '--bare', history.folder, remote]);
    const moved = `${history.folder}.broken-20261120T031500Z`;
    const posing = join(history.parent, 'posing.git');
    for (const copy of [moved, posing]) await cp(history.folder, copy, { recursive: true });
    const link = join(history.parent, 'link');
    await symlink(posing, link);
    async function read(from: string) {
      const id = (await history.git('rev-parse', 'main')).toString().trim();
      const trust = { encrypts: true, accepted: new Set([id]), remote: `file://${link}` };
      const source = await openSource(from, { trust });
      const version = (await source.versions('switch-1')).find((each) => each.id === id);
      const reading = version && source.content(version).then(String, ({ code }) => code);
      return await reading;
    }

    for (const own of [history.folder, moved, `file://${moved}`]) {
      expect(await read(own), own).toBe('two\n');
    }
    for (const foreign of [remote, `file://${remote}`, clone, posing, `${posing}/.`, link]) {
      expect(await read(foreign), foreign).toBe('unauthenticated');
    }
  });

  it('says without a password that a remote does not respond', async () => {
    const opening = openGitSource('https://ann:CANARY@127.0.0.1:1/rack4.git');

    await expect(opening).rejects.toMatchObject({ code: 'unreachable' });
    await expect(opening).rejects.not.toThrow('CANARY');
    await expect(opening).rejects.toThrow('https://127.0.0.1:1/rack4.git cannot be cloned: ');
  });

  it.each([
    ['a folder without one', (parent: string) => parent, 'not a git repository'],
    ['another branch', (parent: string) => join(parent, 'history'), 'no branch other'],
  ])('is not found in %s', async (_what, address, message) => {
    await filled();

    await expect(openGitSource(address(history.parent), { branch: 'other' })).rejects.toMatchObject(
      {
        code: 'not-found',
        message: expect.stringContaining(message),
      },
    );
  });

  it.each([
    ['its packs are gone', 'objects/pack'],
    ['its branch is empty', 'refs/heads/main'],
  ])('is damaged where %s', async (_what, path) => {
    await filled();
    await rm(join(history.folder, path), { recursive: true });
    if (path.startsWith('refs')) await writeFile(join(history.folder, path), '');

    await expect(openGitSource(history.folder)).rejects.toMatchObject({ code: 'damaged' });
  });

  it('opens what is encrypted with what it is given', async () => {
    const { id } = await commitEncrypted('router', Buffer.from('tuo'));

    const source = await openGitSource(history.folder, {
      decrypt: async (content) => Buffer.from(content).reverse(),
    });

    expect(await source.devices()).toEqual(['router']);
    const [version] = await source.versions('router');
    expect(version?.id).toBe(id);
    expect(version && (await source.content(version))).toEqual(Buffer.from('out'));
    const blind = await openGitSource(history.folder);
    await expect(version && blind.content(version)).rejects.toMatchObject({ code: 'no-key' });
    const wrong = await openGitSource(history.folder, { decrypt: async () => Buffer.from('!') });
    await expect(version && wrong.content(version)).rejects.toMatchObject({ code: 'damaged' });
    const noKey = new BackupError('no-key', 'not for you');
    const other = await openGitSource(history.folder, { decrypt: () => Promise.reject(noKey) });
    await expect(version && other.content(version)).rejects.toBe(noKey);
  });
});

/** As pushed from a rack: `devices/NAME.age`, and the SHA-1 of the content. A person has added a directory. */
async function commitEncrypted(device: string, content: Buffer) {
  const repository = await history.open();
  await repository.close();
  const work = join(history.parent, 'work');
  await run('git', ['clone', '-q', history.folder, work]);
  await mkdir(join(work, 'devices', device), { recursive: true });
  await writeFile(join(work, 'devices', device, 'notes'), '');
  await writeFile(join(work, 'devices', `${device}.age`), content);
  const sha1 = createHash('sha1').update(Buffer.from(content).reverse()).digest('hex');
  const identity = ['-c', 'user.name=a', '-c', 'user.email=a@example.com'];
  await run('git', ['-C', work, 'add', '.']);
  await run('git', [
    '-C',
    work,
    ...identity,
    'commit',
    '-qm',
    `x\n\nDevice: ${device}\nSHA1: ${sha1}`,
  ]);
  await run('git', ['-C', work, 'push', '-q']);
  return { id: (await history.git('rev-parse', 'main')).toString().trim() };
}
