/** A login that may only read: used for backups and MAC tables where it suffices. The other one has no password here. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { untilTestEnds } from '@skolo/base/testing';
import { startCiscoIos, startEdgeSwitch, startJunos, startRouteros } from '@skolo/simulators';
import { expect, it } from 'vitest';
import { startLab } from '../testing/lab.ts';

const reader = { username: 'reader', password: 'canary-reader-7f3a' };

it('reads with the account that may only read, if the model suits it', async () => {
  const router = untilTestEnds(await startRouteros({ ...reader, host: '127.0.2.1' }));
  const switch1 = untilTestEnds(await startEdgeSwitch({ ...reader, host: '127.0.2.2', ports: 8 }));
  const lab = await startLab({
    isFake: false,
    settings: '    schedule: "0 0 1 1 *"\n    overdueHours: 8760',
    yaml: `equipment:
  router: { model: routeros, address: 127.0.2.1, ports: { ssh: ${router.port} }, login: equipment }
  switch-1: { model: edgeswitch, portCount: 8, address: 127.0.2.2, ports: { ssh: ${switch1.port} }, login: equipment }
logins:
  equipment: { username: skolo, password: missing, read: readers }
  readers: { username: reader, password: reader }
`,
    prepare: (stateDir) =>
      writeFile(join(stateDir, '..', 'reader'), `${reader.password}\n`, { mode: 0o600 }),
  });

  const run = await lab.run('router', 'switch-1');
  const { hosts } = await lab.operator.connectedHosts({ params: { equipment: 'router' } });

  const results = run.equipment.map(({ equipment, result }) => [equipment, result]);
  expect(Object.fromEntries(results)).toEqual({
    router: expect.stringMatching(/changed$/),
    'switch-1': 'failed',
  });
  expect(hosts).toEqual([]);
});

it('says so where the rights of a login cannot be asked, or are of an unknown form', async () => {
  const [denying, areas, whole] = [
    await startCiscoIos({
      ...reader,
      host: '127.0.2.3',
      secondMs: 1,
      privilege: 15,
      denied: ['show p'],
    }),
    await startJunos({
      ...reader,
      host: '127.0.2.4',
      permissions: ['secret', 'interface', 'routing'],
    }),
    await startCiscoIos({ ...reader, host: '127.0.2.5', secondMs: 1, privilege: 15 }),
  ].map((device) => untilTestEnds(device));
  const lab = await startLab({
    isFake: false,
    settings: '    schedule: "0 0 1 1 *"\n    overdueHours: 8760',
    yaml: `equipment:
  denying: { model: cisco-ios, address: 127.0.2.3, ports: { ssh: ${denying?.port} }, login: readers }
  areas: { model: junos, address: 127.0.2.4, ports: { ssh: ${areas?.port} }, login: readers }
  whole: { model: cisco-ios, address: 127.0.2.5, ports: { ssh: ${whole?.port} }, login: readers }
logins:
  readers: { username: reader, password: reader }
`,
    prepare: (stateDir) =>
      writeFile(join(stateDir, '..', 'reader'), `${reader.password}\n`, { mode: 0o600 }),
  });

  await lab.run('denying', 'areas', 'whole');

  const why =
    'the equipment did not say whether it shows the login the whole configuration; a backup requires';
  for (const name of ['denying', 'areas']) {
    const { state, unseen } = await lab.device(name);
    expect([state, unseen]).toEqual(['ok', expect.stringContaining(why)]);
  }
  expect((await lab.device('whole')).unseen).toBeUndefined();
});
