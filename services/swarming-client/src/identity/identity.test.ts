import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { machinePartOf, parseRack } from '@skolo/rack';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { IdentityKeeper, type KnownIdentity, type PartSource } from './identity.ts';

type Tell = Parameters<PartSource['start']>[0];

const rack = parseRack(
  `
rack: rack4
network: { subnet: 127.0.0.0/8 }
jumphost: { name: jumphost, address: 127.0.0.1 }
identities: {}
machines:
  rpi-1: { kind: rpi, address: 127.0.1.1, device: { kind: android } }
  rpi-2: { kind: rpi, address: 127.0.1.2 }
`,
  { file: 'rack.yaml' },
);

let stateDir: string;
beforeEach(async () => {
  stateDir = await tempDir();
});

function machinePart(name: string): unknown {
  const machine = rack.machines.get(name);
  if (machine === undefined) throw new Error(`no ${name}`);
  return JSON.parse(JSON.stringify(machinePartOf(rack, machine)));
}

async function open() {
  let tell: Tell | undefined;
  const changes: KnownIdentity[] = [];
  const warnings: string[] = [];
  const keeper = new IdentityKeeper({
    machine: 'rpi-1',
    stateDir,
    log: { warn: (_fields, message) => void warnings.push(message) },
    emit: (event) => event.type === 'identity' && changes.push(event.now),
  });
  // It writes what it was told until it is stopped.
  onTestFinished(() => keeper.stop());
  await keeper.start({
    from: 'metadata-server',
    start: (to) => {
      tell = to;
    },
    stop: async () => undefined,
  });
  if (tell === undefined) throw new Error('the source was not started');
  return { keeper, tell, changes, warnings };
}

it('is not known before a source has answered', async () => {
  const { keeper, tell } = await open();
  expect(keeper.get()).toMatchObject({ machinePart: undefined, from: 'nowhere' });

  tell.failed('nobody listens there');

  expect(keeper.get()).toEqual({
    machinePart: undefined,
    from: 'nowhere',
    why: 'nobody listens there',
  });
});

it('is what the metadata server reports, and kept for a day without it', async () => {
  const first = await open();
  first.tell.machinePart(machinePart('rpi-1'));
  expect(first.keeper.get()).toMatchObject({
    machinePart: { name: 'rpi-1' },
    from: 'metadata-server',
  });
  await first.keeper.stop();

  const second = await open();
  expect(second.keeper.get()).toMatchObject({ machinePart: { name: 'rpi-1' }, from: 'kept copy' });
  second.tell.failed('nobody listens there');
  expect(second.keeper.get()).toMatchObject({
    machinePart: { devices: [{ name: 'device', kind: 'android' }] },
    from: 'kept copy',
    why: 'nobody listens there',
  });

  second.tell.machinePart(machinePart('rpi-1'));
  expect(second.keeper.get()).not.toHaveProperty('why');
});

it('is the same object as long as its content is the same', async () => {
  const { keeper, tell, changes } = await open();
  tell.machinePart(machinePart('rpi-1'));
  const { machinePart: first } = keeper.get();

  tell.failed('nobody listens there');
  tell.machinePart(machinePart('rpi-1'));

  expect(first).toBeDefined();
  expect(new Set(changes.map((change) => change.machinePart))).toEqual(new Set([first]));
  expect(keeper.get().machinePart).toBe(first);
});

it('is unknown where the address is that of another machine', async () => {
  const { keeper, tell } = await open();

  tell.machinePart(machinePart('rpi-2'));

  expect(keeper.get()).toMatchObject({
    machinePart: undefined,
    why: "rack.yaml lists rpi-2 at this machine's address, but the agent uses the name rpi-1; fix rack.yaml or --machine",
  });
});

it('stays as it was when an answer cannot be understood', async () => {
  const { keeper, tell } = await open();
  tell.machinePart(machinePart('rpi-1'));

  tell.machinePart({ name: 7 });

  expect(keeper.get()).toMatchObject({
    machinePart: { name: 'rpi-1' },
    why: expect.stringContaining('cannot be used'),
  });
});

it.each(['', '{', '{"name":"rpi-1"}'])('begins anew with a kept copy of %j', async (text) => {
  await writeFile(join(stateDir, 'machine-part.json'), text);

  const { keeper, tell, warnings } = await open();

  expect(keeper.get()).toMatchObject({ machinePart: undefined });
  expect(warnings).toEqual(["stored copy of this machine's entry cannot be used"]);
  tell.machinePart(machinePart('rpi-1'));
  await keeper.stop();
  expect(JSON.parse(await readFile(join(stateDir, 'machine-part.json'), 'utf8'))).toMatchObject({
    name: 'rpi-1',
  });
});
