/** A jumphost's archives in an off-site directory, intact and damaged, with and without the machine history. */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newNonce, pack } from '@skolo/backup';
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
  for (const day of days) {
    const history = withHistory.includes(day) ? [file(machineHistory, `history of ${day}`)] : [];
    const members = [file('etc/day', day), file('etc/random', randomBytes(200_000)), ...history];
    const content = { bytes: await tarOf(members) };
    const { file: packed, digest } = await pack(content, { recipients, nonce: newNonce(), folder });
    const name = join(from, `${day}-jumphost-rack4-${digest}.gz.age`);
    await rename(packed, name);
    files.push(name);
  }
  const said: string[] = [];
  const command = new SkoloCommand('skolo', testIo({ err: (text) => said.push(text) }));
  const read = (version = 'latest', key = identity) =>
    readArchive(command, rack, { from, identity: key, version, folder });
  return { folder, files, said, read };
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
      expect.stringMatching(/2026-11-20-.* damaged; trying the previous archive/),
    ]);
    await expect(read('2026-11-20')).rejects.toThrow('damaged');
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

  await expect(read('latest', other)).rejects.toThrow(
    /2026-11-20-.* is not encrypted for the specified identity; specify the identity file/,
  );
  expect(said).toEqual([]);
});

it('is never one that is not encrypted', async () => {
  const { folder, read, said } = await place(['2026-11-19']);
  const plain = await pack(
    { bytes: await tarOf([file('etc/day', 'of eve')]) },
    { recipients: 'none', nonce: newNonce(), folder },
  );
  const name = `2026-11-20-jumphost-rack4-${plain.digest}.gz`;
  await rename(plain.file, join(folder, 'offsite', name));

  expect((await read()).time).toMatch(/^2026-11-19T/);
  expect(said).toEqual([expect.stringContaining(`${name}: the archive is not encrypted`)]);
  await expect(read(name)).rejects.toThrow('the archive is not encrypted');
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
      expect.stringMatching(/2026-11-15-.* damaged; looking for the machine history in the prev/),
    ]);
    for (const { time, history } of [first, second]) {
      expect(time).toMatch(/^2026-11-20T/);
      expect(await readFile(history?.content.file ?? '', 'utf8')).toBe('history of 2026-11-08');
    }
  });
});
