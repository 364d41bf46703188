import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { countRounds, seeded } from '@skolo/base/durable/fault-injection';
import { run, tempDir, testSeed } from '@skolo/base/testing';
import { newToken } from '@skolo/common';
import { type LinuxHost, startLinuxHost } from '@skolo/simulators';
import { expect, it, onTestFinished, type TestContext } from 'vitest';
import { type BackupProcess, startBackupProcess } from './testing/backup-process.ts';

/** Few, as the service takes long to start, and what it writes with is killed in tests of its own. */
const kills = countRounds(1);
/** From the request to the end of the run, undisturbed; a kill comes within it. */
const usualMs = 1500;
const names = ['host-1', 'host-2', 'host-3'];

/** Versions that the service has reported, by device. */
type Told = Map<string, Set<string>>;

interface Lab {
  dir: string;
  token: string;
  /** In the order of `names`. */
  hosts: LinuxHost[];
}

async function startLab({ skip }: Pick<TestContext, 'skip'>): Promise<Lab> {
  const hosts: LinuxHost[] = [];
  for (const _ of names) {
    const host = await startLinuxHost();
    if (host === undefined) return skip('sshd is not installed');
    onTestFinished(() => host.close());
    await host.write('/etc/settings', 'count 0\n');
    hosts.push(host);
  }
  const dir = await tempDir();
  const entries = hosts.map(
    ({ root, port }, i) =>
      `  ${names[i]}: { model: linux, files: ["${root}/etc/**"], address: 127.0.0.1, ports: { ssh: ${port} }, login: host-${i} }`,
  );
  const logins = hosts.map(
    ({ username }, i) => `  host-${i}: { username: ${username}, privateKey: key-${i} }`,
  );
  for (const [i, { privateKey }] of hosts.entries()) {
    await writeFile(join(dir, `key-${i}`), privateKey, { mode: 0o600 });
  }
  const yaml = `rack: rack1
timezone: UTC
network: { subnet: 127.0.0.0/8, domain: lan }
jumphost: { name: jumphost-rack1, address: 127.0.0.1 }
access: { tokens: { file: tokens.yaml } }
logins:
${logins.join('\n')}
equipment:
${entries.join('\n')}
services:
  power-cycle-daemon: { url: "http://127.0.0.1:9" }
  router-backup: { jitterSeconds: 0, jumphost: { backup: false } }
`;
  await writeFile(join(dir, 'rack.yaml'), yaml);
  const token = await newToken(join(dir, 'tokens.yaml'), {
    name: 'ann',
    role: 'admin',
    expiresInDays: 1,
  });
  return { dir, token, hosts };
}

async function finished({ client }: BackupProcess, id: string) {
  await expect
    .poll(async () => (await client.backup({ params: { id } })).finishedAt, { interval: 100 })
    .toBeDefined();
  return await client.backup({ params: { id } });
}

async function versionsOf({ client }: BackupProcess, device: string) {
  return (await client.versions({ params: { equipment: device }, query: { limit: 10_000 } }))
    .versions;
}

/** What has to be true of a service that was killed before: the run went on, nothing that was reported is lost or doubled. */
async function checkAfterKill(
  service: BackupProcess,
  id: string | undefined,
  { dir, told }: { dir: string; told: Told },
) {
  if (id !== undefined) {
    const { equipment } = await finished(service, id);
    expect(equipment.filter(({ result }) => result === 'failed')).toEqual([]);
  }
  for (const name of names) {
    const versions = await versionsOf(service, name);
    const ids = new Set(versions.map(({ id: version }) => version));
    expect([...(told.get(name) ?? [])].filter((version) => !ids.has(version))).toEqual([]);
    const format = '--format=%(trailers:key=SHA1,valueonly,separator=)';
    const args = ['-C', join(dir, 'state', 'repository'), 'log', format];
    const contents = (await run('git', [...args, 'main', '--', `devices/${name}`])).stdout.split(
      '\n',
    );
    expect(contents.filter((sha1, i) => sha1 !== '' && sha1 === contents[i + 1])).toEqual([]);
  }
}

/** Asks for the versions again and again, until the service is gone. */
async function listen(service: BackupProcess, told: Told) {
  const ask = async (name: string) => {
    for (;;) {
      for (const { id } of await versionsOf(service, name)) told.get(name)?.add(id);
      await sleep(100);
    }
  };
  await Promise.all(names.map(ask)).catch(() => undefined);
}

it(`survives ${kills} kills`, async (context) => {
  const { dir, token, hosts } = await startLab(context);
  const random = seeded(testSeed());
  const told: Told = new Map(names.map((name) => [name, new Set<string>()]));
  let id: string | undefined;

  for (let kill = 1; kill <= kills; kill += 1) {
    const service = await startBackupProcess(dir, token);
    await checkAfterKill(service, id, { dir, told });
    for (const host of hosts) {
      if (random() < 0.7) await host.write('/etc/settings', `count ${kill}\n`);
    }
    // A kill may come before the answer.
    const asked = service.client.requestBackup({ body: {} }).then(
      (run) => run.id,
      () => undefined,
    );
    const listening = listen(service, told);
    // The moment of the kill is what the test is about.
    await sleep(random() * usualMs);
    await service.end('SIGKILL');
    await listening;
    id = await asked;
    await run('git', ['-C', join(dir, 'state', 'repository'), 'fsck', '--strict', '--no-dangling']);
  }

  const last = await startBackupProcess(dir, token);
  await checkAfterKill(last, id, { dir, told });
  expect(await last.end('SIGTERM')).toBe(0);
});
