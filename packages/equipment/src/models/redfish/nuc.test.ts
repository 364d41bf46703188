/** NUCs behind a PiKVM, and with Intel AMT behind the Console of Device Management Toolkit: as in docs/adopt/nuc.md. */
import { SignInRejected } from '@skolo/equipment/transports';
import { type RedfishSessions, startAmtConsole, startPikvm } from '@skolo/simulators';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { CannotCycle } from '../contract/outlets.ts';
import { placeOf } from '../testing/http.ts';
import { type Login, openDriver, patient, stateOf } from '../testing/outlets.ts';
import { outlets as redfish } from './redfish.ts';

describe('a PiKVM', () => {
  const admin = { username: 'admin', password: 'admin' };

  async function start(login: Login = admin) {
    const device = await startPikvm({ secondMs: 5 });
    onTestFinished(() => device.close());
    const driver = openDriver(redfish, { ...placeOf(device), login, options: { system: '0' } });
    return { device, driver };
  }

  it.each(['0', 'SwitchPort0', 'SwitchPort3'])('turns %s off and on', async (outlet) => {
    const { device, driver } = await start();

    await driver.turnOff(outlet, patient());
    await vi.waitFor(async () => expect(await stateOf(driver, outlet)).toBe('off'));
    // Again: it presses nothing.
    await driver.turnOff(outlet, patient());
    await driver.turnOn(outlet, {}, patient());
    await vi.waitFor(async () => expect(await stateOf(driver, outlet)).toBe('on'));

    const others = device.board.names().filter((name) => name !== outlet);
    expect(others.every((name) => device.board.isOn(name))).toBe(true);
  });

  it('has no cycle of its own, so that off and on are sent one by one', async () => {
    const { device, driver } = await start();

    await expect(driver.nativeCycle?.run('SwitchPort3', 10, patient())).rejects.toThrow(
      CannotCycle,
    );
    expect(device.received.every(({ text }) => text.startsWith('GET'))).toBe(true);
  });

  it('names what is wrong: a port that it does not have, the password, no login', async () => {
    const { driver } = await start();
    await expect(driver.read(['SwitchPort9'], patient())).rejects.toThrow(
      /status 400: Missing or invalid Server ID/,
    );
    for (const [login, why] of [
      [{ ...admin, password: 'x' }, /rejects its login, or .* \(status 403\)/],
      [{}, /requires a password/],
    ] as const) {
      const read = (await start(login)).driver.read(['0'], patient());
      await expect(read).rejects.toThrow(SignInRejected);
      await expect(read).rejects.toThrow(why);
    }
  });
});

describe('Intel AMT', () => {
  const guids = ['0313b93f-2a7c-41e8-b603-29c1602dcef9', '7e2cf1a0-5f0b-4d7e-9a36-0a5f1f0f7b11'];
  const login = { username: 'standalone', password: 'G@ppm0ym' };

  it.each([undefined, { open: new Map(), mostOpen: 0 } satisfies RedfishSessions])(
    'is turned off, on, and cycled through Console (%o)',
    async (sessionsOnly) => {
      const more = sessionsOnly && { sessionsOnly };
      const device = await startAmtConsole({ guids, secondMs: 5, ...more });
      onTestFinished(() => device.close());
      const driver = openDriver(redfish, { ...placeOf(device), login });
      const [first = '', second = ''] = guids;

      await driver.turnOff(first, patient());
      await vi.waitFor(async () => expect(await stateOf(driver, first)).toBe('off'));
      await driver.turnOff(first, patient());
      await driver.turnOn(first, {}, patient());
      await vi.waitFor(async () => expect(await stateOf(driver, first)).toBe('on'));
      const off = vi.fn();
      device.board.once('change', off);
      await driver.nativeCycle?.run(first, 10, patient());
      await vi.waitFor(() => expect(off).toHaveBeenCalledWith({ outlet: first, on: false }));
      await vi.waitFor(async () => expect(await stateOf(driver, first)).toBe('on'));
      expect(device.board.isOn(second)).toBe(true);
      await driver.close();
      expect([...(sessionsOnly?.open ?? [])]).toEqual([]);
    },
  );
});
