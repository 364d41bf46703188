import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tempDir } from '@skolo/base/testing';
import { fakeClock } from '@skolo/common/testing';
import { noCrashNotes } from '@skolo/common/testing/no-crash-notes';
import { loadDrivers } from '@skolo/equipment/models/load';
import { HostKeys } from '@skolo/equipment/transports';
import { parseRack, type Rack } from '@skolo/rack';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Boards } from '../testing/board-driver.ts';
import { boardDrivers, rackYaml } from '../testing/daemon.ts';
import { Controllers } from './controllers.ts';

const equipment = `
equipment:
  switch-1: { model: edgeswitch, address: 127.0.2.1 }
  router: { model: edgeos, address: 127.0.2.2 }
  pdu-1: { model: apc-rpdu, address: 127.0.2.3 }
`;
const machines = `
machines:
  a: { kind: rpi, address: 127.0.1.1, power: switch-1/1, device: { kind: android, power: usb/1-1.2 } }
  b: { kind: rpi, power: switch-1/2, device: { kind: android, power: usb/1-1.2 } }
`;

function parse(yaml: string): Rack {
  return parseRack(rackYaml(yaml), { file: '/rack.yaml' });
}

async function plugged(yaml = equipment + machines) {
  const boards = new Boards();
  const dir = await tempDir();
  let rack = parse(yaml);
  const hubs: { machine: string; agentUrl: string | undefined }[] = [];
  const controllers = new Controllers({
    rack: () => rack,
    drivers: boardDrivers(boards),
    hostKeys: new HostKeys(join(dir, 'host-keys.json')),
    createUsbHub(machine, { agentUrl }) {
      hubs.push({ machine: machine.name, agentUrl });
      return boards.driver(machine.name);
    },
    unfinished: () => [],
    clock: fakeClock(),
    emit: () => undefined,
    maySwitch: () => undefined,
    crashNotes: noCrashNotes,
  });
  onTestFinished(() => controllers.close());
  const edit = (text: string) => {
    rack = parse(text);
    controllers.follow();
  };
  return { boards, controllers, hubs, edit };
}

describe('controllers', () => {
  it('are what can be switched and has a driver, in the order of rack.yaml', async () => {
    const { controllers } = await plugged();

    expect(controllers.all().map(({ name, model }) => [name, model])).toEqual([
      ['switch-1', 'edgeswitch'],
      ['pdu-1', 'apc-rpdu'],
    ]);
    expect(controllers.get('router')).toBeUndefined();
    expect(controllers.get('nobody')).toBeUndefined();
  });

  it('are also the hubs of machines, once they are used, through their agent where they have an address', async () => {
    const { controllers, hubs } = await plugged();
    const before = hubs.length;

    const hub = controllers.get('a');
    controllers.get('b');

    expect(before).toBe(0);
    expect(hubs).toEqual([
      { machine: 'a', agentUrl: 'http://127.0.1.1:11001' },
      { machine: 'b', agentUrl: undefined },
    ]);
    expect(hub).toMatchObject({ name: 'a', model: 'usb-hub', automaticRepair: false });
    expect(controllers.get('a')).toBe(hub);
    expect(controllers.all().map(({ name }) => name)).toEqual(['switch-1', 'pdu-1', 'a', 'b']);
  });

  it('stay as they are while their entries in rack.yaml do', async () => {
    const { controllers, edit } = await plugged();
    const [first] = controllers.all();

    edit(equipment.replace('2.3', '2.4') + machines);

    expect(controllers.get('switch-1')).toBe(first);
  });

  it('are replaced when their entries in rack.yaml change, and the previous are closed', async () => {
    const { controllers, edit, boards } = await plugged();
    const previous = controllers.get('pdu-1');

    edit(equipment.replace('2.3', '2.4') + machines);

    expect(controllers.get('pdu-1')).not.toBe(previous);
    await expect(previous?.read(['1'])).rejects.toThrow('removed from rack.yaml');
    expect(boards.get('pdu-1').isClosed).toBe(true);
    expect((await controllers.get('pdu-1')?.read(['1']))?.get('1')?.state).toBe('on');
  });

  it('are gone with their devices', async () => {
    const { controllers, edit } = await plugged();
    controllers.get('b');

    edit(equipment.replace(/ {2}pdu-1.*\n/, '') + machines.replace(/ {2}b:.*\n/, ''));

    expect(controllers.all().map(({ name }) => name)).toEqual(['switch-1']);
    expect(controllers.get('b')).toBeUndefined();
  });

  it('are gone once they are closed: nothing is begun again', async () => {
    const { controllers, boards } = await plugged();

    await controllers.close();

    expect(controllers.get('switch-1')).toBeUndefined();
    expect(controllers.get('a')).toBeUndefined();
    expect(controllers.all()).toEqual([]);
    expect(boards.get('switch-1').isClosed).toBe(true);
  });

  it('are closed also where their drivers fail', async () => {
    const { controllers, boards } = await plugged();
    boards.get('pdu-1').failsToClose = true;

    await expect(controllers.close()).resolves.toBeUndefined();
  });
});

it('the README lists the models that automatic repair uses', async () => {
  const page = fileURLToPath(new URL('../../README.md', import.meta.url));
  const drivers = [...(await loadDrivers()).values()];
  const names = drivers
    .filter(({ automaticRepair }) => automaticRepair !== false)
    .toSorted((a, b) => (a.model < b.model ? -1 : 1))
    .map(({ model, automaticRepair }) =>
      automaticRepair === true ? `\`${model}\`` : `\`${model}\` (not for PDU outlets)`,
    );
  const list = [
    '<!-- generated: automatic repair -->',
    '',
    names.join(', '),
    '',
    '<!-- /generated -->',
  ];

  expect(names.length).toBeGreaterThan(5);
  await expect(
    (await readFile(page, 'utf8')).replace(
      /<!-- generated: automatic repair -->.*?<!-- \/generated -->/s,
      () => list.join('\n'),
    ),
  ).toMatchFileSnapshot(page);
});
