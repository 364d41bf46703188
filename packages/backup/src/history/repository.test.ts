import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { anyCharacter } from '@skolo/base/durable/any-character';
import { isLong } from '@skolo/base/durable/fault-injection';
import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { about, change, TestHistory } from '../testing/history.ts';
import { Repository } from './repository.ts';

let history: TestHistory;

beforeEach(async () => {
  history = await TestHistory.withFirstCommit();
});

afterEach(() => void vi.unstubAllEnvs());

async function commits() {
  return Number(await history.git('rev-list', '--count', 'main'));
}

const megabytes = isLong ? 20 : 4;

describe('a history', () => {
  it('gives back what it was given, byte for byte, also to plain git', async () => {
    const repository = await history.open();
    const content = Buffer.from([0, 255, 10, 13, 10, 0xc3, 0x28, 0]);

    const version = await repository.commit(change('switch-1', content));

    expect(await repository.content(version)).toEqual(content);
    expect(await history.git('show', 'main:devices/switch-1')).toEqual(content);
    expect(version).toEqual({
      id: (await history.git('rev-parse', 'main')).toString().trim(),
      device: 'switch-1',
      time: '2026-11-20T03:15:00.000Z',
      size: 8,
      sha1: createHash('sha1').update(content).digest('hex'),
      nonce: expect.stringMatching(/^[0-9a-f]{32}$/),
      model: 'edgeswitch',
      run: 'run-1',
      by: 'schedule',
      summary: 'switch-1: first version',
    });
  });

  it('is what people read with git', async () => {
    const repository = await history.open();
    await repository.commit(change('switch-1', 'vlan 1\nvlan 2\n'));
    const more = {
      by: 'ann@example.com',
      reason: 'port 3\nis lab',
      changedBy: 'admin from 10.0.0.9',
      partial: 'the login has privilege level 7',
    };
    await repository.commit(change('switch-1', 'vlan 1\nvlan 3\nvlan 4\n', more));
    await repository.note('switch-1', 'retired', about());

    const log = (await history.git('log', '-p', '--date=iso', 'main')).toString();
    const trailers = await history.git(
      'log',
      '-1',
      '--format=%(trailers:only)',
      'main',
      '--',
      'devices',
    );

    expect(log).toContain('Author: router-backup <router-backup@rack4>');
    expect(log).toContain('Date:   2026-11-20 03:15:00 +0000');
    expect(log).toContain('\n    switch-1: retired\n');
    expect(log).toContain('\n    switch-1: changed\n');
    expect(log).toContain('\n vlan 1\n-vlan 2\n+vlan 3\n+vlan 4\n');
    expect(log).toContain('\n    history of rack4 begins\n');
    expect(trailers.toString().trim().split('\n')).toEqual([
      'Rack: rack4',
      'Device: switch-1',
      'Model: edgeswitch',
      'Run: run-1',
      'Read-At: 2026-11-20T03:15:00Z',
      'By: ann@example.com',
      'Reason: port 3 is lab',
      'Changed-By: admin from 10.0.0.9',
      'Partial: the login has privilege level 7',
      'Size: 21',
      'SHA1: 440d4058ec3a5c938f812fc508ce0b1e6ee53a33',
      expect.stringMatching(/^Nonce: [0-9a-f]{32}$/),
    ]);
    await history.git('fsck', '--strict', '--full');
  });

  it('is nobody else’s, and leaves nothing beside itself', async () => {
    await rm(history.folder, { recursive: true });

    await history.open();

    expect((await stat(history.folder)).mode & 0o777).toBe(0o700);
    expect(await readdir(history.parent)).toEqual(['history']);
  });

  it('begins in an empty folder, and where one was begun', async () => {
    await rm(history.folder, { recursive: true });
    await mkdir(history.folder);
    await mkdir(join(history.parent, '.history.new', 'objects'), { recursive: true });

    await (await history.open()).commit(change('switch-1', 'a'));

    expect(await readdir(history.parent)).toEqual(['history']);
  });

  it('is the same when it is opened again', async () => {
    const first = await history.open();
    await first.commit(change('switch-1', 'a\nb\n'));
    await first.commit(change('router', 'x\n'));
    const third = await first.commit(change('switch-1', 'a\nc\nd\n'));
    await first.note('router', 'retired', about());

    const second = await history.open();

    expect(await second.devices()).toEqual(['router', 'switch-1']);
    expect(await second.newest('switch-1')).toEqual(third);
    expect(await second.count('switch-1')).toBe(2);
    expect(await second.count('router')).toBe(1);
    expect(await second.count('switch-9')).toBe(0);
    expect(await second.newest('switch-9')).toBeUndefined();
    expect(await second.versions('switch-9')).toEqual([]);
    const versions = await second.versions('switch-1');
    expect(versions.map(({ summary }) => summary)).toEqual([
      'switch-1: changed',
      'switch-1: first version',
    ]);
    expect(versions).toEqual(await first.versions('switch-1'));
    expect(await second.versions('switch-1', { limit: 1 })).toEqual([third]);
  });

  it('makes no commit of what is the newest already', async () => {
    const first = await history.open();
    const version = await first.commit(change('switch-1', 'a'));

    const same = await first.commit(change('switch-1', 'a', { run: '2' }));
    const afterwards = await (await history.open()).commit(change('switch-1', 'a'));

    expect(same).toEqual(version);
    expect(afterwards).toEqual(version);
    expect(await commits()).toBe(2);
  });

  it('has a version of its own for what was there before', async () => {
    const repository = await history.open();
    for (const text of ['a', 'b', 'a']) await repository.commit(change('switch-1', text));

    expect(await repository.count('switch-1')).toBe(3);
    expect(await repository.versions('switch-1')).toHaveLength(3);
  });

  it('is in the order in which it was written, whatever the clock said', async () => {
    const repository = await history.open();
    const times = [
      '2026-11-20T03:15:00Z',
      '1970-01-01T00:00:00Z',
      '2019-01-01T00:00:00Z',
      '1969-01-01T00:00:00Z',
    ];
    for (const [n, time] of times.entries())
      await repository.commit(change('switch-1', `${n}`, { time }));

    const versions = await (await history.open()).versions('switch-1');

    expect(versions.map(({ time }) => time.slice(0, 10)).reverse()).toEqual(
      times.map((t) => t.slice(0, 10)),
    );
    expect((await repository.newest('switch-1'))?.time).toBe('1969-01-01T00:00:00.000Z');
    await history.git('fsck', '--strict');
  });

  it('says how many lines changed only where they can be counted', async () => {
    const repository = await history.open();
    await repository.commit(change('switch-1', 'a\n'.repeat(1_100_000)));

    const large = await repository.commit(change('switch-1', 'b\n'));
    const own = await repository.commit(
      change('switch-1', 'c\n', { summary: 'restored from 1a2b3c' }),
    );

    expect(large.summary).toBe('switch-1: changed');
    expect(own.summary).toBe('switch-1: restored from 1a2b3c');
  });

  it('takes every text for what it is in a message', async () => {
    const repository = await history.open();
    const text = fc.string({ unit: anyCharacter, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(
        fc.record({ reason: text, changedBy: text, partial: text, by: text, rack: text }),
        fc.uint8Array(),
        async (more, bytes) => {
          const version = await repository.commit(change('switch-1', Buffer.from(bytes), more));

          const [newest] = await repository.versions('switch-1', { limit: 1 });
          expect(newest).toEqual(version);
          expect(await repository.content(version)).toEqual(Buffer.from(bytes));
        },
      ),
      runs(8),
    );
    const versions = await repository.versions('switch-1');
    expect(versions).toHaveLength(await repository.count('switch-1'));
    await history.git('fsck', '--strict');
  });
});

describe('contents and names', () => {
  it.each([
    ['bytes', 'bytes'],
    ['a file', 'file'],
  ])(`of ${megabytes} MB come and go as %s`, async (_what, kind) => {
    const repository = await history.open();
    const content = randomBytes(megabytes << 20);
    const file = join(history.parent, 'large');
    await writeFile(file, content);

    const version = await repository.commit({
      device: 'jumphost',
      content: kind === 'file' ? { file, size: content.length } : { bytes: content },
      about: about(),
    });

    expect((await repository.content(version)).equals(content)).toBe(true);
    const out = join(history.parent, 'out');
    await repository.contentToFile(version, out);
    expect((await readFile(out)).equals(content)).toBe(true);
    expect((await stat(out)).mode & 0o777).toBe(0o600);
    expect((await history.git('show', 'main:devices/jumphost')).equals(content)).toBe(true);
    await expect(repository.contentToFile(version, out)).rejects.toMatchObject({ code: 'storage' });
    expect((await stat(out)).size).toBe(content.length);
  });

  it('of a file that is not what it was is rejected, and nothing is stored', async () => {
    const repository = await history.open();
    const file = join(history.parent, 'large');
    await writeFile(file, 'abc');
    const wrong = { device: 'jumphost', about: about() };

    await expect(repository.commit({ ...wrong, content: { file, size: 4 } })).rejects.toMatchObject(
      { code: 'storage', message: expect.stringContaining('3 bytes') },
    );
    await expect(
      repository.commit({ ...wrong, content: { file: `${file}-no`, size: 4 } }),
    ).rejects.toMatchObject({ code: 'storage' });

    expect(await repository.devices()).toEqual([]);
    expect(await commits()).toBe(1);
  });

  it('of a file that shrinks meanwhile harm nobody else', async () => {
    const repository = await history.open();
    const file = join(history.parent, 'large');
    await writeFile(file, Buffer.alloc(30 << 20));
    const content = { file, size: 30 << 20 };
    // Expected immediately: it may fail while this test still waits for the file to shrink.
    const large = expect(
      repository.commit({ device: 'jumphost', content, about: about() }),
    ).rejects.toMatchObject({ code: 'storage' });
    const small = repository.commit(change('switch-1', 'a'));

    await truncate(file, 1 << 20);

    await large;
    expect((await small).device).toBe('switch-1');
    expect(await (await history.open()).devices()).toEqual(['switch-1']);
  });

  it('are stored for what may be the name of a host', async () => {
    const repository = await history.open();
    const names = ['0', 'A1', 'a', 'switch_1.lab-2', 'x'.repeat(200)];

    await Promise.all(names.map((name) => repository.commit(change(name, 'a'))));

    expect(await (await history.open()).devices()).toEqual(names);
    await history.git('fsck', '--strict');
  });

  it('are rejected for any other name', async () => {
    const repository = await history.open();
    const wrong = ['', '.', '..', '.git', 'a/b', 'a..b', '-x', 'a.', 'a b', 'a\nb', 'é', 'a.age'];
    const notFound = { code: 'not-found' };

    for (const name of [...wrong, 'x'.repeat(201)]) {
      const version = { id: '0'.repeat(40), device: name, time: '' };
      await expect(repository.commit(change(name, 'a')), name).rejects.toMatchObject(notFound);
      await expect(repository.note(name, 'a', about()), name).rejects.toMatchObject(notFound);
      await expect(repository.content(version), name).rejects.toMatchObject(notFound);
      expect(await repository.versions(name)).toEqual([]);
    }
    expect(await commits()).toBe(1);
  });

  it('are not found by what is no id of a version', async () => {
    const repository = await history.open();
    await repository.commit(change('switch-1', 'a'));

    for (const id of ['0'.repeat(40), 'main', '--help', '', 'abcd']) {
      const content = repository.content({ id, device: 'switch-1', time: '' });
      await expect(content, id).rejects.toMatchObject({ code: 'not-found' });
    }
  });
});

describe('many at once', () => {
  it('are written one after another, each once', async () => {
    const repository = await history.open();
    const many = isLong ? 200 : 40;
    const devices = Array.from({ length: many }, (_, n) => `switch-${n}`);

    const first = await Promise.all(
      devices.map((device) => repository.commit(change(device, `first of ${device}`))),
    );
    await Promise.all(
      devices.flatMap((device) => [
        repository.commit(change(device, 'second')),
        repository.commit(change(device, 'second')),
        repository.commit(change(device, 'third')),
        repository.note(device, 'retired', about()),
      ]),
    );

    expect(await commits()).toBe(1 + many * 4);
    const again = await history.open();
    expect(await again.devices()).toEqual([...devices].sort());
    for (const device of devices) expect(await again.count(device)).toBe(3);
    const [, , oldest] = await again.versions('switch-17');
    expect(oldest).toEqual(first[17]);
    const texts = (await again.versions('switch-5')).map((version) => again.content(version));
    expect((await Promise.all(texts)).map(String)).toEqual([
      'third',
      'second',
      'first of switch-5',
    ]);
    await history.git('fsck', '--strict');
  });

  it('may be read while they are written and repacked', async () => {
    const repository = await history.open();
    const version = await repository.commit(change('switch-1', 'first'));
    const { signal } = new AbortController();

    const work = Array.from({ length: isLong ? 10 : 4 }, async (_, n) => {
      await repository.commit(change(`switch-${n}`, `${n}`));
      if (n % 3 === 0) await repository.maintain(signal);
      expect(await repository.check(signal)).toBeUndefined();
      expect(String(await repository.content(version))).toBe('first');
      await (await Repository.open(history.folder)).close();
    });

    await Promise.all(work);
  });

  it.each([
    'refs/heads/main.lock',
    'objects/pack/tmp_pack_XCY05Q',
    'objects/pack/tmp_bitmap_XCY05Q',
    'objects/pack/tmp_mtimes_XCY05Q',
    'objects/tmp_objdir-incoming-XCY05Q/pack',
    'objects/info/tmp_of_a_later_git',
  ])('of a git that was killed leave nothing behind: %s', async (path) => {
    await (await history.open()).close();
    const leftover = join(history.folder, path);
    await mkdir(dirname(leftover), { recursive: true });
    await writeFile(leftover, '');

    await (await history.open()).close();

    expect(await readdir(history.folder, { recursive: true })).not.toContain(path);
  });

  it('lose no file to another process that opens the history and removes leftovers', async () => {
    const repository = await history.open();
    const { signal } = new AbortController();
    let isDone = false;
    const others = Array.from({ length: isLong ? 4 : 2 }, async () => {
      while (!isDone) await (await Repository.open(history.folder)).close();
    });

    try {
      for (let n = 0; n < (isLong ? 200 : 8); n++) {
        await repository.commit(change('switch-1', `${n}`));
        await repository.maintain(signal);
      }
    } finally {
      isDone = true;
      await Promise.all(others);
    }
  });

  it('are finished before a history is closed, and rejected afterwards', async () => {
    const repository = await history.open();
    const version = repository.commit(change('switch-1', 'a'));

    await repository.close();

    expect((await version).device).toBe('switch-1');
    await expect(repository.commit(change('switch-1', 'b'))).rejects.toMatchObject({
      code: 'storage',
      message: expect.stringContaining('closed'),
    });
  });

  it('are written although another process wrote meanwhile', async () => {
    const [first, second] = [await history.open(), await history.open()];
    await first.commit(change('switch-1', 'a'));

    await second.commit(change('switch-2', 'b'));
    await first.commit(change('switch-2', 'b'));

    expect(await first.devices()).toEqual(['switch-1', 'switch-2']);
    expect(await commits()).toBe(3);
  });
});

describe('a history that is looked after', () => {
  it('is sound, and stays so with few packs', async () => {
    const repository = await history.open();
    for (let n = 0; n < 8; n += 1) await repository.commit(change(`switch-${n % 2}`, `${n}\n`));

    await repository.maintain(new AbortController().signal);
    await repository.maintain(new AbortController().signal);

    const names = await readdir(join(history.folder, 'objects/pack'));
    expect(names.filter((name) => name.endsWith('.pack'))).toHaveLength(1);
    expect(await repository.check(new AbortController().signal)).toBeUndefined();
    const versions = await repository.versions('switch-1');
    expect(await Promise.all(versions.map((version) => repository.content(version)))).toEqual(
      ['7\n', '5\n', '3\n', '1\n'].map((text) => Buffer.from(text)),
    );
  });

  it('takes little more space for four days of twenty similar devices than for one', async () => {
    const repository = await history.open();
    const line = (...of: number[]) =>
      `set interface ge-0/0/${of.at(-1)} description ${createHash('sha256').update(of.join()).digest('hex').slice(0, 24)}`;
    const devices = Array.from({ length: 20 }, (_, n) => ({
      name: `switch-${n}`,
      lines: Array.from({ length: 1200 }, (_, port) => line(n, port)),
    }));
    const bytes: number[] = [];

    for (let day = 0; day < 4; day += 1) {
      await Promise.all(
        devices.map(async ({ name, lines }, n) => {
          for (const port of [0, 1, 2]) lines[day * 7 + port * 131] = line(day, n, port);
          await repository.commit(change(name, lines.join('\n')));
        }),
      );
      await repository.maintain(new AbortController().signal);
      bytes.push(await packedBytes());
    }

    const [first = 0] = bytes;
    expect(bytes.at(-1)).toBeLessThan(2 * first);
    const [, , , oldest] = await repository.versions('switch-7');
    expect(`${oldest && (await repository.content(oldest))}`).toContain(line(0, 7, 2));
    expect(await repository.check(new AbortController().signal)).toBeUndefined();
  });

  it('stops when it is told to', async () => {
    const repository = await history.open();
    const reason = new Error('stopped');

    await expect(repository.check(AbortSignal.abort(reason))).rejects.toBe(reason);
    await expect(repository.maintain(AbortSignal.abort(reason))).rejects.toBe(reason);
    const abort = new AbortController();
    const checking = repository.check(abort.signal);
    abort.abort(reason);
    await expect(checking).rejects.toBe(reason);
  });

  it('does not listen to the configuration of the user or the system', async () => {
    vi.stubEnv('GIT_DIR', '/nowhere');
    vi.stubEnv('GIT_CONFIG_COUNT', '1');
    vi.stubEnv('GIT_CONFIG_KEY_0', 'core.bare');
    vi.stubEnv('GIT_CONFIG_VALUE_0', 'nonsense');
    vi.stubEnv('GIT_AUTHOR_NAME', 'somebody else');

    const repository = await history.open();
    const version = await repository.commit(change('switch-1', 'a'));

    expect(String(await repository.content(version))).toBe('a');
  });

  it('says where git is missing or too old', async () => {
    const programs = join(history.parent, 'programs');
    await mkdir(programs);
    vi.stubEnv('PATH', programs);

    await expect(history.open()).rejects.toMatchObject({
      code: 'storage',
      message: expect.stringContaining('git cannot be run'),
    });
    await writeFile(join(programs, 'git'), '#!/bin/sh\necho git version 2.30.2\n', { mode: 0o755 });
    await expect(history.open()).rejects.toMatchObject({
      code: 'storage',
      message: expect.stringContaining('git 2.36'),
    });
  });
});

async function packedBytes(): Promise<number> {
  const folder = join(history.folder, 'objects/pack');
  const sizes = (await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
