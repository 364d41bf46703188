import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { expect, it } from 'vitest';
import type { ServiceDefinition } from '../service.ts';
import { rackYaml } from '../testing/test-rack.ts';
import { checkConfiguration } from './check-configuration.ts';

const start = async () => expect.unreachable();
const service = { name: 'power-cycle-daemon', start } as const;

async function check(yaml: string, definition: ServiceDefinition = service) {
  const file = join(await tempDir(), 'rack.yaml');
  await writeFile(file, yaml);
  return checkConfiguration(definition, file);
}

it('finds nothing wrong', async () => {
  expect(await check(rackYaml())).toEqual([]);
});

it('finds all that is wrong with rack.yaml', async () => {
  const problems = await check(
    `${rackYaml()}machines: { rpi-1: { kind: toaster, colour: red } }\n`,
  );

  expect(problems).toEqual([expect.stringMatching(/toaster/), expect.stringMatching(/colour/)]);
});

it('finds that rack.yaml is missing', async () => {
  const problems = await checkConfiguration(service, '/nowhere/rack.yaml');

  expect(problems).toEqual([expect.stringContaining('/nowhere/rack.yaml')]);
});

it('finds the secrets of the settings that cannot be read', async () => {
  const settings = `{
    upload: gs://backups/rack4, uploadKey: missing/upload, encrypt: none,
    git: { remote: git@git.example.com:rack4.git, privateKey: missing/git },
    webhook: { url: "http://127.0.0.1:9", token: missing/webhook },
    powerToken: { env: SKOLO_NO_SUCH_VARIABLE } }`;

  const problems = await check(rackYaml(`services: { router-backup: ${settings} }\n`), {
    name: 'router-backup',
    start,
  });

  expect(problems).toEqual([
    expect.stringMatching(/rack\.yaml:6:\d+ services\.router-backup\.uploadKey: .*no such file/),
    expect.stringMatching(/:7:\d+ services\.router-backup\.git\.privateKey: .*no such file/),
    expect.stringMatching(/:8:\d+ services\.router-backup\.webhook\.token: .*no such file/),
    expect.stringMatching(/:9:\d+ services\.router-backup\.powerToken: .*not set/),
  ]);
});

it.each([
  ['router-backup', '{ upload: gs://backups/rack4, uploadKey: KEY, encrypt: none }'],
  ['alert-to-pubsub', '{ credentials: { keyFile: KEY } }'],
] as const)('finds a credential file of %s with an invalid field', async (name, settings) => {
  const key = join(await tempDir(), 'key');
  await writeFile(key, '{"type": "service_account", "client_email": "a@b", "private_key": "x"}');
  const yaml = rackYaml(`services: { ${name}: ${settings.replace('KEY', key)} }\n`);

  expect(await check(yaml, { name, start })).toEqual([
    expect.stringContaining(`${key}: private_key is not an RSA key in PEM form`),
  ]);
});

it('names line and key of a login that cannot be used, and only of those that the service uses', async () => {
  const yaml = `logins:
  switches: { username: ubnt, password: hunter2, snmp: { version: 2c, community: hun.ter/2 }, read: readers }
  readers: { username: ro, password: secrets/none }
  unused: { username: ubnt, password: secrets/missing }
equipment:
  switch-1: { model: edgeswitch, address: 127.0.0.11, login: switches }
  pdu-1: { model: apc-rpdu2, address: 127.0.0.30 }
`;
  const problems = await check(rackYaml(yaml), {
    ...service,
    signsInTo: (rack) => rack.equipment.values(),
  });

  expect(problems).toEqual([
    expect.stringMatching(
      /:6:\d+ logins\.switches\.password: the path in rack\.yaml: no such file/,
    ),
    expect.stringMatching(/:6:\d+ logins\.switches\.snmp\.community: the path in rack\.yaml: no/),
    expect.stringMatching(/:7:\d+ logins\.readers\.password: .*none: no such file/),
    expect.stringMatching(/:11:3 equipment\.pdu-1: has no `login`, .* over snmp$/),
  ]);
  expect(problems.join()).not.toMatch(/hunter2|hun\.ter/);
});
