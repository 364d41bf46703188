/** A jumphost's archive in an off-site directory, intact and damaged. */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newNonce, pack } from '@skolo/backup';
import { tempDir } from '@skolo/base/testing';
import { parseRack } from '@skolo/rack';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { expect, it } from 'vitest';
import { SkoloCommand } from '../../../command.ts';
import { testIo } from '../../../testing/test-io.ts';
import { readArchive } from './state-copy.ts';

const rack = parseRack(
  'rack: rack4\ntimezone: UTC\njumphost: { name: jumphost-rack4, address: 192.0.2.8 }\n',
  { file: 'rack.yaml' },
);

/** An archive for each day, with the same random content except for its first byte. */
async function place(days: readonly string[]) {
  const folder = await tempDir();
  const from = join(folder, 'offsite');
  await mkdir(from);
  const key = await generateX25519Identity();
  const identity = join(folder, 'key');
  await writeFile(identity, `${key}\n`, { mode: 0o600 });
  const recipients = [await identityToRecipient(key)];
  const files: string[] = [];
  for (const day of days) {
    const content = { bytes: randomBytes(200_000) };
    const { file, digest } = await pack(content, { recipients, nonce: newNonce(), folder });
    const name = join(from, `${day}-jumphost-rack4-${digest}.gz.age`);
    await rename(file, name);
    files.push(name);
  }
  const said: string[] = [];
  const command = new SkoloCommand('skolo', testIo({ err: (text) => said.push(text) }));
  const read = (version = 'latest', key = identity) =>
    readArchive(command, rack, { from, identity: key, version });
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
    expect('tar' in from && from.tar.length).toBe(200_000);
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
