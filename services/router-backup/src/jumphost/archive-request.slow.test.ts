import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decrypt } from '@skolo/backup';
import { Secret } from '@skolo/base/secrets';
import { run, tempDir } from '@skolo/base/testing';
import { lacks } from '@skolo/simulators/peer';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { expect, it, vi } from 'vitest';
import { requestArchive } from './archive-request.ts';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));
/** The program takes long to start while other tests run. */
const fast = { history: true, acceptWithinMs: 600_000, lookMs: 20 };

async function host(recipient: string) {
  const dir = await tempDir();
  const folder = join(dir, 'state/jumphost-archive');
  await mkdir(folder, { recursive: true });
  await mkdir(join(dir, 'state/router-backup'));
  await writeFile(join(dir, 'state/router-backup/scratch'), 'useless elsewhere');
  await writeFile(join(dir, 'state/token'), 'of the cluster');
  await mkdir(join(dir, 'state/machine-state'));
  await writeFile(join(dir, 'state/machine-state/history.sqlite'), '');
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
  const command = [process.execPath, main, 'archive-jumphost', '--rack', rack, '--folder', folder];
  const archive = ([program = 'env', ...args]: string[] = []) =>
    run(program, [...args, ...command]);
  return { dir, folder, archive };
}

it.each([true, false])(
  'is made when it is wanted, and encrypted; with the history: %s',
  async (history) => {
    const { signal } = new AbortController();
    const identity = await generateX25519Identity();
    const { folder, archive } = await host(`[${await identityToRecipient(identity)}]`);

    const wanted = requestArchive(folder, { ...fast, history, signal });
    await vi.waitFor(async () => expect(await readdir(folder)).toContain('wanted'));
    await archive();
    const made = await wanted;

    expect(made).toMatchObject({ files: history ? 3 : 2, history, left: [] });
    expect((await readdir(folder)).toSorted()).toEqual(['archive.age', 'done.json']);
    const bytes = await decrypt(await readFile(made?.file ?? ''), [new Secret(identity)], 'it');
    expect(bytes.subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]));
  },
);

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

/** As in skolo-jumphost-archive.service. */
const asUnit = ['setpriv', '--bounding-set=-all,+dac_read_search', '--inh-caps=-all'];
const asPod = ['setpriv', '--reuid=10001', '--regid=10001', '--clear-groups'];

it.skipIf(lacks('root'))('changes nothing behind what the pod puts in its place', async () => {
  const identity = await generateX25519Identity();
  const { dir, folder, archive } = await host(`[${await identityToRecipient(identity)}]`);
  const pod = (script: string) => run('setpriv', [...asPod.slice(1), 'sh', '-ec', script]);
  // As skolo.tmpfiles.conf makes it.
  await run('sh', ['-c', `chown 0:10001 ${folder} && chmod 2770 ${folder}`]);
  for (const open of [dir, join(dir, 'state')]) await chmod(open, 0o755);
  const victims = join(dir, 'victims');
  await mkdir(victims);
  await writeFile(join(victims, 'file'), 'of root', { mode: 0o600 });
  const before = await run('ls', ['-laR', victims]);
  const names = [
    'archive.age',
    'done.json',
    'scratch',
    'f'.repeat(24).concat('.tmp'),
    'without-history',
    'wanted',
  ];
  const links = (target: string) => `cd ${folder}
for each in ${names.join(' ')}; do ln -sfn ${victims}${target} "$each"; done`;

  await expect(pod(`mv ${folder} ${folder}.old`)).rejects.toThrow('Permission denied');
  for (const target of ['', '/file']) {
    await pod(links(target));
    await archive(asUnit);

    expect((await run('ls', ['-laR', victims])).stdout).toBe(before.stdout);
    expect(await readFile(join(victims, 'file'), 'utf8')).toBe('of root');
    const { stdout } = await pod(`cd ${folder}; ls; head -c 14 archive.age; rm archive.age`);
    expect(stdout).toBe('archive.age\ndone.json\nscratch\nage-encryption');
  }
});
