import {
  appendFile,
  chmod,
  copyFile,
  readdir,
  readFile,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { tempDir } from '@skolo/base/testing';
import { peer } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { openGitSource } from '../../restore/git-source.ts';
import {
  about,
  bareRemote,
  plainGit,
  readBack,
  startHistory,
  startSshd,
} from '../../testing/git-remote.ts';
import { newKeyPair, run, soon } from '../../testing/offsite.ts';
import { decrypt } from '../age.ts';
import { GitMirror, type GitMirrorOptions } from './mirror.ts';

async function start(options: Partial<GitMirrorOptions> = {}) {
  const lab = await startHistory();
  const remote = await bareRemote();
  const keys = await newKeyPair();
  const open = (more: Partial<GitMirrorOptions> = {}) =>
    new GitMirror({
      history: lab.history,
      folder: lab.folder,
      remote,
      recipients: [keys.recipient],
      rack: 'rack4',
      ...options,
      ...more,
    });
  return { ...lab, remote, keys, open, mirror: open() };
}

describe('the encrypted copy', () => {
  it('has the same commits, and contents that the identity opens', async () => {
    const { commit, repository, mirror, remote, keys } = await start();
    await commit('router', 'secret canary-1\n');
    await commit('switch-1', 'secret canary-2\n');
    const newest = await commit('router', 'secret canary-3\n');
    await repository.note('switch-1', 'retired', about);

    await mirror.push(soon());

    const subjects = await plainGit(remote, 'log', '--format=%s', 'main');
    expect(subjects.split('\n')).toEqual([
      'switch-1: retired',
      'router: changed',
      'switch-1: first version',
      'router: first version',
      'history of rack4 begins',
      'history of rack4 begins',
    ]);
    const { versions, contents } = await readBack(remote, 'router', keys);
    expect(contents).toEqual(['secret canary-3\n', 'secret canary-1\n']);
    const { id: _id, sha1: _sha1, nonce: _nonce, sealed: _sealed, ...rest } = newest;
    expect(versions[0]).toMatchObject(rest);
    const files = await plainGit(remote, 'ls-tree', '-r', '--name-only', 'main');
    expect(files.split('\n')).toEqual(['devices/router.age', 'devices/switch-1.age']);
    expect(await plainGit(remote, 'fsck', '--full', '--strict')).toBe('');
  });

  it('has nothing in the clear, here or there', async () => {
    const { commit, mirror, remote, folder } = await start();
    await commit('router', 'secret canary-1\n');

    await mirror.push(soon());

    const objects = await plainGit(remote, 'cat-file', '--batch-all-objects', '--batch');
    expect(objects).toContain('age-encryption.org/v1');
    expect(objects).not.toContain('canary');
    const left = await run('grep', ['-rl', 'canary', folder]).catch(() => ({ stdout: '' }));
    expect(left.stdout).toBe('');
    expect((await readdir(folder)).sort()).toEqual(['encrypted.git']);
  });

  it('shows nobody without the identity whether a guess is right', async () => {
    const { commit, mirror, repository, remote, history } = await start();
    const text = 'secret canary-1\n';
    const { id, sha1 = '', nonce = '' } = await commit('router', text);
    await repository.note('router', 'retired', about);

    await mirror.push(soon());

    const all = await plainGit(remote, 'cat-file', '--batch-all-objects', '--batch');
    const blob = await plainGit(history, 'rev-parse', `${id}:devices/router`);
    const tree = await plainGit(history, 'rev-parse', `${id}^{tree}`);
    for (const secret of [sha1, nonce, blob, tree]) expect(all).not.toContain(secret);
    // Without the nonce, `Mirrors` would be such a digest.
    const mirrored = [...all.matchAll(/^Mirrors: (\w+)$/gm)].map(([, commit = '']) => commit);
    const noted = await plainGit(history, 'log', '--no-walk', '--format=%B', ...mirrored);
    // The history begins without a device.
    expect(mirrored).toHaveLength(3);
    expect(noted.match(/^Nonce: [0-9a-f]{32}$/gm)).toHaveLength(2);
  });

  it('is damaged where it has the content of another device', async () => {
    const { dir, commit, mirror, remote, keys } = await start();
    await commit('switch-1', 'one');
    await commit('router', 'two');
    await mirror.push(soon());
    const work = join(dir, 'work');
    await run('git', ['clone', '-q', remote, work]);
    const git = (...args: string[]) =>
      plainGit(work, '-c', 'user.name=eve', '-c', 'user.email=eve@example.com', ...args);

    await copyFile(join(work, 'devices/switch-1.age'), join(work, 'devices/router.age'));
    await git('commit', '-q', '--all', '--amend', '--no-edit');
    await git('push', '-q', '--force');

    const source = await openGitSource(remote, {
      decrypt: (content) => decrypt(content, [keys.identity], 'router'),
    });
    const [newest] = await source.versions('router');
    await expect(newest && source.content(newest)).rejects.toMatchObject({ code: 'damaged' });
    await source.close();
  });

  it("is opened by Debian's git and age", async (context) => {
    const age = peer('age');
    if (!age) return context.skip('age is not installed');
    const { dir, commit, mirror, remote, keys } = await start();
    await commit('router', 'hostname r1\n');
    await mirror.push(soon());
    await writeFile(join(dir, 'identity'), keys.identity.reveal());

    const script = 'git -C "$1" show main:devices/router.age | "$2" -d -i "$3"';
    const { stdout } = await run('sh', ['-c', script, 'sh', remote, age, join(dir, 'identity')]);

    expect(stdout).toBe('hostname r1\n');
  });

  it('goes on where it was, and pushes nothing twice', async () => {
    const { commit, open, remote, keys } = await start();
    await commit('router', 'one');
    await open().push(soon());
    const before = await plainGit(remote, 'rev-parse', 'main');

    await open().push(soon());
    expect(await plainGit(remote, 'rev-parse', 'main')).toBe(before);

    await commit('router', 'two');
    await open().push(soon());
    expect((await readBack(remote, 'router', keys)).contents).toEqual(['two', 'one']);
    expect(await plainGit(remote, 'rev-parse', 'main^')).toBe(before);
  });

  it('is fetched where it is missing here, and the history goes on there', async () => {
    const { commit, open, remote, keys, folder } = await start();
    await commit('router', 'one');
    await open().push(soon());
    await rm(folder, { recursive: true });

    await commit('router', 'two');
    await open().push(soon());

    expect((await readBack(remote, 'router', keys)).contents).toEqual(['two', 'one']);
    expect(await plainGit(remote, 'rev-list', '--count', 'main')).toBe('4');
  });

  // The test above fetches the copy, too.
  it('goes on with the history of a jumphost that has died', async () => {
    const dead = await start();
    await dead.commit('router', 'of the old one');
    await dead.mirror.push(soon());
    const { commit, open } = await start({ recipients: [dead.keys.recipient] });

    await commit('router', 'of the new one');
    await open({ remote: dead.remote }).push(soon());
    await commit('router', 'and another');
    await open({ remote: dead.remote }).push(soon());

    const { contents } = await readBack(dead.remote, 'router', dead.keys);
    expect(contents).toEqual(['and another', 'of the new one', 'of the old one']);
  });

  it('is set aside where it is broken, and fetched', async () => {
    const { commit, open, remote, keys, folder } = await start();
    await commit('router', 'one');
    await open().push(soon());
    await writeFile(join(folder, 'encrypted.git', 'HEAD'), 'nonsense');

    await commit('router', 'two');
    await open().push(soon());

    expect((await readBack(remote, 'router', keys)).contents).toEqual(['two', 'one']);
    expect((await readdir(folder)).some((name) => /\.broken-/.test(name))).toBe(true);
  });

  it('has what somebody committed by hand, in several files', async () => {
    const { dir, history, commit, open, remote, keys } = await start();
    await commit('router', 'one');
    const work = join(dir, 'work');
    await run('git', ['clone', '--quiet', history, work]);
    await writeFile(join(work, 'devices', 'router'), 'by hand');
    await writeFile(join(work, 'devices', 'switch-1'), 'by hand, too');
    await writeFile(join(work, 'README'), 'not of a device');
    const me = ['-c', 'user.name=Ann', '-c', 'user.email=ann@example.com'];
    await run('git', ['-C', work, 'add', '.']);
    await run('git', ['-C', work, ...me, 'commit', '--quiet', '-m', 'by hand']);
    await run('git', ['-C', work, 'push', '--quiet']);

    await open().push(soon());
    await open().push(soon());

    expect((await readBack(remote, 'router', keys)).contents).toEqual(['by hand', 'one']);
    expect((await readBack(remote, 'switch-1', keys)).contents).toEqual(['by hand, too']);
    expect(await plainGit(remote, 'rev-list', '--count', 'main')).toBe('5');
  });

  it('takes large contents a little at a time', async () => {
    const { commit, mirror, remote, keys } = await start();
    const large = 'interface eth0\n'.repeat(100_000);
    await commit('router', large);

    await mirror.push(soon());

    expect((await readBack(remote, 'router', keys)).contents[0] === large).toBe(true);
  });

  it('stops when it is told to', async () => {
    const { commit, mirror } = await start();
    await commit('router', 'one');

    await expect(mirror.push(AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped');
  });
});

describe('a remote', () => {
  it('gets the history itself where nothing is to be encrypted', async () => {
    const { commit, open, remote, history } = await start({ recipients: 'none' });
    await commit('router', 'one');

    await open().push(soon());

    const newest = await plainGit(history, 'rev-parse', 'main');
    expect(await plainGit(remote, 'rev-parse', 'main')).toBe(newest);
    expect(await plainGit(remote, 'show', 'main:devices/router')).toBe('one');
  });

  it('is a file:// address, and a branch of another name', async () => {
    const { commit, open, remote, keys } = await start({ branch: 'racks/rack4' });
    await commit('router', 'one');

    await open({ remote: pathToFileURL(remote).href }).push(soon());

    expect((await readBack(remote, 'router', keys, 'racks/rack4')).contents).toEqual(['one']);
  });

  it.each(['none', 'encrypted'])(
    'that has other commits is left as it is, and it is said what to do: %s',
    async (kind) => {
      const { dir, commit, open, remote } = await start(
        kind === 'none' ? { recipients: 'none' } : {},
      );
      const work = join(dir, 'other');
      await run('git', ['clone', '--quiet', remote, work]);
      const me = ['-c', 'user.name=Ann', '-c', 'user.email=ann@example.com'];
      await run('git', ['-C', work, ...me, 'commit', '--quiet', '--allow-empty', '-m', 'theirs']);
      await run('git', ['-C', work, 'push', '--quiet', 'origin', 'HEAD:main']);
      const theirs = await plainGit(remote, 'rev-parse', 'main');
      await commit('router', 'one');

      await expect(open().push(soon())).rejects.toMatchObject({
        code: 'rejected',
        message: `${remote}: the remote branch main contains commits that are not in this history, and skolo never force-pushes. Rename that branch, or set services.router-backup.git.branch to another name`,
      });

      expect(await plainGit(remote, 'rev-parse', 'main')).toBe(theirs);
      await open({ branch: 'rack4' }).push(soon());
    },
  );

  it('that says no is quoted', async () => {
    const { commit, open, remote } = await start();
    const hook = join(remote, 'hooks', 'pre-receive');
    await writeFile(hook, '#!/bin/sh\necho "branch is frozen" >&2\nexit 1\n');
    await chmod(hook, 0o755);
    await commit('router', 'one');

    await expect(open().push(soon())).rejects.toMatchObject({
      code: 'rejected',
      message: expect.stringMatching(/\[remote rejected\].*pre-receive hook declined/),
    });
  });

  it('that is not there says whether its disk is mounted, and comes back', async () => {
    const { commit, open, remote, keys } = await start();
    await commit('router', 'one');
    await rename(remote, `${remote}.away`);

    await expect(open().push(soon())).rejects.toMatchObject({
      code: 'unreachable',
      message: `${remote}: the git repository does not exist; check that the disk is mounted; if the disk is new, create the repository with git init --bare`,
    });
    await rename(`${remote}.away`, remote);
    await open().push(soon());

    expect((await readBack(remote, 'router', keys)).contents).toEqual(['one']);
  });

  it.each(['ftp://example.com/a', 'ssh://-oProxyCommand=x/a', 'relative/path', 'git@-x:path'])(
    'cannot be %s',
    (remote) => {
      const options = { history: '/nowhere', folder: '/nowhere', recipients: 'none' } as const;

      expect(() => new GitMirror({ ...options, remote })).toThrow(/the git remote must be/);
    },
  );

  it('never shows a password of its address', async () => {
    const lab = await startHistory();
    const remote = 'https://ann:canary@127.0.0.1:1/rack4.git';
    const mirror = new GitMirror({ ...lab, remote, recipients: 'none' });

    await expect(mirror.push(soon())).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.not.stringContaining('canary'),
    });
  });
});

describe('a remote behind sshd', () => {
  async function startSsh(...[context, types]: Parameters<typeof startSshd>) {
    const lab = await start();
    const sshd = await startSshd(context, types);
    const remote = `ssh://${sshd.username}@127.0.0.1:${sshd.port}${lab.remote}`;
    await lab.commit('router', 'one');
    const open = (more: Partial<GitMirrorOptions> = {}) =>
      lab.open({ remote, privateKey: sshd.key, ...more });
    return { ...lab, path: lab.remote, remote, sshd, open };
  }

  // The next test pins a key, too, once it was another one.
  it.for(['ed25519', 'ecdsa', 'rsa'] as const)(
    'with a pinned host key: %s',
    async (type, context) => {
      const { open, path, sshd, keys, folder } = await startSsh(context, [
        'ed25519',
        'ecdsa',
        ...(type === 'rsa' ? [type] : []),
      ]);

      await open({ hostKey: sshd.hostKeys[type] }).push(soon());

      expect((await readBack(path, 'router', keys)).contents).toEqual(['one']);
      expect((await readdir(folder)).sort()).toEqual(['encrypted.git']);
    },
  );

  it('with another host key than the pinned one: nothing is said to it', async (context) => {
    const { open, path, sshd } = await startSsh(context);
    const wrong = `SHA256:${'A'.repeat(43)}`;

    await expect(open({ hostKey: wrong }).push(soon())).rejects.toMatchObject({
      code: 'rejected',
      message: expect.stringMatching(
        /^127\.0\.0\.1: the server's host keys \(SHA256:.*\) do not match the one pinned in rack\.yaml \(SHA256:A+\)\./,
      ),
    });
    expect(await plainGit(path, 'for-each-ref')).toBe('');
    await open({ hostKey: sshd.hostKeys.ecdsa }).push(soon());
  });

  it('trusts the first host key, and no other', async (context) => {
    const { open, commit, path, sshd, keys, folder } = await startSsh(context);
    await open().push(soon());
    const known = await readFile(join(folder, 'known_hosts'), 'utf8');
    expect(known).toMatch(new RegExp(`^\\[127\\.0\\.0\\.1\\]:${sshd.port} `));
    await sshd.stop();
    await sshd.newHostKeys();
    await sshd.start();
    await commit('router', 'two');

    await expect(open().push(soon())).rejects.toMatchObject({
      code: 'rejected',
      message: expect.stringContaining(`, delete ${join(folder, 'known_hosts')}`),
    });
    expect((await readBack(path, 'router', keys)).contents).toEqual(['one']);

    await rm(join(folder, 'known_hosts'));
    await open().push(soon());
    expect((await readBack(path, 'router', keys)).contents).toEqual(['two', 'one']);
  });

  it('with a key that it does not accept', async (context) => {
    const { open, sshd } = await startSsh(context);

    await expect(open({ privateKey: sshd.otherKey }).push(soon())).rejects.toMatchObject({
      code: 'rejected',
      message: expect.stringMatching(
        /: the git server rejected the SSH key; check services\.router-backup/,
      ),
    });
  });

  it('that is down: tried again, all is there', async (context) => {
    const { open, commit, path, sshd, keys } = await startSsh(context);
    await sshd.stop();

    for (const hostKey of [sshd.hostKeys.ecdsa, undefined]) {
      const mirror = open(hostKey === undefined ? {} : { hostKey });
      await expect(mirror.push(soon())).rejects.toMatchObject({ code: 'unreachable' });
    }
    await commit('router', 'two');
    await sshd.start();
    await open().push(soon());

    expect((await readBack(path, 'router', keys)).contents).toEqual(['two', 'one']);
  });

  it('that has no repository there', async (context) => {
    const { open, remote } = await startSsh(context);

    await expect(open({ remote: `${remote}.nowhere` }).push(soon())).rejects.toMatchObject({
      code: 'rejected',
      message: expect.stringMatching(
        /the git repository does not exist, or .*; grant access, or create the repository on the server/,
      ),
    });
  });

  // For git's server, that is the test above.
  it('without its disk', async (context) => {
    const { open, path } = await startSsh(context);
    await rename(path, `${path}.away`);

    await expect(open().push(soon())).rejects.toMatchObject({ code: 'rejected' });
  });

  it('leaves no key in arguments or on the disk', async (context) => {
    const { dir, open, path, sshd, folder } = await startSsh(context);
    // ssh's arguments, as ps shows them: the hook runs below the same push.
    const seen = join(dir, 'seen');
    const hook = join(path, 'hooks', 'pre-receive');
    await writeFile(hook, `#!/bin/sh\ncat /proc/[0-9]*/cmdline > ${seen} 2>/dev/null\nexit 0\n`);
    await chmod(hook, 0o755);
    await appendFile(seen, '');

    await open().push(soon());

    const secret = sshd.key.reveal().split('\n')[1] ?? 'none';
    const processes = (await readFile(seen, 'utf8')).replaceAll('\0', ' ');
    expect(processes).toContain('IdentitiesOnly=yes');
    expect(processes).not.toContain(secret);
    const left = await run('grep', ['-rlF', '-e', secret, folder]).catch(() => ({ stdout: '' }));
    expect(left.stdout).toBe('');
  });
});

it('does not need a folder that is there', async () => {
  const { commit, open, remote, keys } = await start();
  await commit('router', 'one');
  const folder = join(await tempDir(), 'a', 'b');

  await open({ folder }).push(soon());

  expect((await readBack(remote, 'router', keys)).contents).toEqual(['one']);
});
