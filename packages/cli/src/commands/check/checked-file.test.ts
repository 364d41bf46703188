import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { type Evidence, evidenceOf } from '@skolo/equipment/models';
import { expect, it } from 'vitest';
import { checkFile, evidence } from './checked-file.ts';

it('lists each model of a rack once, with its level', async () => {
  const dir = await tempDir();
  const file = join(dir, 'rack.yaml');
  const devices = ['nxos', 'eos', 'nxos'].map((model, at) => {
    return `  switch-${at}: { model: ${model}, address: 127.0.2.${at + 1} }\n`;
  });
  const jumphost = 'jumphost: { name: jumphost, address: 127.0.0.8 }';
  await writeFile(file, `rack: small\n${jumphost}\nequipment:\n${devices.join('')}`);

  const { models, findings } = await checkFile(file, false);

  expect(findings.filter(({ state }) => state === 'differs')).toEqual([]);
  expect(models).toEqual([
    { model: 'eos', ...evidenceOf('eos') },
    { model: 'nxos', ...evidenceOf('nxos') },
  ]);
});

it('groups models by their evidence', () => {
  const unseen = evidenceOf('no-such-model');
  const read: Evidence = { level: 'read', racks: 2, firmware: ['unknown', '1.0'] };
  const models = [
    { model: 'eos', ...unseen },
    { model: 'ipmi', ...read },
    { model: 'nxos', ...unseen },
  ];

  expect(evidence('rack4', models)).toMatchObject([
    {
      where: ['rack4'],
      found: 'not verified on hardware: eos, nxos; read in 2 racks (firmware unknown, 1.0): ipmi',
    },
  ]);
  expect(evidence('rack4', [])).toEqual([]);
});
