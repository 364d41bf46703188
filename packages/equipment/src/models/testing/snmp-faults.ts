/** Faults over SNMP, for each of its drivers. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { SnmpCredentials } from '@skolo/base/secrets';
import { DeviceRejected, DeviceUnreachable, SignInRejected } from '@skolo/equipment/transports';
import type { DeviceFault } from '@skolo/simulators';
import { expect, it, onTestFinished, vi } from 'vitest';
import {
  allRejectWhenAborted,
  everythingIn,
  isLate,
  neverSends,
  patient,
  stateOf,
  verbs,
} from './outlets.ts';
import { driverAt, logins, type SnmpSetup, startDriver } from './snmp.ts';

const silent: DeviceFault[] = ['down', 'wedged', 'slow', 'rejects-login'];
const unbelievable: DeviceFault[] = ['garbled', 'missing-instance'];

/** Tests of faults. */
export function meetsFaults(setup: SnmpSetup, outlet: string): void {
  meetsSilence(setup, outlet);
  rejectsLogins(setup, outlet);

  it.for(unbelievable)('does not believe a device that has %s', async (fault) => {
    const { device, driver } = await startDriver(setup);
    device.faults.set(fault);

    for (const verb of Object.values(verbs(driver, outlet))) {
      await expect(verb()).rejects.toThrow(DeviceRejected);
    }
  });

  it('knows at once when nothing listens there', async () => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const place = { host: '127.0.0.1', port: socket.address().port };
    socket.close();

    const driver = driverAt(setup, place, logins.v2c);

    for (const verb of Object.values(verbs(driver, outlet))) {
      await expect(verb()).rejects.toThrow(DeviceUnreachable);
    }
  });

  it('does not send a command twice when its answer is lost', async () => {
    const { device, driver } = await startDriver(setup);
    device.faults.set('drops-after-command');

    await isLate(() => driver.turnOff(outlet, patient()), 5000);

    expect(device.received).toHaveLength(1);
    expect(await stateOf(driver, outlet)).toBe('off');
  });

  it('shows in the reading that a command was ignored', async () => {
    const { device, driver } = await startDriver(setup);
    device.faults.set('ignores-commands');

    await driver.turnOff(outlet, patient());

    expect(await stateOf(driver, outlet)).toBe('on');
  });

  it.for(['v2c', 'sha'] as const)('gives up when it is told to, signed in by %s', async (who) => {
    const { device, driver } = await startDriver(setup, logins[who]);
    device.faults.set('wedged');

    const aborted = await allRejectWhenAborted(driver, outlet);

    for (const verb of Object.values(verbs(driver, outlet, aborted))) {
      await expect(verb()).rejects.toBe(aborted.reason);
    }
  });
}

function meetsSilence(setup: SnmpSetup, outlet: string): void {
  it.for(silent)('waits 5 s for a device that is, or has, %s', async (fault) => {
    const { device, driver } = await startDriver(setup);
    device.faults.slowMs = 60_000;
    device.faults.set(fault);

    for (const verb of Object.values(verbs(driver, outlet))) await isLate(verb, 5000);
  });

  it('reads as many outlets at once as fit into one request', async () => {
    const { device, driver } = await startDriver(setup);
    const outlets = device.board.names().slice(0, driver.readsAtOnce);

    const readings = await driver.read(outlets, patient());

    expect([...readings.keys()]).toEqual(outlets);
    // Optional objects are requested apart.
    expect(device.received.length).toBeLessThanOrEqual(2);
  });

  it('asks a device that is slow with each variable for fewer, now and later', async () => {
    const { device, driver } = await startDriver(setup);
    const outlets = device.board.names().slice(0, 8);
    device.faults.set('slow-variables');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });

    const reading = driver.read(outlets, patient());
    const done = reading.then(
      () => true,
      () => true,
    );
    // Step by step, as packets take real time.
    while (!(await Promise.race([done, new Promise<false>((go) => setImmediate(go, false))])))
      await vi.advanceTimersByTimeAsync(100);
    const readings = await reading;
    const requests = device.received.length;
    await driver.read(outlets, patient());

    expect([...readings.values()].map(({ state }) => state)).toEqual(outlets.map(() => 'on'));
    expect(requests).toBeGreaterThan(2);
    // A command without a response is not repeated.
    expect(device.received.length - requests).toBeLessThan(requests);
  });
}

function rejectsLogins(setup: SnmpSetup, outlet: string): void {
  it.for(['wrongAuthKey', 'wrongPrivKey', 'wrongUser', 'wrongProtocol'] as const)(
    'says that its login is not taken, and not what it is: %s',
    async (who) => {
      const { device, driver } = await startDriver(setup, logins[who]);

      for (const verb of Object.values(verbs(driver, outlet))) {
        const error = await verb().catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(SignInRejected);
        expect(everythingIn(error)).not.toMatch(/hunter2|authauth1|privpriv1/);
      }
      expect(device.board.isOn(outlet)).toBe(true);
    },
  );

  it('takes a wrong community for silence, and says so without telling it', async () => {
    const { driver } = await startDriver(setup, logins.stranger);

    await isLate(async () => {
      const error = await driver.turnOff(outlet, patient()).catch((reason: unknown) => reason);
      expect(everythingIn(error)).toContain('a wrong community has the same result');
      expect(everythingIn(error)).not.toContain('hunter2');
      throw error;
    }, 5000);
  });

  it.for(['readOnly', 'reader'] as const)(
    'reads with a login that may only read (%s), and says why it does no more',
    async (who) => {
      const { device, driver } = await startDriver(setup, logins[who]);

      await expect(driver.turnOff(outlet, patient())).rejects.toThrow(/have only read access/);

      expect(await stateOf(driver, outlet)).toBe('on');
      expect(device.board.isOn(outlet)).toBe(true);
    },
  );

  it.for([
    ['no login', undefined, /does not set `snmp` in its login/],
    ['no community', { ...logins.v2c, community: undefined }, /does not set `community`/],
    ['no user', { ...logins.sha, user: undefined }, /does not set `user`/],
    [
      'a key to encrypt and none to sign',
      { ...logins.sha, authKey: undefined },
      /without `authKey`/,
    ],
  ] as const)('says what is missing when there is %s', async ([, login, message]) => {
    const { device } = await startDriver(setup);
    const driver = driverAt(setup, device, withoutUndefined(login));

    for (const verb of Object.values(verbs(driver, outlet))) {
      await expect(verb()).rejects.toThrow(SignInRejected);
      await expect(verb()).rejects.toThrow(message);
    }
    expect(device.sessions.opened).toBe(0);
  });
}

/** `names` are outlets that the model's own do not have, beside those that none has. */
export function neverSendsOthers(setup: SnmpSetup, names: readonly string[]): void {
  const malformed = ['0', '-1', '+1', '1 ', ' 1', '1.0', '01', '1e0', '٣', '1\n', '*', 'all'];

  neverSends([...malformed, ...names], async () => {
    const { device, driver } = await startDriver(setup);
    return { driver, wasTold: () => device.sessions.opened > 0 };
  });
}

function withoutUndefined(login: Record<string, unknown> | undefined): SnmpCredentials | undefined {
  if (login === undefined) return undefined;
  const entries = Object.entries(login).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as unknown as SnmpCredentials;
}
