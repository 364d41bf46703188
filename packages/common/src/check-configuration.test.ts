import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkConfiguration } from './check-configuration.ts';
import type { ServiceDefinition } from './service.ts';
import { tempDir } from './testing/temp-dir.ts';
import { rackYaml } from './testing/test-rack.ts';

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

  expect(problems.sort()).toEqual([
    expect.stringMatching(/^services\.router-backup\.git\.privateKey: .*no such file/),
    expect.stringMatching(/^services\.router-backup\.powerToken: .*not set/),
    expect.stringMatching(/^services\.router-backup\.uploadKey: .*no such file/),
    expect.stringMatching(/^services\.router-backup\.webhook\.token: .*no such file/),
  ]);
});
