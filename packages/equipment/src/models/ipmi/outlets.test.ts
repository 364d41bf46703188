import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Secret } from '@skolo/base/secrets';
import { tempDir } from '@skolo/base/testing';
import {
  DeviceBusy,
  DeviceRejected,
  DeviceTimeout,
  DeviceUnreachable,
  SignInRejected,
} from '@skolo/equipment/transports';
import { peer, type SimulatedDevice, startIpmiSim } from '@skolo/simulators';
import { describe, expect, it, onTestFinished, type TestContext, vi } from 'vitest';
import { CannotCycle, type PowerDriver } from '../contract/outlets.ts';
import {
  allRejectWhenAborted,
  everythingIn,
  neverSends,
  openDriver,
  patient,
  stateOf,
  verbs,
} from '../testing/outlets.ts';
import { outlets as ipmi } from './ipmi.ts';

const login = { username: 'lab', password: 's3cret' };

async function start(
  context: TestContext,
  over: { login?: object; options?: Record<string, unknown> } = {},
  kg?: string,
): Promise<{ device: SimulatedDevice; driver: PowerDriver }> {
  if (peer('ipmitool') === undefined) return context.skip('ipmitool is not installed');
  const device = await startIpmiSim(kg === undefined ? {} : { kg });
  if (!device) return context.skip('ipmi_sim is not installed');
  onTestFinished(() => device.close());
  const driver = openDriver(ipmi, {
    address: device.host,
    ports: { ipmi: device.port },
    options: { cipherSuite: 3 },
    login,
    ...over,
  });
  return { device, driver };
}

describe('ipmi, by ipmitool and ipmi_sim', () => {
  it('turns the chassis off and on, and reads it back', async (context) => {
    const { device, driver } = await start(context);

    await driver.turnOff('chassis', patient());
    await vi.waitFor(async () => expect(await stateOf(driver, 'chassis')).toBe('off'));
    await driver.turnOn('chassis', {}, patient());

    await vi.waitFor(async () => expect(await stateOf(driver, 'chassis')).toBe('on'));
    const told = device.received.map(({ text }) => text).filter((text) => text.startsWith('set'));
    expect(told).toEqual(['set power 0', 'set power 1']);
  });

  it('reports its firmware, and whether the chassis stays off after a power failure', async (context) => {
    const { driver } = await start(context);

    const report = await driver.report?.(['chassis'], patient());

    expect(report?.firmware).toMatch(/^\d+\.\d+$/);
    // The policy of ipmi_sim.
    const staysOff = 'the power restore policy is always-off';
    expect(report?.outlets).toEqual(new Map([['chassis', { staysOff }]]));
  });

  it.for<[string | undefined, string]>([
    ['kg-of-the-lab', 'kg-of-the-lab'],
    ['kg-of-the-lab', '0x6B672d6f662d7468652d6c6162'],
    ['kg-of-the-lab', '0x6b672d6f662d7468652d6c616200000000000000'],
    [undefined, '0x0000000000000000000000000000000000000000'],
  ])('signs in to a controller whose key is %s with %s', async ([own, kg], context) => {
    const { driver } = await start(context, { login: { ...login, kg: new Secret(kg) } }, own);

    expect(await stateOf(driver, 'chassis')).toBe('on');
  });

  it.for([
    [undefined, /its key \(Kg\) differs: set `kg` in the login/],
    ['hunter2', /its key \(Kg\) differs/],
    ['0x00ff', /`kg` in its login is not a key of at most 20 ASCII characters/],
    ['hunter2hunter2hunter2', /`kg` in its login is not a key/],
    ['hunter2ü', /`kg` in its login is not a key/],
  ] as const)('says that the key is wrong, and not what it is: %s', async ([kg, why], context) => {
    const own = kg === undefined ? {} : { kg: new Secret(kg) };
    const { driver } = await start(context, { login: { ...login, ...own } }, 'kg-of-the-lab');

    const error = await driver.read(['chassis'], patient()).catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(SignInRejected);
    expect(everythingIn(error)).toMatch(why);
    expect(everythingIn(error)).not.toContain('hunter2');
  });

  it('has the controller cycle it', async (context) => {
    const { device, driver } = await start(context);
    const states: boolean[] = [];
    device.board.on('change', ({ on }) => states.push(on));

    await driver.nativeCycle?.run('chassis', 5, patient());

    expect(driver.nativeCycle?.offSeconds).toBe('fixed');
    await vi.waitFor(() => expect(states).toEqual([false, true]));
  });

  it('shows in the reading that a command was ignored', async (context) => {
    const { device, driver } = await start(context);
    device.faults.set('ignores-commands');

    await driver.turnOff('chassis', patient());

    expect(await stateOf(driver, 'chassis')).toBe('on');
  });

  it('waits for a controller that is slow', async (context) => {
    const { device, driver } = await start(context);
    device.faults.slowMs = 1000;
    device.faults.set('slow');

    expect(await stateOf(driver, 'chassis')).toBe('on');
  });

  it('says so when the controller does not respond', async (context) => {
    const { device, driver } = await start(context);
    device.faults.set('wedged');

    await expect(driver.read(['chassis'], patient())).rejects.toThrow(DeviceUnreachable);
  });

  it('ends ipmitool when it is told to', async (context) => {
    const { device, driver } = await start(context);
    device.faults.set('wedged');

    await allRejectWhenAborted(driver, 'chassis');
  });

  it.for([
    ['password', { ...login, password: 'hunter2' }],
    ['user', { username: 'nobody', password: 'hunter2' }],
    ['length of the password', { ...login, password: 'hunter2hunter2hunter2hunter2' }],
  ] as const)(
    'says that its login is not taken, and not what it is: wrong %s',
    async ([, wrong], context) => {
      const { device, driver } = await start(context, { login: wrong });

      for (const verb of Object.values(verbs(driver, 'chassis'))) {
        const error = await verb().catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(SignInRejected);
        expect(everythingIn(error)).not.toContain('hunter2');
      }
      expect(device.board.isOn('chassis')).toBe(true);
    },
  );

  it('says which cipher suite to try', async (context) => {
    const { driver } = await start(context, { options: { cipherSuite: 17 } });

    await expect(driver.read(['chassis'], patient())).rejects.toThrow(/cipherSuite: 3/);
  });
});

/** A fake ipmitool that records its arguments and environment, then runs `script`. */
async function fakeTool(script: string, more: object = {}) {
  const dir = await tempDir();
  const text = `#!/bin/sh\necho "$@" >> ${dir}/args\n${script}\n`;
  await writeFile(join(dir, 'ipmitool'), text, { mode: 0o755 });
  vi.stubEnv('PATH', `${dir}:/usr/bin:/bin`);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  const place = { address: '127.0.0.1', ports: { ipmi: 9 }, login: { ...login, ...more } };
  return { driver: openDriver(ipmi, place), dir };
}

describe('ipmi', () => {
  it.for([
    ['Insufficient resources for session', DeviceBusy],
    ['> RAKP 2 HMAC is invalid', SignInRejected],
    ['RAKP 2 message indicates an error : unauthorized name', SignInRejected],
    [
      'RAKP 2 message indicates an error : unauthorized role or privilege level requested',
      SignInRejected,
    ],
    [
      'Set Session Privilege Level to OPERATOR failed: Unknown (0x81)\nError: Unable to establish IPMI v2 / RMCP+ session',
      SignInRejected,
    ],
    ['> Error: no response from RAKP 1 message', DeviceUnreachable],
    ['RAKP 2 message indicates an error : invalid name length', SignInRejected],
    ['RAKP 4 message indicates an error : Unknown (0x30)', SignInRejected],
    ['> RAKP 4 message has invalid integrity check value', SignInRejected],
    [
      'RAKP 2 message indicates an error : no cipher suite match with proposed security algorithms',
      DeviceRejected,
    ],
    ['RAKP 2 message indicates an error : insufficient resources for session', DeviceBusy],
    [
      'Set Session Privilege Level to OPERATOR failed: Requested privilege level exceeds limit',
      SignInRejected,
    ],
    ['Set Chassis Power Control to Up/On failed: Insufficient privilege level', SignInRejected],
    ['Set Session Privilege Level to OPERATOR failed', DeviceUnreachable],
    ['Set Session Privilege Level to OPERATOR failed: Timeout', DeviceUnreachable],
    ['Error in open session response message : invalid authentication algorithm', DeviceRejected],
    [
      'Set Chassis Power Control to Cycle failed: Command not supported in present state',
      CannotCycle,
    ],
    ['Get Auth Capabilities error', DeviceUnreachable],
    ['Error: Unable to establish IPMI v2 / RMCP+ session', DeviceUnreachable],
    ['', DeviceRejected],
  ] as const)('takes %j for what it is', async ([said, kind]) => {
    const { driver } = await fakeTool(`printf '%s' '${said}' >&2; exit 1`);

    // All of them run ipmitool in the same way.
    for (const verb of Object.values(verbs(driver, 'chassis'))) {
      await expect(verb()).rejects.toThrow(kind);
    }
  });

  it.for(['', 'Chassis Power is unknown', 'It is on', 'Chassis Power Control: Reset'])(
    'does not believe status 0 with %j',
    async (said) => {
      const { driver } = await fakeTool(`echo '${said}'`);

      for (const verb of Object.values(verbs(driver, 'chassis'))) {
        await expect(verb()).rejects.toThrow(DeviceRejected);
      }
    },
  );

  it('gives password and key by the environment only, and says them nowhere', async () => {
    const kg = { kg: new Secret('hunter2') };
    const { driver } = await fakeTool('echo "$@ [$IPMI_KGKEY][$IPMI_PASSWORD]" >&2; exit 1', kg);

    const error = await driver.turnOff('chassis', patient()).catch((reason: unknown) => reason);

    expect(everythingIn(error)).toContain('-U lab -E chassis power off [<secret>][<secret>]');
    expect(everythingIn(error)).not.toMatch(/s3cret|hunter2/);
  });

  it('repeats requests whose answer is lost, but not a cycle', async () => {
    const { driver, dir } = await fakeTool('exit 1');

    await expect(driver.turnOff('chassis', patient())).rejects.toThrow();
    await expect(driver.nativeCycle?.run('chassis', 5, patient())).rejects.toThrow();

    const [off, cycle] = (await readFile(join(dir, 'args'), 'utf8')).split('\n');
    expect(off).toMatch(/ -N 2 -R 2 .* power off$/);
    expect(cycle).toMatch(/ -N 5 -R 1 .* power cycle$/);
  });

  it.for([
    [{}, /username/],
    [{ username: 'lab' }, /password/],
    [{ password: 's3cret' }, /username/],
  ] as const)('wants user and password: %o', async ([incomplete, message]) => {
    const driver = openDriver(ipmi, { address: '127.0.0.1', login: incomplete });

    for (const verb of Object.values(verbs(driver, 'chassis'))) {
      await expect(verb()).rejects.toThrow(SignInRejected);
      await expect(verb()).rejects.toThrow(message);
    }
  });

  it('says what to install where ipmitool is missing', async () => {
    vi.stubEnv('PATH', '/nowhere');
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const driver = openDriver(ipmi, { address: '127.0.0.1', login });

    for (const verb of Object.values(verbs(driver, 'chassis'))) {
      await expect(verb()).rejects.toThrow(DeviceRejected);
      await expect(verb()).rejects.toThrow(
        'ipmitool does not exist; install it (Debian: ipmitool)',
      );
    }
  });

  it('does not wait for ever for an ipmitool that hangs', async () => {
    const { driver } = await fakeTool('sleep 300');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });

    const rejected = expect(driver.turnOff('chassis', patient())).rejects.toThrow(DeviceTimeout);
    await vi.advanceTimersByTimeAsync(21_000);

    await rejected;
  });

  neverSends(['1', 'Chassis', 'chassis ', 'chassis;id', 'all'], async () => {
    const { driver, dir } = await fakeTool('exit 0');
    return { driver, wasTold: () => existsSync(join(dir, 'args')) };
  });
});
