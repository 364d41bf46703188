/**
 * What a copy of a jumphost's state may bring to a spare: real scripts, in a mount namespace whose /etc and /var/lib belong to the test.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createCipheriv, pbkdf2Sync, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sha256, sha256OfFile } from '@skolo/base';
import { Secret } from '@skolo/base/secrets';
import { tempDir } from '@skolo/base/testing';
import { type Host, openHost } from '@skolo/setup/engine';
import { lacks } from '@skolo/simulators';
import { pack } from 'tar-stream';
import { beforeEach, describe, expect, it } from 'vitest';
import { databaseStep } from './database.ts';
import { copyStep, findState, placeStep, type StateCopy } from './staging.ts';
import { hostKeys } from './take-over.ts';

const server = 'var/lib/rancher/k3s/server';
const time = '2026-11-20T03:15:00Z';
const token = new Secret('of-the-cluster');

const canMount = spawnSync('unshare', ['--mount', 'true']).status === 0;
const why = lacks('root') ?? (canMount ? undefined : 'no mount namespaces here');

describe.skipIf(why)("a copy of a jumphost's state", () => {
  let root: string;
  let host: Host;

  beforeEach(async () => {
    root = await tempDir();
    for (const each of ['etc/skolo', 'var/lib/skolo']) {
      await mkdir(join(root, each), { recursive: true });
    }
    const mounts = `mount --bind ${root}/var/lib /var/lib && mount --bind ${root}/etc /etc`;
    host = await openHost({
      name: 'spare',
      signal: new AbortController().signal,
      start: async (command) => {
        const own = command.replaceAll('/usr/bin/node', process.execPath);
        const inside = ['sh', '-c', `${mounts} && exec sh -c "$1"`, 'sh', own];
        return spawn('unshare', ['--mount', '--propagation', 'private', ...inside]);
      },
    });
  });

  /** Members are files with a text, or what else tar may contain. */
  async function archive(
    members: Readonly<
      Record<string, string | Buffer | { type: 'symlink' | 'link'; linkname: string } | 'fifo'>
    >,
    isAuthenticated: boolean,
  ): Promise<StateCopy> {
    const tar = pack();
    for (const [name, content] of Object.entries(members)) {
      if (content === 'fifo') tar.entry({ name, type: 'fifo' });
      else if (typeof content === 'string' || Buffer.isBuffer(content)) {
        tar.entry({ name, mode: 0o4755, uid: 10_001, gid: 10_001 }, content);
      } else tar.entry({ name, ...content });
    }
    tar.finalize();
    const file = join(await tempDir(), 'tar');
    await writeFile(file, tar);
    const from = { tar: { file, sha256: await sha256OfFile(file) }, isAuthenticated };
    return { title: 'a copy', id: sha256(file), time, from };
  }

  async function disk(members: Readonly<Record<string, string>>): Promise<StateCopy> {
    const folder = await tempDir();
    for (const [name, content] of Object.entries(members)) await put(join(folder, name), content);
    return { title: 'the disk', id: folder, time, from: { disk: folder } };
  }

  async function put(path: string, content: string): Promise<void> {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }

  async function placed(copy: StateCopy, stored: Secret | undefined = token): Promise<string[]> {
    await copyStep(copy).apply?.(host);
    await placeStep({ copy, keepOff: [], token: stored }).apply?.(host);
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
      .filter((path) => !path.startsWith('var/lib/skolo-replace/'))
      .sort();
  }

  const inherited = 'var/lib/skolo/power-cycle-daemon/inherited.json';
  const hostile = {
    [`${server}/manifests/root.yaml`]: 'kind: Pod',
    [`${server}/static/charts/a.tgz`]: 'chart',
    [`${server}/agent-token`]: 'of-eve',
    [`${server}/etcd/member`]: 'etcd',
    'etc/rancher/k3s/config.yaml.d/a.yaml': 'kube-apiserver-arg: [anonymous-auth=true]',
    'etc/rancher/k3s/registries.yaml': 'mirrors: {}',
    'etc/cron.d/root': '* * * * * root id',
    'etc/skolo/active/rack-key.pub': 'of-eve',
    'var/lib/skolo/of-nobody/state': 'x',
    'var/lib/skolo-steps/x': 'x',
    'root/.ssh/authorized_keys': 'of-eve',
  };
  const state = {
    'var/lib/skolo/alert-to-pubsub/spool': 'alerts',
    [`${server}/token`]: 'of-the-copy',
    [`${server}/tls/server-ca.crt`]: 'CA of the copy',
    [`${server}/cred/encryption-config.json`]: '{}',
    [`${server}/db/state.db`]: 'database',
    'etc/rancher/k3s/config.yaml': 'secrets-encryption: true\n',
    'etc/rancher/node/password': 'of the node',
  };

  it.each([true, false])(
    'places its known parts and nothing else (authenticated: %j)',
    async (isAuthenticated) => {
      const own = [
        `${server}/token`,
        `${server}/tls/server-ca.crt`,
        `${server}/cred/encryption-config.json`,
      ];
      const files = await placed(await archive({ ...hostile, ...state }, isAuthenticated));

      const expected = Object.keys(state).filter((path) => isAuthenticated || !own.includes(path));
      expect(files).toEqual([...new Set([...expected, `${server}/token`, inherited])].sort());
      expect(await readFile(join(root, server, 'token'), 'utf8')).toBe(
        isAuthenticated ? 'of-the-copy' : 'of-the-cluster',
      );
      expect((await stat(join(root, 'var/lib/skolo/alert-to-pubsub/spool'))).mode & 0o7777).toBe(
        0o644,
      );
    },
  );

  it('places folders only where parts are folders, and files only where they are files', async () => {
    const key = 'etc/ssh/ssh_host_ed25519_key';
    const copy = await archive(
      {
        'etc/ssh/ssh_host_d/bin': '',
        'etc/ssh/ssh_host_d/lib64': '',
        'etc/ssh/ssh_host_\n/bin/sh': '',
        'etc/ssh/ssh_host_x\n/sbin': '',
        [key]: 'key',
        [`${key}.pub`]: 'public key',
        'etc/rancher/k3s/config.yaml/x': 'x',
        [`${server}/token/x`]: 'x',
        [`${server}/db`]: 'x',
        'var/lib/skolo/alertmanager': 'x',
      },
      true,
    );
    const files = await placed(copy);

    expect(files).toEqual([inherited]);
    expect((await hostKeys(host)).map(({ path }) => path)).toEqual([`/${key}`, `/${key}.pub`]);
  });

  it('places no repository, program or second name of a file', async () => {
    const backup = 'var/lib/skolo/router-backup';
    const state = `${server}/db/state.db`;
    const files = await placed(
      await archive(
        {
          [`${backup}/journal/1`]: 'journal',
          [`${backup}/repository/hooks/reference-transaction`]: '#!/bin/sh',
          [`${backup}/.repository.previous/config`]: '[core]',
          [`${backup}/outgoing/mirror/hooks/post-update`]: '#!/bin/sh',
          [state]: 'database',
          'var/lib/skolo/alertmanager/x': { type: 'link', linkname: state },
          'var/lib/skolo/prometheus/x': { type: 'link', linkname: state },
        },
        true,
      ),
    );

    expect(files.filter((path) => path.startsWith(backup))).toEqual([`${backup}/journal/1`]);
    for (const path of files) {
      const { mode, nlink } = await stat(join(root, path));
      expect({ path, executable: mode & 0o7111, nlink }).toEqual({ path, executable: 0, nlink: 1 });
    }
  });

  it('places the same parts of a disk, with its own token', async () => {
    const files = await placed(await disk({ ...hostile, ...state }));

    expect(files).toEqual([...Object.keys(state), inherited].sort());
    expect(await readFile(join(root, server, 'token'), 'utf8')).toBe('of-the-copy');
  });

  it('keeps no link, pipe or other database of an archive', async () => {
    await put(join(root, 'etc/skolo/secret'), 'of the spare');
    const files = await placed(
      await archive(
        {
          'var/lib/skolo/power-cycle-daemon': { type: 'symlink', linkname: '/etc/skolo' },
          'var/lib/skolo/machine-state': { type: 'symlink', linkname: '../../../etc' },
          'var/lib/skolo/prometheus/pipe': 'fifo',
          [`${server}/db/state.db`]: 'database',
          [`${server}/db/state.db-wal`]: 'log',
          [`${server}/db/etcd/member/snap/db`]: 'etcd',
          [`${server}/db/reset-flag`]: '',
        },
        false,
      ),
    );

    expect(files).toEqual(
      [
        `${server}/db/state.db`,
        `${server}/db/state.db-wal`,
        `${server}/token`,
        'etc/skolo/secret',
        inherited,
      ].sort(),
    );
  });

  it('keeps keys of k3s settings that cannot run anything, and names the others', async () => {
    const settings = `
secrets-encryption: true
cluster-cidr: 10.8.0.0/16
tls-san: [jumphost-rack4, 192.168.1.8]
token-file: /etc/rancher/k3s/token
token: of-eve
datastore-endpoint: postgres://eve
kube-apiserver-arg: [authorization-mode=AlwaysAllow]
`;
    const copy = await archive({ 'etc/rancher/k3s/config.yaml': settings }, true);
    await copyStep(copy).apply?.(host);
    const { left } = await findState(host, copy);
    await placed(copy);

    const text = await readFile(join(root, 'etc/rancher/k3s/config.yaml'), 'utf8');
    expect(text.match(/^[a-z-]+/gm)).toEqual([
      'secrets-encryption',
      'cluster-cidr',
      'tls-san',
      'token-file',
    ]);
    expect(left.map(({ why }) => / key (\S+) /.exec(why)?.[1])).toEqual([
      ...['token', 'datastore-endpoint', 'kube-apiserver-arg'],
    ]);
  });

  it('keeps no setting that turns a protection off, and names it', async () => {
    const risky = {
      'secrets-encryption': 'false',
      'protect-kernel-defaults': 'no',
      selinux: 'false',
      'tls-san-security': 'false',
      'disable-network-policy': 'true',
      'egress-selector-mode': 'disabled',
      'resolv-conf': '/var/lib/skolo/alertmanager/resolv.conf',
      'cluster-dns': '198.51.100.1',
      'embedded-registry': 'true',
      'flannel-backend': 'none',
    };
    const lines = Object.entries(risky).map(([key, value]) => `${key}: ${value}\n`);
    const encryption = `${server}/cred/encryption-config.json`;
    const settings = 'etc/rancher/k3s/config.yaml';
    const copy = await archive({ [settings]: lines.join(''), [encryption]: '{}' }, true);
    await copyStep(copy).apply?.(host);
    const { left } = await findState(host, copy);
    await placed(copy);

    const text = await readFile(join(root, settings), 'utf8');
    expect(text.match(/^[^#].*$/gm)).toEqual(['secrets-encryption: true']);
    expect(left.map(({ why }) => / key (\S+) /.exec(why)?.[1])).toEqual(Object.keys(risky));
  });

  it.each([
    [
      'secrets-encryption: true\nprotect-kernel-defaults: true\nselinux: true\ntls-san-security: true\n',
    ],
    ['disable-network-policy: false\nflannel-backend: wireguard-native\n'],
  ])('keeps settings that protect, such as %j', async (settings) => {
    await placed(await archive({ 'etc/rancher/k3s/config.yaml': settings }, true));

    expect(await readFile(join(root, 'etc/rancher/k3s/config.yaml'), 'utf8')).toBe(settings);
  });

  it.each(['disk', 'archive'])("names k3s' other files of the %s", async (kind) => {
    const folder = 'etc/rancher/k3s';
    const members = {
      [`${folder}/config.yaml.d/10.yaml`]: 'resolv-conf: /etc/resolv-pods.conf',
      [`${folder}/registries.yaml`]: 'mirrors: {}',
    };
    const copy = await (kind === 'disk' ? disk(members) : archive(members, true));
    await copyStep(copy).apply?.(host);

    const { left } = await findState(host, copy);

    expect(left.map(({ path }) => path)).toEqual(Object.keys(members).map((path) => `/${path}`));
  });

  it.each([
    ['two documents', 'cluster-cidr: 10.8.0.0/16\n---\nselinux: true\n'],
    ['a doubled key', 'cluster-cidr: 10.8.0.0/16\ncluster-cidr: 10.9.0.0/16\n'],
    ['a rejected line', 'cluster-cidr: 10.8.0.0/16\nnode-label: a: b\n'],
    ['a tab', 'cluster-cidr: 10.8.0.0/16\ntls-san:\n\t- a\n'],
    ['an alias without an anchor', 'cluster-cidr: *cidr\n'],
    ['an alias in its own anchor', 'tls-san: &a [x, *a]\n'],
    ['no map', '[cluster-cidr]\n'],
  ])('names a file of k3s settings that cannot be read: %s', async (_what, settings) => {
    const members = { 'etc/rancher/k3s/config.yaml': settings };
    for (const copy of [
      await archive(members, true),
      await archive(members, false),
      await disk(members),
    ]) {
      await copyStep(copy).apply?.(host);
      const { left } = await findState(host, copy);

      expect(left).toEqual([
        { path: '/etc/rancher/k3s/config.yaml', why: expect.stringContaining('is not taken over') },
      ]);
    }
  });

  it.each([
    [
      'aliases',
      'node-name: &n rack4\ntls-san: &a [*n, 192.168.1.8]\nnode-label: *a\n',
      [
        ...['node-name: rack4', 'tls-san:', '  - rack4', '  - 192.168.1.8'],
        ...['node-label:', '  - rack4', '  - 192.168.1.8'],
      ],
    ],
    [
      'words of YAML 1.1',
      'selinux: yes\nsecrets-encryption: On\ndisable-network-policy: no\n',
      [...['selinux: true', 'secrets-encryption: true', 'disable-network-policy: false']],
    ],
    ['nothing', '# none\n', []],
  ])('keeps k3s settings with %s', async (_what, settings, expected) => {
    const copy = await archive({ 'etc/rancher/k3s/config.yaml': settings }, true);
    await copyStep(copy).apply?.(host);
    const { left } = await findState(host, copy);
    await placed(copy);

    const text = await readFile(join(root, 'etc/rancher/k3s/config.yaml'), 'utf8');
    expect(text.split('\n').filter(Boolean)).toEqual(expected);
    expect(left).toEqual([]);
  });

  it.each([['- a list'], ['key: "unfinished'], ['&a [*a, *a]'], ['token-file: /etc/shadow']])(
    'keeps nothing of settings such as %j',
    async (settings) => {
      await placed(await archive({ 'etc/rancher/k3s/config.yaml': settings }, true));

      expect(await readFile(join(root, 'etc/rancher/k3s/config.yaml'), 'utf8')).not.toMatch(
        /^[^#]/m,
      );
    },
  );

  it('replaces keys of another cluster on the spare, even if it was interrupted', async () => {
    for (const each of ['tls/server-ca.crt', 'cred/x', 'token']) {
      await put(join(root, server, each), 'of another');
    }
    const foreign = await archive(state, false);
    const files = await placed(foreign);
    await placeStep({ copy: foreign, keepOff: [], token }).apply?.(host);

    expect(files.filter((path) => path.startsWith(server))).toEqual([
      `${server}/db/state.db`,
      `${server}/token`,
    ]);
    expect(await readFile(join(root, server, 'token'), 'utf8')).toBe('of-the-cluster');
  });

  /** As k3s writes it. */
  function bootstrap(password: string): [string, string] {
    const [salt, nonce] = [randomBytes(8).toString('hex'), randomBytes(12)];
    const key = pbkdf2Sync(password, salt, 4096, 32, 'sha1');
    const cipher = createCipheriv('aes-256-gcm', key, nonce);
    const bytes = Buffer.concat([nonce, cipher.update('{}'), cipher.final(), cipher.getAuthTag()]);
    return [`/bootstrap/${sha256(password).slice(0, 12)}`, `${salt}:${bytes.toString('base64')}`];
  }

  async function database(...rows: [string, string][]): Promise<Buffer> {
    const file = join(await tempDir(), 'state.db');
    const db = new DatabaseSync(file);
    db.exec('CREATE TABLE kine (id INTEGER PRIMARY KEY, name TEXT, deleted INTEGER, value BLOB)');
    const insert = db.prepare('INSERT INTO kine (name, deleted, value) VALUES (?, 0, ?)');
    for (const [name, value] of rows) insert.run(name, value);
    db.close();
    return await readFile(file);
  }

  it.each([
    ['of the rack', [bootstrap('of-the-cluster')], true, true],
    ['that its own token decrypts', [bootstrap('of-the-copy')], true, false],
    ['without an entry that only the token decrypts', [], true, false],
    ['with a damaged entry', [['/bootstrap/x', 'y'] as [string, string]], false, false],
  ])('accepts a database %s', async (_what, rows, ifAuthenticated, ifForeign) => {
    const own = rows[0]?.[0] === bootstrap('of-the-cluster')[0] ? 'of-the-cluster' : 'of-the-copy';
    const members = {
      [`${server}/db/state.db`]: await database(...rows),
      [`${server}/token`]: own,
    };
    const accepted = async (isTrusted: boolean) => {
      await copyStep(await archive(members, isTrusted)).apply?.(host);
      return (await databaseStep({ token, isTrusted }).check(host)).differs.length === 0;
    };

    expect(await accepted(true)).toBe(ifAuthenticated);
    expect(await accepted(false)).toBe(ifForeign);
  });
});
