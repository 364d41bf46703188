import { describe, expect, it } from 'vitest';
import { patient, stateOf } from '../testing/outlets.ts';
import { bothAgents, logins, startDriver } from '../testing/snmp.ts';
import { snmpSwitch } from './facts.ts';
import { objects, setup, setupOf, table } from './proof.ts';

describe('snmp-switch', () => {
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

  const states = `${objects}.6.{outlet}`;
  const words = {
    on: { object: states, value: 'on' },
    off: { object: states, value: 'off' },
    read: { object: states, on: ['on', 'ON'], off: ['off'], isSetting: true },
  };
  it.for(bothAgents(setupOf(words), logins.v2c))(
    'sets and reads text of %s',
    async ([, start], context) => {
      const { device, driver: pdu } = await start(context);

      await pdu.turnOff('2', patient());
      const off = await stateOf(pdu, '2');
      await pdu.turnOn('2', {}, patient());
      // The device says "ON" of an outlet that is on.
      const on = await stateOf(pdu, '2');

      expect([off, on]).toEqual(['off', 'on']);
      expect(device.received.map(({ text }) => text).filter((text) => /^set/.test(text))).toEqual([
        `set ${objects}.6.2=off`,
        `set ${objects}.6.2=on`,
      ]);
    },
  );

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
