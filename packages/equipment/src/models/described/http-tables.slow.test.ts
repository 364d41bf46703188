/** Each HTTP table with equipment that has only what its sources describe, and with the drivers of other authors where they exist. */
import { startDescribedDevice } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { readTables } from '../../../generate/tables.ts';
import { loadDrivers } from '../load.ts';
import {
  meetsFaults,
  patient,
  rejectsWrongPassword,
  type Setup,
  startDriver,
} from '../testing/http.ts';
import { expectAgreement } from '../testing/other-drivers.ts';
import { stateOf } from '../testing/outlets.ts';

const drivers = await loadDrivers();
const logins = {
  password: { username: 'admin', password: 'joker' },
  token: { token: 'long-lived' },
};
const cases = readTables().flatMap(({ table: { name, base }, proof: { tried, agrees } }) =>
  base === 'http-switch' ? [{ name, tried, agrees }] : [],
);

describe.each(cases)('$name', ({ name, tried, agrees }) => {
  if (tried === undefined) throw new Error(`${name}.yaml does not say how it is tried`);
  const { outlets, watts, reads, signsInBy } = tried;
  const [first, outlet] = outlets;
  const { create } = drivers.get(name) ?? {};
  if (create === undefined) throw new Error(`${name} switches nothing`);
  const setup: Setup = {
    kind: { model: name, automaticRepair: false, create },
    start: () => startDescribedDevice(name),
    options: { https: false },
    ...(signsInBy && { login: logins[signsInBy] }),
  };

  it('turns one outlet off and on, and reads with as few requests as it can', async () => {
    const { device, driver } = await startDriver(setup);
    const changes: unknown[] = [];
    device.board.on('change', (change) => changes.push(change));

    await driver.turnOff(outlet, patient());
    const before = device.received.length;
    const read = await driver.read([first, outlet], patient());
    const sent = device.received.slice(before).map(({ text }) => text);
    await driver.turnOn(outlet, {}, patient());

    expect(read.get(first)?.state).toBe('on');
    expect(read.get(outlet)).toEqual({ state: 'off', ...(watts !== undefined && { watts }) });
    expect(await stateOf(driver, outlet)).toBe('on');
    // A challenge of digest is another request.
    expect([...new Set(sent)]).toEqual(reads);
    expect(changes).toEqual([
      { outlet, on: false },
      { outlet, on: true },
    ]);
  });

  it.skipIf(!agrees && 'there is no other driver')(
    'agrees with the driver of other authors',
    async (context) => {
      if (agrees === undefined) return;
      const { device, driver } = await startDriver(setup);

      await expectAgreement(context, agrees, { device, driver, outlet }, true);
    },
  );

  meetsFaults(setup, outlet, ['{outlet}', 'a'.repeat(61), `${outlet}/turn_off`]);
  if (signsInBy === 'password') rejectsWrongPassword(setup, outlet);
});
