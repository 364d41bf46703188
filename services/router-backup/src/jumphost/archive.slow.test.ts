import { createHash } from 'node:crypto';
import {
  appendFile,
  chmod,
  link,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { Journal } from '@skolo/base/durable';
import { Secret } from '@skolo/base/secrets';
import { mountSmall, run, tempDir } from '@skolo/base/testing';
import { BackupError } from '@skolo/equipment/models/configuration';
import { peer } from '@skolo/simulators';
import { describe, expect, it, onTestFinished } from 'vitest';
import { restoreArchive } from '../testing/restore-archive.ts';
import { smallRack } from '../testing/small-rack.ts';
import { lookInto, startDatabaseWriter, startJournalWriter } from '../testing/writers.ts';
import { archiveJumphost } from './archive.ts';
import { findAll } from './find.ts';
import { membersOf } from './members.ts';

const age = peer('age');
const canary = 'K10canary-of-the-cluster';
/** Made by age-keygen for these tests alone. */
const recipient = 'age1axwu0ndf092wtx60c76yr3pemyl55l4hxyajhjfn2ntr0eeradwsfhhg0e';
const identity = new Secret(
  'AGE-SECRET-KEY-1U88HUPCS4WV4MYDTKU9UEY7QLGAZYQ6GF90KQU8AUPZU6WLL9YPQ5RJGAM',
);

async function put(path: string, content: string, mode = 0o600): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  await chmod(path, mode);
}

/** State of services as they leave it, k3s, and rack.yaml as a ConfigMap brings it. */
async function makeJumphost() {
  const root = await tempDir();
  const at = (...path: string[]) => join(root, ...path);
  const state = at('var/lib/skolo');
  for (const name of ['metadata-server', 'power-cycle-daemon', 'router-backup']) {
    await put(join(state, name, 'last-success.json'), '{"lastSuccess":{}}');
    await put(join(state, name, 'rack.last-good.yaml'), 'rack: rack4\n');
    await put(join(state, name, 'audit/2026-11.jsonl'), '{"who":"ann"}\n'.repeat(100));
    await put(join(state, name, `.last-success.json.77-0-0123456789ab.tmp`), 'half');
  }
  await put(join(state, 'power-cycle-daemon/host-keys.json'), '{"switch-1":"SHA256:x"}', 0o640);
  await put(join(state, 'empty/file'), '');
  await put(join(state, 'name with ü and\nline/ü'), 'odd');
  await put(join(state, 'long/', 'n'.repeat(120), 'm'.repeat(120)), 'long');
  await symlink('../metadata-server/last-success.json', join(state, 'power-cycle-daemon/link'));
  await link(join(state, 'empty/file'), join(state, 'empty/again'));
  for (const name of ['repository', 'archives', 'outgoing', 'transcripts']) {
    await put(join(state, 'router-backup', name, 'file'), 'has its own way out');
  }
  await put(at('var/lib/rancher/k3s/server/token'), `${canary}::server:x\n`);
  await put(at('etc/skolo/..data/rack.yaml'), 'rack: rack4\n');
  await symlink('..data/rack.yaml', at('etc/skolo/rack.yaml'));
  await mkdir(at('var/lib/rancher/k3s/server/db'));
  const folder = join(state, 'router-backup/archives/jumphost-rack4');
  await mkdir(folder, { recursive: true });
  const rack = smallRack();
  return {
    root,
    /** Where things would be, were the folder the root of the file system. */
    at,
    /** Where archives are made. */
    folder,
    archive: (options = {}) =>
      archiveJumphost({
        rack,
        paths: [
          state,
          at('var/lib/rancher/k3s/server/db'),
          at('var/lib/rancher/k3s/server/token'),
          at('etc/skolo/rack.yaml'),
        ],
        exclude: ['repository', 'archives', 'outgoing', 'transcripts'].map((name) =>
          join(state, 'router-backup', name),
        ),
        recipients: [recipient],
        folder,
        scratch: join(state, 'router-backup/scratch/jumphost-rack4'),
        signal: new AbortController().signal,
        now: Date.parse('2026-11-20T03:15:00Z'),
        history: true,
        ...options,
      }),
  };
}

/** With what Debian has. */
async function restorePlainly(file: string, into: string): Promise<void> {
  const key = join(into, '..', `key-${Math.random()}`);
  await writeFile(key, `${identity.reveal()}\n`, { mode: 0o600 });
  await mkdir(into);
  const script = 'set -o pipefail; "$1" -d -i "$2" "$3" | tar -xz -C "$4"';
  await run('bash', ['-c', script, 'restore', age ?? '', key, file, into]);
  await rm(key);
}

/** Every file, folder and link below: what it is, its permissions, and its content. */
async function tree(folder: string, prefix = ''): Promise<Map<string, string>> {
  const all = new Map<string, string>();
  for (const name of (await readdir(join(folder, prefix))).sort()) {
    const path = join(prefix, name);
    const stats = await lstat(join(folder, path));
    const mode = (stats.mode & 0o7777).toString(8);
    if (stats.isSymbolicLink()) all.set(path, `link ${await readlink(join(folder, path))}`);
    else if (stats.isDirectory()) {
      all.set(path, 'folder');
      for (const [key, value] of await tree(folder, path)) all.set(key, value);
    } else {
      const content = await readFile(join(folder, path));
      all.set(path, `file ${mode} ${createHash('sha256').update(content).digest('hex')}`);
    }
  }
  return all;
}

async function numbersIn(folder: string) {
  const journal = await Journal.open(folder);
  const number = Number(journal.get('number'));
  const again = journal.get('again');
  await journal.close();
  return { number, again, recovered: journal.recovered };
}

describe('the rehearsal', () => {
  it('brings back a jumphost that went on living', async ({ skip }) => {
    if (!age) return skip('age is not installed');
    const jumphost = await makeJumphost();
    const { root, at, folder } = jumphost;
    const state = at('var/lib/skolo');
    const journals = ['power-cycle-daemon/journal', 'router-backup/journal'];
    const writers = await Promise.all(
      journals.map((journal) => startJournalWriter(join(state, journal))),
    );
    const database = at('var/lib/rancher/k3s/server/db/state.db');
    const cluster = await startDatabaseWriter(database, 'wal');
    for (const writer of [...writers, cluster]) {
      await expect.poll(writer.reported).toBeGreaterThan(50);
    }
    let appending = true;
    const auditing = (async () => {
      while (appending)
        await appendFile(join(state, 'metadata-server/audit/2026-11.jsonl'), '{}\n');
    })();

    const before = await Promise.all([...writers, cluster].map((writer) => writer.reported()));
    const archive = await jumphost.archive();
    appending = false;
    await auditing;
    // One of them dies in the middle of its work; the next archive is as good.
    await writers[0]?.kill();
    await cluster.kill();
    const killed = (await writers[0]?.reported()) ?? 0;
    const second = await jumphost.archive();
    await writers[1]?.kill();

    const ours = join(root, 'ours');
    const restored = await restoreArchive(archive.file, identity, ours);
    const plain = join(root, 'plain');
    await restorePlainly(archive.file, plain);
    const after = join(root, 'after');
    await restoreArchive(second.file, identity, after);

    expect(archive.left).toEqual([]);
    expect(restored).toMatchObject({ rack: 'rack4', jumphost: 'jumphost-rack4', left: [] });
    expect(restored.files).toBe(archive.files);
    expect(await tree(plain)).toEqual(await tree(ours));
    const inside = join(ours, state);
    const names = [...(await tree(inside)).keys()];
    expect(
      names.filter((name) => /repository|archives|outgoing|transcripts|scratch/.test(name)),
    ).toEqual([]);
    expect(names.filter((name) => /\.tmp$|LOCK$/.test(name))).toEqual([]);
    for (const [index, journal] of journals.entries()) {
      const found = await numbersIn(join(inside, journal));
      expect(found).toMatchObject({ recovered: undefined });
      expect(found.number).toBeGreaterThanOrEqual(before[index] ?? 0);
      expect(found.again).toMatchObject({ number: found.number });
    }
    const last = await numbersIn(join(after, state, 'power-cycle-daemon/journal'));
    expect(last).toMatchObject({ recovered: undefined });
    expect(last.number).toBeGreaterThanOrEqual(killed);
    for (const copy of [ours, after]) {
      const { integrity, a, b } = lookInto(join(copy, database));
      expect(integrity).toBe('ok');
      expect(b).toBe(a);
      expect(a).toBeGreaterThanOrEqual(before[2] ?? 0);
    }
    expect(await readFile(join(ours, at('etc/skolo/rack.yaml')), 'utf8')).toBe('rack: rack4\n');
    expect((await readdir(folder)).length).toBe(2);
    const { mode } = await lstat(archive.file);
    expect(mode & 0o777).toBe(0o600);
    expect((await readFile(archive.file)).includes(canary)).toBe(false);
  });

  it('gives the same digest for the same jumphost, and another one for any change', async () => {
    const jumphost = await makeJumphost();
    const state = jumphost.at('var/lib/skolo');
    const file = join(state, 'power-cycle-daemon/host-keys.json');
    const digests: string[] = [];
    const note = async () => void digests.push((await jumphost.archive()).digest);

    await note();
    await note();
    await appendFile(file, ' ');
    await note();
    await chmod(file, 0o600);
    await note();
    await put(join(state, 'power-cycle-daemon/new'), '');
    await note();
    await rm(join(state, 'power-cycle-daemon/link'));
    await note();

    expect(digests[1]).toBe(digests[0]);
    expect(new Set(digests).size).toBe(5);
  });
});

describe('what is left out', () => {
  it('is the machine history where it is not due, with its log and set-aside copies', async () => {
    const jumphost = await makeJumphost();
    const folder = jumphost.at('var/lib/skolo/machine-state');
    await put(join(folder, 'orders'), 'of ann');
    await put(join(folder, 'history.sqlite.damaged-2026-11-01'), 'damaged');
    const writer = await startDatabaseWriter(join(folder, 'history.sqlite'), 'wal');
    await expect.poll(writer.reported).toBeGreaterThan(5);

    const complete = await jumphost.archive();
    const partial = await jumphost.archive({ history: false });
    await writer.kill();
    const namesIn = async (file: string, into: string) => {
      await restoreArchive(file, identity, join(jumphost.root, into));
      return (await readdir(join(jumphost.root, into, folder))).toSorted();
    };

    expect([complete.history, partial.history]).toEqual([true, false]);
    expect(await namesIn(partial.file, 'partial')).toEqual(['orders']);
    expect(await namesIn(complete.file, 'complete')).toEqual([
      'history.sqlite',
      'history.sqlite.damaged-2026-11-01',
      'orders',
    ]);
  });

  it('was replaced with a link or a pipe after it was found', async ({ signal }) => {
    const root = await tempDir();
    const [paths, secret] = [
      ['link', 'pipe'].map((name) => join(root, name)),
      join(root, 'secret'),
    ];
    for (const path of [...paths, secret]) await put(path, 'plain');
    const { found } = await findAll({ paths, exclude: [], signal });
    for (const path of paths) await rm(path);
    await symlink(secret, join(root, 'link'));
    await run('mkfifo', [join(root, 'pipe')]);

    const left: string[] = [];
    const leave = ({ path }: { path: string }) => void left.push(path);
    const members = membersOf(found, { scratch: join(root, 'scratch'), signal, leave });

    for await (const { name } of members) expect(name).toBe('none of them');
    expect(left).toEqual(paths);
  });

  it('is named, with the reason', async () => {
    const jumphost = await makeJumphost();
    const state = jumphost.at('var/lib/skolo');
    await run('mkfifo', [join(state, 'pipe')]);
    const server = createServer().listen(join(state, 'socket'));
    onTestFinished(() => void server.close());
    await mkdir(jumphost.at('var/lib/rancher/k3s/server/db/etcd/member'), { recursive: true });
    const missing = jumphost.at('var/lib/missing');

    const { left, file } = await jumphost.archive({
      // It exists, and its beginning cannot be read.
      paths: [state, missing, '/proc/self/mem', jumphost.at('var/lib/rancher/k3s/server/db')],
    });
    const restored = await restoreArchive(file, identity, join(jumphost.root, 'ours'));

    expect(left.map(({ path }) => path)).toEqual(
      [
        '/proc/self/mem',
        missing,
        jumphost.at('var/lib/rancher/k3s/server/db/etcd'),
        join(state, 'pipe'),
        join(state, 'socket'),
      ].toSorted(),
    );
    expect(left.map(({ why }) => why).join()).toContain('back up the snapshots next to it instead');
    expect(left.map(({ why }) => why).join()).toContain('the file or directory does not exist');
    expect(restored.left).toEqual(left);
  });

  it('is what the service may not read', async ({ skip }) => {
    if (process.getuid?.() === 0) return skip('root may read everything');
    const jumphost = await makeJumphost();
    const secret = jumphost.at('var/lib/skolo/secret');
    await put(secret, 'x', 0o000);

    const { left } = await jumphost.archive();

    expect(left).toEqual([
      { path: secret, why: expect.stringContaining('does not have permission to read it') },
    ]);
  });

  it('is a file that becomes shorter again and again, and only that', async () => {
    const jumphost = await makeJumphost();
    const file = jumphost.at('var/lib/skolo/metadata-server/busy');
    await put(file, 'x'.repeat(20_000_000));
    let busy = true;
    const truncating = (async () => {
      while (busy) {
        await truncate(file, 1);
        await truncate(file, 20_000_000);
      }
    })();

    const archive = await jumphost.archive().finally(() => {
      busy = false;
    });
    await truncating;
    const restored = await restoreArchive(archive.file, identity, join(jumphost.root, 'ours'));

    // Whether it was ever read in time is left to chance; that the archive is whole is not.
    expect(restored.files).toBe(archive.files);
    expect(archive.left.every(({ path }) => path === file)).toBe(true);
    expect(await readdir(jumphost.folder)).toHaveLength(1);
  });

  it('is not a damaged journal, which is reported', async () => {
    const jumphost = await makeJumphost();
    const folder = jumphost.at('var/lib/skolo/power-cycle-daemon/journal');
    const journal = await Journal.open(folder);
    await journal.write({ put: { number: 7 } });
    await journal.write({ put: { again: 7 } });
    await journal.close();
    const segment = (await readdir(folder)).find((name) => name.endsWith('.spool')) ?? '';
    const text = await readFile(join(folder, segment), 'utf8');
    await writeFile(join(folder, segment), text.replace('"again",7', '"again",8'));

    const { left, file } = await jumphost.archive();
    const ours = join(jumphost.root, 'ours');
    await restoreArchive(file, identity, ours);
    const found = await numbersIn(join(ours, folder));

    expect(left).toEqual([{ path: folder, why: expect.stringContaining('copied although') }]);
    expect(found).toMatchObject({
      number: 7,
      recovered: expect.stringContaining('1 record was recovered'),
    });
  });
});

describe('no archive', () => {
  it.each([[undefined], ['none'], [[]]] as const)('for recipients %j', async (recipients) => {
    const jumphost = await makeJumphost();

    const error = await jumphost.archive({ recipients }).catch((error: unknown) => error);

    expect(error).toBeInstanceOf(BackupError);
    expect(error).toMatchObject({ code: 'rejected' });
    expect(String(error)).toContain('set services.router-backup.encrypt to an age recipient');
    expect(await readdir(jumphost.folder)).toEqual([]);
  });

  it('when it is stopped, and nothing of it', async () => {
    const jumphost = await makeJumphost();
    await put(jumphost.at('var/lib/skolo/large'), 'x'.repeat(30_000_000));
    const stopping = new AbortController();

    const archiving = jumphost
      .archive({ signal: stopping.signal })
      .catch((error: unknown) => error);
    await expect.poll(async () => (await readdir(jumphost.folder)).length).toBe(1);
    stopping.abort(new Error('stops'));

    expect(await archiving).toEqual(new Error('stops'));
    expect(await readdir(jumphost.folder)).toEqual([]);
  });

  it('on a full disk, and nothing of it', async (context) => {
    const jumphost = await makeJumphost();
    const random = Buffer.from(Array.from({ length: 2_000_000 }, () => Math.random() * 256));
    await writeFile(jumphost.at('var/lib/skolo/large'), random);
    const disk = join(jumphost.root, 'disk');
    await mkdir(disk);
    await mountSmall(context, disk, 'size=1m');

    const error = await jumphost.archive({ folder: disk }).catch((error: unknown) => error);

    expect(error).toMatchObject({ code: 'storage', message: expect.stringContaining('ENOSPC') });
    expect(await readdir(disk)).toEqual([]);
  });
});
