import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkConfiguration } from './check-configuration.ts';
import { tempDir } from './testing/temp-dir.ts';
import { rackYaml } from './testing/test-rack.ts';

async function check(yaml: string) {
  const file = join(await tempDir(), 'rack.yaml');
  await writeFile(file, yaml);
  return checkConfiguration(service, file);
}

const service = {
  name: 'power-cycle-daemon',
  checkSecrets: async () => [],
  start: async () => expect.unreachable(),
} as const;

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
