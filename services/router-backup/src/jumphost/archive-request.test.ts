import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decrypt } from '@skolo/backup';
import { run, tempDir } from '@skolo/base/testing';
import { Secret } from '@skolo/secrets';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { expect, it, vi } from 'vitest';
import { requestArchive } from './archive-request.ts';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));
/** The program takes long to start while other tests run. */
const fast = { acceptWithinMs: 600_000, lookMs: 20 };

async function host(recipient: string) {
  const dir = await tempDir();
  const folder = join(dir, 'state/router-backup/jumphost');
  await mkdir(folder, { recursive: true });
  await writeFile(join(dir, 'state/router-backup/scratch'), 'useless elsewhere');
  await writeFile(join(dir, 'state/token'), 'of the cluster');
  const rack = join(dir, 'rack.yaml');
  await writeFile(
    rack,
    `rack: rack4
timezone: UTC
network: { subnet: 127.0.0.0/8 }
jumphost: { name: jumphost-rack4, address: 127.0.0.1 }
services: { router-backup: { encrypt: ${recipient}, jumphost: { paths: [${dir}/state] } } }
`,
  );
  const archive = () =>
    run(process.execPath, [main, 'archive-jumphost', '--rack', rack, '--folder', folder]);
  return { folder, archive };
}

it('is made when it is wanted, and encrypted', async ({ signal }) => {
  const identity = await generateX25519Identity();
  const { folder, archive } = await host(`[${await identityToRecipient(identity)}]`);

  const wanted = requestArchive(folder, { ...fast, signal });
  await vi.waitFor(async () => expect(await readdir(folder)).toContain('wanted'));
  await archive();
  const made = await wanted;

  expect(made).toMatchObject({ files: 2, left: [] });
  expect(await readdir(folder)).not.toContain('wanted');
  const bytes = await decrypt(await readFile(made?.file ?? ''), [new Secret(identity)], 'it');
  expect(bytes.subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]));
});

it('fails with the reason of the program', async ({ signal }) => {
  const { folder, archive } = await host('none');

  const wanted = expect(requestArchive(folder, { ...fast, signal })).rejects.toThrow(
    'on the jumphost: the jumphost contains secrets, so its backup must be encrypted',
  );
  await vi.waitFor(async () => expect(await readdir(folder)).toContain('wanted'));
  await expect(archive()).rejects.toThrow();

  await wanted;
});

it('is not waited for where nobody makes it', async ({ signal }) => {
  const { folder } = await host('none');

  expect(await requestArchive(folder, { ...fast, acceptWithinMs: 50, signal })).toBe(undefined);
  expect(await requestArchive(join(folder, 'not-there'), { ...fast, signal })).toBe(undefined);
  expect(await readdir(folder)).toEqual([]);
});
