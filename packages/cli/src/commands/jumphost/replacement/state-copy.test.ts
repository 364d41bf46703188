/** A jumphost's archives in an off-site directory, intact and damaged, with and without the machine history. */
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { archiveDigest, newNonce, pack } from '@skolo/backup';
import { Secret } from '@skolo/base/secrets';
import { tempDir } from '@skolo/base/testing';
import { type NewMember, tarOf } from '@skolo/equipment/models/tar';
import { parseRack } from '@skolo/rack';
import { machineHistory } from '@skolo/setup/jumphost';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { describe, expect, it } from 'vitest';
import { SkoloCommand } from '../../../command.ts';
import { testIo } from '../../../testing/test-io.ts';
import { readArchive } from './state-copy.ts';

const rack = parseRack(
  'rack: rack4\ntimezone: UTC\njumphost: { name: jumphost-rack4, address: 192.0.2.8 }\n',
  { file: 'rack.yaml' },
);

const file = (name: string, text: string | Buffer): NewMember => {
  const content = Buffer.from(text);
  const { length: size } = content;
  return { name, type: 'file', mode: 0o640, uid: 10_001, gid: 10_002, size, content };
};

const backupKey = new Secret('of the rack');
const jumphost = rack.jumphost.name;

/** An archive for each day, with a random file. Those of some days contain the history. */
async function place(days: readonly string[], withHistory: readonly string[] = []) {
  const folder = await tempDir();
  const from = join(folder, 'offsite');
  await mkdir(from);
  const key = await generateX25519Identity();
  const identity = join(folder, 'key');
  await writeFile(identity, `${key}\n`, { mode: 0o600 });
  const recipients = [await identityToRecipient(key)];
  const files: string[] = [];
  /** @param key `none`: as somebody makes it who can only write there */
  async function add(day: string, members: NewMember[], key: Secret | 'none' = backupKey) {
    const content = { bytes: await tarOf(members) };
    const { file: packed } = await pack(content, { recipients, nonce: newNonce(), folder });
    const time = `${day}T03:00:00Z`;
    const authenticated = key === 'none' ? undefined : { backupKey: key, device: jumphost, time };
    const digest = await archiveDigest(packed, authenticated);
    const name = `${day}-${jumphost}-${digest}.gz.age`;
    await rename(packed, join(from, name));
    return name;
  }
  for (const day of days) {
    const history = withHistory.includes(day) ? [file(machineHistory, `history of ${day}`)] : [];
    const members = [file('etc/day', day), file('etc/random', randomBytes(200_000)), ...history];
    files.push(join(from, await add(day, members)));
  }
  const said: string[] = [];
  const command = new SkoloCommand('skolo', testIo({ err: (text) => said.push(text) }));
  const read = (
    version = 'latest',
    more: { identity?: string; unauthenticated?: true; backupKey?: Secret | undefined } = {},
  ) => readArchive(command, rack, { from, identity, version, folder, backupKey, ...more });
  return { folder, files, said, add, read };
}

const damages = {
  'one bit changed': (bytes: Buffer) => {
    bytes[100_000] = (bytes[100_000] ?? 0) ^ 1;
    return bytes;
  },
  truncated: (bytes: Buffer) => bytes.subarray(0, -1000),
  'without a byte': () => Buffer.alloc(0),
};

it.each(Object.entries(damages))(
  'is the next older one where the newest is %s',
  async (_, damage) => {
    const { files, said, read } = await place(['2026-11-18', '2026-11-19', '2026-11-20']);
    const newest = files[2] ?? '';
    await writeFile(newest, damage(await readFile(newest)));

    const { time, from } = await read();

    expect(time).toMatch(/^2026-11-19T/);
    expect('tar' in from && (await readFile(from.tar.file)).includes('2026-11-19')).toBe(true);
    expect(said).toEqual([
      expect.stringMatching(/2026-11-20-.* damaged, .*; trying the previous archive/),
    ]);
    await expect(read(basename(newest))).rejects.toThrow('damaged');
  },
);

it('is none where all are damaged', async () => {
  const { files, read } = await place(['2026-11-19', '2026-11-20']);
  for (const file of files) await writeFile(file, 'age-encryption.org/v1\n');

  await expect(read()).rejects.toThrow('(2 archives checked)');
});

it('is not an older one where the key does not open the newest', async () => {
  const { folder, read, said } = await place(['2026-11-19', '2026-11-20']);
  const other = join(folder, 'other');
  await writeFile(other, `${await generateX25519Identity()}\n`, { mode: 0o600 });

  await expect(read('latest', { identity: other })).rejects.toThrow(
    /2026-11-20-.* is not encrypted for the specified identity; specify the identity file/,
  );
  expect(said).toEqual([]);
});

describe('an archive that the rack did not make', () => {
  const forged = [file('etc/day', 'of eve')];

  it.each([
    ['without a key', 'none' as const],
    ['with another key', new Secret('of eve')],
  ])('is never the newest: made %s', async (_, key) => {
    const { add, said, read } = await place(['2026-11-19']);
    const name = await add('2026-11-20', forged, key);

    const { time, from } = await read();

    expect(time).toMatch(/^2026-11-19T/);
    expect(from).toMatchObject({ isAuthenticated: true });
    expect(said).toEqual([expect.stringContaining(name)]);
    await expect(read(name)).rejects.toThrow(name);
  });

  it('is a genuine one with the name of another day or jumphost', async () => {
    const { files, read } = await place(['2026-11-18', '2026-11-19']);
    const [old = '', newest = ''] = files;
    await rename(old, old.replace('2026-11-18', '2026-11-20'));

    expect((await read()).time).toMatch(/^2026-11-19T/);
    await rm(newest);
    await expect(read()).rejects.toThrow('(1 archive checked)');
  });

  it('is used if a person names it, and is then not trusted', async () => {
    const { add, files, read, said } = await place(['2026-11-18'], ['2026-11-18']);
    const name = await add('2026-11-20', forged, 'none');
    const unauthenticated = true;

    const { title, from, history } = await read(name, { unauthenticated });
    expect(title).toMatch(/, not authenticated$/);
    expect(from).toMatchObject({ isAuthenticated: false });
    expect(history?.time).toMatch(/^2026-11-18T/);
    const own = basename(files[0] ?? '');
    expect((await read(own, { unauthenticated })).from).toMatchObject({ isAuthenticated: true });
    const without = { unauthenticated, backupKey: undefined } as const;
    expect((await read(name, without)).from).toMatchObject({ isAuthenticated: false });
    expect(said.join()).not.toContain('trying');
    await add('2026-11-20', [...forged, file('etc/x', 'x')], 'none');
    for (const version of ['latest', 'latest~1', '2026-11-20', '2026-11-19T12:00:00+14:00']) {
      expect((await read(version, { unauthenticated })).from).toMatchObject({
        isAuthenticated: true,
      });
    }
    for (const version of ['latest', '2026-11-20', name.slice(0, -8)]) {
      await expect(read(version, without)).rejects.toThrow(/complete ID|is authenticated/);
    }
  });

  it.each([
    ['the key', backupKey],
    ['no key', undefined],
  ])('is damaged if a person names it, and its file has another content: %s', async (_, key) => {
    const { add, folder, read } = await place(['2026-11-19']);
    const name = await add('2026-11-18', [file('etc/day', 'chosen')], 'none');
    const foreign = await add('2026-11-20', forged, 'none');
    await rename(join(folder, 'offsite', foreign), join(folder, 'offsite', name));

    const reading = read(name, { unauthenticated: true, backupKey: key });

    if (key) await expect(reading).rejects.toThrow(`${name}: its content does not match its name`);
    else expect((await reading).title).toMatch(/, not authenticated$/);
  });

  it('gives the machine history if a person names it, too', async () => {
    const { add, read } = await place(['2026-11-19']);
    const addHistory = (day: string) =>
      add(day, [file(machineHistory, `history of ${day}`)], 'none');
    const older = [
      await addHistory('2026-11-16'),
      await addHistory('2026-11-17'),
      await addHistory('2026-11-18'),
    ];
    const name = await add('2026-11-20', forged, 'none');
    const unauthenticated = true;

    expect((await read(name, { unauthenticated })).history).toBeUndefined();
    for (const key of [backupKey, undefined]) {
      const version = [name, ...older.slice(0, 2)].join();
      const { time, history } = await read(version, { unauthenticated, backupKey: key });
      expect(time).toMatch(/^2026-11-20T/);
      expect(history?.time).toMatch(/^2026-11-17T/);
    }
  });

  it.each([
    ['the key', backupKey],
    ['no key', undefined],
  ])('is named if only the machine history comes from it: %s', async (_, key) => {
    const { add, files, read, said } = await place(['2026-11-20']);
    const older = await add('2026-11-17', [file(machineHistory, 'of eve')], 'none');
    const without = await add('2026-11-18', forged, 'none');
    const newest = key ? 'latest' : basename(files[0] ?? '');

    const version = [newest, without, older].join();
    const copy = await read(version, { unauthenticated: true, backupKey: key });

    expect(copy.history?.time).toMatch(/^2026-11-17T/);
    expect(copy.from).toMatchObject({ isAuthenticated: key !== undefined });
    expect(copy.title).toMatch(
      key
        ? /^[^,]*, archive of [^,]*, machine history not authenticated$/
        : /, not authenticated, machine history not authenticated$/,
    );
    expect(said.filter((line) => line.includes(`${older} is not authenticated`))).toHaveLength(1);
    const { title } = await read([newest, without].join(), {
      unauthenticated: true,
      backupKey: key,
    });
    expect(title).not.toContain('machine history');
  });

  it('is passed if it cannot be read', async (context) => {
    if (process.getuid?.() === 0) return context.skip('root may read everything');
    const { add, folder, read, said } = await place(['2026-11-18', '2026-11-19']);
    const name = await add('2026-11-20', forged, 'none');
    await chmod(join(folder, 'offsite', name), 0o000);

    expect((await read()).time).toMatch(/^2026-11-19T/);
    expect(said).toEqual([expect.stringMatching(`${name}: .*: the user that`)]);
  });

  it('hides neither the genuine one of a day nor the machine history', async () => {
    const { add, read } = await place(['2026-11-18', '2026-11-20'], ['2026-11-18']);
    for (let n = 0; n < 22; n += 1) {
      await add('2026-11-19', [file('etc/n', `${n}`)], 'none');
    }
    await add('2026-11-18', forged, 'none');

    expect((await read()).history?.time).toMatch(/^2026-11-18T/);
    const { time, from } = await read('2026-11-18');
    expect(time).toMatch(/^2026-11-18T/);
    expect(from).toMatchObject({ isAuthenticated: true });
  });

  it('is not unpacked', async () => {
    const { add, folder, read, said } = await place(['2026-11-19']);
    await add('2026-11-20', [file('etc/zeros', Buffer.alloc(20 << 20))], 'none');
    const plain = `2026-11-21-${jumphost}-${'a'.repeat(40)}.gz`;
    await writeFile(join(folder, 'offsite', plain), 'damaged');

    expect((await read()).time).toMatch(/^2026-11-19T/);
    expect(said).toEqual([
      expect.stringContaining('the archive is not encrypted'),
      expect.stringContaining('is not authenticated'),
    ]);
  });

  it('gives no machine history to a genuine one', async () => {
    const { add, read, said } = await place(['2026-11-18', '2026-11-20'], ['2026-11-18']);
    const name = await add('2026-11-19', [file(machineHistory, 'of eve')], 'none');

    const { history } = await read();

    expect(history?.time).toMatch(/^2026-11-18T/);
    expect(said).toEqual([expect.stringContaining(name)]);
  });

  it('is each of them without a backup key', async () => {
    const { read } = await place(['2026-11-20']);

    await expect(read('latest', { backupKey: undefined })).rejects.toThrow(
      /does not contain backup-key, .* --version ID --unauthenticated$/,
    );
  });

  it('is none that is not encrypted, even if a person names it', async () => {
    const { folder, read, said } = await place(['2026-11-19']);
    const authenticated = { backupKey, device: jumphost, time: '2026-11-20T03:00:00Z' };
    const options = { recipients: 'none', nonce: newNonce(), authenticated, folder } as const;
    const plain = await pack({ bytes: await tarOf(forged) }, options);
    const name = `2026-11-20-${jumphost}-${plain.digest}.gz`;
    await rename(plain.file, join(folder, 'offsite', name));

    expect((await read()).time).toMatch(/^2026-11-19T/);
    expect(said).toEqual([expect.stringContaining(`${name}: the archive is not encrypted`)]);
    await expect(read(name, { unauthenticated: true })).rejects.toThrow('is not encrypted');
  });

  it('does not look like a missing identity', async () => {
    const { folder, add, read } = await place(['2026-11-19']);
    const name = await add('2026-11-20', forged, 'none');
    const recipients = [await identityToRecipient(await generateX25519Identity())];
    const bytes = await tarOf(forged);
    const { file: packed } = await pack({ bytes }, { recipients, nonce: newNonce(), folder });
    await rename(packed, join(folder, 'offsite', name));

    expect((await read()).time).toMatch(/^2026-11-19T/);
  });

  it('does not fill the disk', async () => {
    const { add, read, said } = await place(['2026-11-19']);
    await add('2026-11-20', [file('etc/zeros', Buffer.alloc(20 << 20))], backupKey);

    expect((await read()).time).toMatch(/^2026-11-19T/);
    expect(said).toEqual([expect.stringMatching(/its content is larger than \d+ bytes/)]);
  });
});

describe('the machine history', () => {
  const days = ['2026-11-01', '2026-11-08', '2026-11-15', '2026-11-19', '2026-11-20'];

  it.each([
    ['the newest archive, which contains it', '2026-11-20', 'latest', undefined],
    ['an older archive', '2026-11-15', 'latest', '2026-11-15'],
    ['an archive older than the chosen one', '2026-11-19', '2026-11-15', '2026-11-08'],
    ['nowhere, and the rest is restored', '', 'latest', undefined],
  ])('comes from %s', async (_, newest, version, expected) => {
    const { read, said } = await place(
      days,
      [newest, '2026-11-08', '2026-11-01'].slice(newest ? 0 : 3),
    );

    const { time, history } = await read(version);

    expect(time.slice(0, 10)).toBe(version === 'latest' ? '2026-11-20' : version);
    expect(history?.time.slice(0, 10)).toBe(expected);
    expect(history && (await readFile(history.content.file, 'utf8'))).toBe(
      expected && `history of ${expected}`,
    );
    if (history) expect(history).toMatchObject({ mode: 0o640, uid: 10_001, gid: 10_002 });
    expect(said).toEqual([]);
  });

  it('comes from the week before, where the archive with it is damaged or lost', async () => {
    const { files, said, read } = await place(days, ['2026-11-01', '2026-11-08', '2026-11-15']);
    await writeFile(files[2] ?? '', 'age-encryption.org/v1\n');
    const first = await read();
    await rm(files[2] ?? '');

    const second = await read();

    expect(said).toEqual([
      expect.stringMatching(
        /2026-11-15-.* damaged, .*; looking for the machine history in the prev/,
      ),
    ]);
    for (const { time, history } of [first, second]) {
      expect(time).toMatch(/^2026-11-20T/);
      expect(await readFile(history?.content.file ?? '', 'utf8')).toBe('history of 2026-11-08');
    }
  });
});
