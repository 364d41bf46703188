import { startTablePdu, tablePduModel } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { patient } from '../testing/outlets.ts';
import { type SnmpSetup, startDriver, switchesOutlets } from '../testing/snmp.ts';
import { meetsFaults, neverSendsOthers } from '../testing/snmp-faults.ts';
import { snmpSwitch } from './facts.ts';
import { outlets as driver } from './snmp-switch.ts';

const objects = '1.3.6.1.4.1.9999';
const table = {
  on: { object: `${objects}.4.0.{outlet}`, value: 1 },
  off: { object: `${objects}.3.0.{outlet}`, value: 1 },
  read: { object: `${objects}.2.{outlet-1}`, on: [7], off: [8] },
  watts: `${objects}.5.{outlet}`,
};
const outlets = ['1', '2', '3', '4', '5', '6', '7', '8'];
const setup: SnmpSetup = {
  kind: driver,
  start: (options) => startTablePdu({ table, outlets }, options),
  model: () => tablePduModel({ table, outlets }),
  options: { ...table, outlets: 8 },
};

describe('snmp-switch', () => {
  switchesOutlets(setup, '3');
  meetsFaults(setup, '3');
  neverSendsOthers(setup, ['9', '3.1', '1.3']);

  it('sets an object for each state, and reads all outlets in one request', async () => {
    const { device, driver: pdu } = await startDriver(setup);
    device.board.set('2', false);

    const readings = await pdu.read(['1', '2', '3'], patient());
    await pdu.turnOff('1', patient());
    await pdu.turnOn('2', {}, patient());

    expect([...readings.values()]).toEqual([
      { state: 'on', watts: 40 },
      { state: 'off', watts: 0 },
      { state: 'on', watts: 40 },
    ]);
    expect(device.received.map(({ text }) => text)).toEqual([
      `get ${objects}.2.0 ${objects}.2.1 ${objects}.2.2`,
      `get ${objects}.5.1 ${objects}.5.2 ${objects}.5.3`,
      `set ${objects}.3.0.1=1`,
      `set ${objects}.4.0.2=1`,
    ]);
  });

  const { read } = table;
  it.each<[string, object, string]>([
    ['on and off are the same', { off: table.on }, 'off: is the same as `on`'],
    ['a value is both', { read: { ...read, off: [7] } }, 'read: has a value that means both'],
    [
      'what is read is what is set',
      { read: { ...read, object: table.on.object } },
      'read: has the object that commands set',
    ],
    [
      'an object is the same for all outlets',
      { on: { object: `${objects}.4.0.1`, value: 1 } },
      'on: does not contain the outlet',
    ],
  ])('says what is wrong when %s', (_what, changes, expected) => {
    const found = snmpSwitch.contradictions({ ...table, ...changes });

    expect(found.map(({ key, what }) => `${key}: ${what}`)).toEqual([
      expect.stringContaining(expected),
    ]);
  });
});
