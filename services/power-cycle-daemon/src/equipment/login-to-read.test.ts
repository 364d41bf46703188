/** A login that may only read: used for readings over the real protocol, and never for switching. */

import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { fakeClock } from '@skolo/common/testing';
import { noCrashNotes } from '@skolo/common/testing/no-crash-notes';
import { loadDrivers } from '@skolo/equipment/models/load';
import { HostKeys } from '@skolo/equipment/transports';
import { parseRack } from '@skolo/rack';
import { startApcRpdu } from '@skolo/simulators';
import { expect, it, onTestFinished } from 'vitest';
import { rackYaml } from '../testing/daemon.ts';
import { Controllers } from './controllers.ts';

async function started() {
  const dir = await tempDir();
  const pdu = await startApcRpdu({ host: '127.0.2.3', outlets: 4 });
  onTestFinished(() => pdu.close());
  const yaml = rackYaml(`logins:
  pdus: { snmp: { version: 2c, community: write }, read: readers }
  readers: { snmp: { version: 2c, community: read } }
equipment:
  pdu-1: { model: apc-rpdu, address: 127.0.2.3, outlets: 4, ports: { snmp: ${pdu.port} }, login: pdus }
`);
  let rack = parseRack(yaml, { file: join(dir, 'rack.yaml') });
  const controllers = new Controllers({
    rack: () => rack,
    drivers: await loadDrivers(),
    hostKeys: new HostKeys(join(dir, 'host-keys.json')),
    createUsbHub: () => expect.unreachable('no machine has a hub'),
    unfinished: () => [],
    clock: fakeClock(),
    emit: () => undefined,
    maySwitch: () => undefined,
    crashNotes: noCrashNotes,
  });
  onTestFinished(() => controllers.close());
  const save = (name: string, value: string) =>
    writeFile(join(dir, name), `${value}\n`, { mode: 0o600 });
  await save('read', 'public');
  await save('write', 'private');
  const edit = (from: string, to: string) => {
    rack = parseRack(yaml.replace(from, to), { file: join(dir, 'rack.yaml') });
    controllers.follow();
  };
  return { pdu, dir, edit, pdu1: () => controllers.get('pdu-1') };
}

it('reads with the account that may only read, and switches with the other', async () => {
  const { pdu, dir, pdu1 } = await started();

  await pdu1()?.turnOff('2');
  await rm(join(dir, 'write'));
  const readings = await pdu1()?.read(['2', '3']);

  expect(pdu.board.isOn('2')).toBe(false);
  expect([...(readings ?? [])].map(([outlet, { state }]) => [outlet, state])).toEqual([
    ['2', 'off'],
    ['3', 'on'],
  ]);
  await expect(pdu1()?.turnOn('2', {})).rejects.toThrow(/no such file/);
});

it('follows rack.yaml, and switches although the device rejects the account that reads', async () => {
  const { pdu, dir, edit, pdu1 } = await started();
  await rm(join(dir, 'read'));
  await expect(pdu1()?.read(['1'])).rejects.toThrow(/no such file/);
  await pdu1()?.turnOff('1');

  edit(', read: readers', '');
  const readings = await pdu1()?.read(['1']);

  expect(pdu.board.isOn('1')).toBe(false);
  expect(readings?.get('1')?.state).toBe('off');
});
