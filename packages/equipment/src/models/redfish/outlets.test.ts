import { DeviceRejected } from '@skolo/equipment/transports';
import { startRedfish } from '@skolo/simulators';
import { describe, expect, it, vi } from 'vitest';
import { CannotCycle } from '../contract/outlets.ts';
import { driverFor, patient, type Setup, startDriver } from '../testing/http.ts';
import { openDriver } from '../testing/outlets.ts';
import { http } from '../testing/unneeded/transports.ts';
import { login, server } from './proof.ts';
import { outlets as redfish } from './redfish.ts';

function pdu(): Setup {
  const start = () => startRedfish({ tls: false, secondMs: 5, outlets: ['A1', 'A2'] });
  return {
    kind: redfish,
    start,
    options: { https: false, rackPdu: '1' },
    login,
    patienceMs: 35_000,
  };
}

describe('redfish', () => {
  it.each([200, 202, 204] as const)(
    'turns a server off and on that answers %i',
    async (success) => {
      const { device, driver } = await startDriver(server({ success }));

      await driver.turnOff('1', patient());
      await vi.waitFor(async () => {
        expect([...(await driver.read(['1'], patient()))]).toMatchObject([['1', { state: 'off' }]]);
      });
      await driver.turnOn('1', {}, patient());
      await vi.waitFor(() => expect(device.board.isOn('1')).toBe(true));

      const told = device.received
        .map(({ text }) => text)
        .filter((text) => text.startsWith('POST'));
      const reset = 'POST /redfish/v1/Systems/1/Actions/ComputerSystem.Reset';
      expect(told).toEqual([`${reset} {"ResetType":"ForceOff"}`, `${reset} {"ResetType":"On"}`]);
    },
  );

  it('reports model, firmware, and what stays off after a power failure', async () => {
    const staysOff = 'PowerRestorePolicy is AlwaysOff';
    const { driver } = await startDriver(server({ restorePolicy: 'AlwaysOff' }));
    const { driver: pduDriver } = await startDriver(pdu());

    expect(await driver.report?.(['1'], patient())).toEqual({
      hardware: '3500',
      firmware: '1.45.455b66-rev4',
      outlets: new Map([['1', { staysOff }]]),
    });
    expect(await pduDriver.report?.(['A1', 'A2'], patient())).toEqual({
      hardware: 'ZAP4000',
      firmware: '4.3.0',
      outlets: new Map([
        ['A1', {}],
        ['A2', {}],
      ]),
    });
  });

  it('counts a server as what it was while it changes', async () => {
    const { device, driver } = await startDriver(server({ delaySeconds: 3600 }));

    await driver.turnOff('1', patient());
    const turningOff = await driver.read(['1'], patient());
    device.board.set('1', false);
    await driver.turnOn('1', {}, patient());
    const turningOn = await driver.read(['1'], patient());

    expect([turningOff.get('1')?.state, turningOn.get('1')?.state]).toEqual(['on', 'off']);
  });

  it('takes a rejection for success where the server is in that state already', async () => {
    const { device, driver } = await startDriver(server());
    device.board.set('1', false);

    await driver.turnOff('1', patient());

    expect(device.received.at(-1)?.text).toContain('ForceOff');
  });

  it('does not ask a server that is off to cycle, so that it is turned on', async () => {
    const { device, driver } = await startDriver(server());
    device.board.set('1', false);

    const cycle = driver.nativeCycle?.run('1', 10, patient());

    await expect(cycle).rejects.toBeInstanceOf(CannotCycle);
    expect(device.received.every(({ text }) => text.startsWith('GET'))).toBe(true);
  });

  it('lets the server do off, wait and on', async () => {
    const { device, driver } = await startDriver(server());
    const off = vi.fn();
    device.board.once('change', off);

    await driver.nativeCycle?.run('1', 10, patient());

    await vi.waitFor(() => expect(off).toHaveBeenCalledWith({ outlet: '1', on: false }));
    await vi.waitFor(() => expect(device.board.isOn('1')).toBe(true));
  });

  it.each(['action', 'action-info'] as const)(
    'does not begin a cycle that the %s does not allow, and lets the server reject off',
    async (allowableIn) => {
      const { device, driver } = await startDriver(
        server({ allowableIn, allowable: ['ForceOn', 'GracefulShutdown'] }),
      );

      const cycle = driver.nativeCycle?.run('1', 10, patient());
      await expect(cycle).rejects.toThrow(
        '1 does not support cycle; supported actions: ForceOn, GracefulShutdown',
      );
      expect(device.received.every(({ text }) => text.startsWith('GET'))).toBe(true);

      await expect(driver.turnOff('1', patient())).rejects.toThrow(DeviceRejected);
      expect(device.board.isOn('1')).toBe(true);
    },
  );

  it('tries its luck where nothing tells what is allowed', async () => {
    const { device, driver } = await startDriver(server({ allowableIn: 'nowhere' }));

    await driver.turnOff('1', patient());

    await vi.waitFor(() => expect(device.board.isOn('1')).toBe(false));
  });

  it('speaks https to a device with a certificate of its own', async () => {
    const { driver } = await startDriver(server({ tls: true }));

    expect([...(await driver.read(['1'], patient()))]).toMatchObject([['1', { state: 'on' }]]);
  });

  it('switches the outlets of a PDU where the device says so, and reads what they draw', async () => {
    const { device, driver } = await startDriver(pdu());

    await driver.turnOff('A1', patient());
    await vi.waitFor(() => expect(device.board.isOn('A1')).toBe(false));
    const readings = await driver.read(['A1', 'A2'], patient());

    expect([...readings]).toMatchObject([
      ['A1', { state: 'off', watts: 0 }],
      ['A2', { state: 'on', watts: 4 }],
    ]);
    expect(device.received.map(({ text }) => text)).toContain(
      'POST /redfish/v1/PowerEquipment/RackPDUs/1/Outlets/A1/Outlet.PowerControl {"PowerState":"Off"}',
    );
  });

  it('tells why a device rejects', async () => {
    const { driver } = await startDriver(server());

    await expect(driver.read(['2'], patient())).rejects.toThrow(
      /status 404: The resource at .*Systems\/2/,
    );
  });

  it.each([{}, { '@odata.id': '/redfish/v1/Systems/11' }])(
    'does not read another system',
    async (more) => {
      const driver = await driverFor(server(), { Id: '2', PowerState: 'On', ...more });

      await expect(driver.read(['1'], patient())).rejects.toThrow(DeviceRejected);
    },
  );

  it.each([
    [{ PowerState: 'On' }, 'on'],
    [{ PowerState: 'OFF' }, 'off'],
    [{ Id: 1, PowerState: 'Off', PowerWatts: 'none', Actions: [] }, 'off'],
    [{ Id: '1', PowerState: 'Reset' }, 'unknown'],
    [{ Id: '1', PowerState: null }, 'unknown'],
    [{ Id: 'Y130UF72701J  ', '@odata.id': '/redfish/v1/Systems/1', PowerState: 'On' }, 'on'],
    [{ Id: '1', '@odata.id': ['/'], PowerState: 'Off' }, 'off'],
    [{ Id: '1' }, 'unknown'],
  ])('reads %o as %s', async (answer, state) => {
    const driver = await driverFor(server(), answer);

    expect((await driver.read(['1'], patient())).get('1')).toMatchObject({ state });
  });

  it.each([
    '//elsewhere/reset',
    'https://elsewhere/reset',
    'reset',
    '/reset?to=http://elsewhere',
    7,
  ])('sends commands to the usual place instead of %s', async (target) => {
    const Actions = { '#ComputerSystem.Reset': { target } };
    const { place, received } = await http(() => ({ Id: '1', PowerState: 'On', Actions }));
    const driver = openDriver(redfish, { ...place, login, options: { https: false } });

    await driver.turnOff('1', patient());

    const post = 'POST /redfish/v1/Systems/1/Actions/ComputerSystem.Reset';
    expect(received().slice(1)).toEqual([`${post} {"ResetType":"ForceOff"}`]);
    await expect(driver.nativeCycle?.run('1', 5, patient())).rejects.toThrow(CannotCycle);
  });
});
