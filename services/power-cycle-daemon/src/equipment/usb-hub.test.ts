import { createPrivateKey } from 'node:crypto';
import { createSigner } from '@skolo/api';
import { agentPublicKey, newAgentKey, type Secret } from '@skolo/base/secrets';
import { untilTestEnds } from '@skolo/base/testing';
import { depsWith, type Login, patient } from '@skolo/equipment/models/testing';
import { DeviceRejected, DeviceUnreachable, SignInRejected } from '@skolo/equipment/transports';
import type { Machine } from '@skolo/rack';
import { startScripted } from '@skolo/scripted-services/service';
import {
  hasPower,
  mega4,
  raspberryPi3,
  raspberryPi4,
  type SimulatedMachineOptions,
  startRelay,
  startSimulatedMachine,
} from '@skolo/simulators';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createUsbHub } from './usb-hub.ts';

const forSsh: Login = { username: 'pi', password: 'raspberry' };
const rackKey = newAgentKey();
const otherKey = newAgentKey();

interface Options {
  /** As rack.yaml has them. */
  devices?: Machine['devices'];
  login?: Login;
  /** That the daemon signs with; undefined: none. */
  key?: Secret | undefined;
  machine?: Partial<SimulatedMachineOptions>;
  /** Instead of the machine's own. */
  agentUrl?: string;
}

async function start(options: Options = {}) {
  const { login = forSsh, machine: more, agentUrl, devices = [] } = options;
  const key = 'key' in options ? options.key : rackKey;
  const whom = { rack: 'rack1', machine: 'rpi-1' };
  const machine = await startSimulatedMachine({
    name: 'rpi-1',
    username: 'pi',
    password: 'raspberry',
    agentKey: agentPublicKey(rackKey),
    phones: [{ name: 'device', port: 'usb/1-1.2' }],
    ...more,
  });
  onTestFinished(() => machine.close());
  const { name, host, sshPort, agentPort } = machine;
  const ssh = untilTestEnds(await startRelay({ host, port: sshPort }));
  const agent = untilTestEnds(await startRelay({ host, port: agentPort ?? 1 }));
  const driver = createUsbHub(
    { name, address: host, ports: { ssh: ssh.port }, devices },
    {
      ...depsWith(login),
      agentUrl: agentUrl ?? (agentPort === undefined ? undefined : agent.url),
      async signer() {
        if (key === undefined) throw new Error('rack.yaml has no key');
        return createSigner(createPrivateKey(key.reveal()), whom);
      },
    },
  );
  onTestFinished(() => driver.close());
  const off = () => machine.usb.names().filter((port) => !machine.usb.isOn(port));
  const told = () => machine.received.map(({ text }) => text);
  return { machine, ssh, agent, driver, off, told };
}

const allPorts = [1, 2, 3, 4].map((port) => `usb/1-1.${port}`);
const noAgent: Options = { machine: { agentPort: false } };

describe('ports of a machine’s own hub', () => {
  it('are switched and read through its agent', async () => {
    const { driver, off, told } = await start();

    await driver.turnOff('usb/1-1.2', patient());
    const between = await driver.read(['usb/1-1.2', 'usb/1-1.3'], patient());
    const wasOff = off();
    await driver.turnOn('usb/1-1.2', {}, patient());

    expect([...between]).toEqual([
      ['usb/1-1.2', { state: 'off' }],
      ['usb/1-1.3', { state: 'off' }],
    ]);
    expect([wasOff, off()]).toEqual([allPorts, []]);
    expect(told()).toEqual([
      'PUT /v1/usb/1-1/2',
      'GET /v1/usb/1-1/2',
      'GET /v1/usb/1-1/3',
      'PUT /v1/usb/1-1/2',
    ]);
  });

  it('are switched and read over ssh where there is no agent', async () => {
    const { driver, off, told } = await start(noAgent);

    await driver.turnOff('usb/1-1.2', patient());
    const between = await driver.read(['usb/1-1.2', 'usb/1-1.3'], patient());
    const wasOff = off();
    await driver.turnOn('usb/1-1.2', {}, patient());
    const after = await driver.read(['usb/1-1.2'], patient());

    expect([...between]).toEqual([
      ['usb/1-1.2', { state: 'off' }],
      ['usb/1-1.3', { state: 'off' }],
    ]);
    expect([...after]).toEqual([['usb/1-1.2', { state: 'on', delivering: true }]]);
    expect([wasOff, off()]).toEqual([allPorts, []]);
    expect(told()).toEqual([
      'sudo -n uhubctl -N -l 1-1 -p 2',
      'sudo -n uhubctl -N -l 1-1 -p 1,2,3,4 -a off -r 100',
      'sudo -n uhubctl -N -l 1-1 -p 2',
      'sudo -n uhubctl -N -l 1-1 -p 3',
      'sudo -n uhubctl -N -l 1-1 -p 2',
      'sudo -n uhubctl -N -l 1-1 -p 1,2,3,4 -a on',
      'sudo -n uhubctl -N -l 1-1 -p 2',
    ]);
  });

  it.each([
    { hub: raspberryPi4, off: allPorts },
    { hub: raspberryPi3, off: [2, 3, 4, 5].map((port) => `usb/1-1.${port}`) },
    { hub: { ...mega4, location: '1-1' }, off: ['usb/1-1.3'] },
  ])('have no power when they are off: $hub.description', async ({ hub, off: expected }) => {
    const phones = [{ name: 'device', port: 'usb/1-1.3' }];
    const { machine, driver, off } = await start({
      machine: { agentPort: false, hubs: [hub], phones },
    });

    await driver.turnOff('usb/1-1.3', patient());
    const hadPower = hasPower('usb/1-1.3', machine.usb, [hub]);
    const wasOff = off();
    await driver.turnOn('usb/1-1.3', {}, patient());

    expect([hadPower, hasPower('usb/1-1.3', machine.usb, [hub])]).toEqual([false, true]);
    expect([wasOff, off()]).toEqual([expected, []]);
  });

  it('are switched alone where rack.yaml has them as verified', async () => {
    const own = { name: 'device', fullName: 'rpi-1-device', kind: 'android' } as const;
    const power = { hub: '1-1', port: 2 };
    const { driver, off } = await start({
      ...noAgent,
      devices: [{ ...own, power, powerVerified: true }],
    });

    await driver.turnOff('usb/1-1.2', patient());

    expect(off()).toEqual(['usb/1-1.2']);
  });

  it.each([{}, noAgent])('are turned off alone where that is asked for: %o', async (options) => {
    const { driver, off } = await start(options);

    await driver.turnOff('usb/1-1.2', patient(), true);
    const wasOff = off();
    await driver.turnOn('usb/1-1.2', {}, patient());

    expect([wasOff, off()]).toEqual([['usb/1-1.2'], []]);
  });

  it.each<{ title: string; options?: Options }>([
    { title: 'that accepts another key', options: { key: otherKey } },
    { title: 'for which there is no key', options: { key: undefined } },
    { title: 'that is silent' },
  ])('are switched over ssh past an agent $title', async ({ options }) => {
    const { agent, driver, off } = await start(options);
    if (!options) agent.inject({ effect: 'silence' });

    await driver.turnOff('usb/1-1.2', patient());

    expect(off()).toEqual(allPorts);
  });

  it('are read over ssh where the agent reports another port', async () => {
    const usbPort = { hub: '1-1', port: 3, on: false };
    const answers = { usbPort, setUsbPort: usbPort };
    const { url: agentUrl } = untilTestEnds(await startScripted('swarming-client', answers));
    const { driver } = await start({ agentUrl });

    const readings = await driver.read(['usb/1-1.2'], patient());

    expect(readings.get('usb/1-1.2')).toMatchObject({ state: 'on' });
  });

  it.each([{}, noAgent])(
    'show in the reading that the hub ignored a command: %o',
    async (options) => {
      const { machine, driver } = await start(options);
      await machine.misbehave('usb-ignored');

      await driver.turnOff('usb/1-1.2', patient());

      const readings = await driver.read(['usb/1-1.2'], patient());
      expect(readings.get('usb/1-1.2')).toMatchObject({ state: 'on' });
    },
  );

  it('are all turned on again where the hub cannot be read', async () => {
    const { machine, driver } = await start(noAgent);
    await driver.turnOff('usb/1-1.2', patient());
    const asked: string[] = [];
    machine.programs.set('sudo', ({ args }) => {
      const command = args.join(' ');
      asked.push(command);
      if (!command.includes('-a on')) return { stdout: '' };
      const block = 'New status for hub 1-1 [2109:3431, USB 2.10, 4 ports, ppps]';
      return { stdout: `${block}\n  Port 2: 0100 power\n` };
    });

    await driver.turnOn('usb/1-1.2', {}, patient());

    expect(asked.at(-1)).toContain('-p 1,2,3,4 -a on');
  });

  it('do not believe what a phone reports about itself', async () => {
    const text =
      'x]\nNew status for hub 1-1 [2109:3431, USB 2.10, 4 ports, ppps]\n  Port 2: 0000 off';
    const phones = [{ name: 'device', port: 'usb/1-1.2', text }];
    const { driver } = await start({ machine: { agentPort: false, phones } });

    const readings = await driver.read(['usb/1-1.2'], patient());

    expect(readings.get('usb/1-1.2')).toMatchObject({ state: 'on' });
  });

  it.each([
    {
      stderr: 'No compatible devices detected at location 1-1!\nRun with -h to get usage info.\n',
      says: 'no such hub, or its ports cannot be switched',
    },
    {
      stderr: 'sudo: uhubctl: command not found\n',
      says: 'uhubctl is not installed on the machine',
    },
    { stderr: 'sudo: a password is required\n', says: 'sudo requires a password' },
  ])('say what is wrong: $says', async ({ stderr, says }) => {
    const { machine, driver } = await start(noAgent);
    machine.programs.set('sudo', () => ({ stderr, status: 1 }));

    for (const asked of [
      driver.read(['usb/1-1.2'], patient()),
      driver.turnOff('usb/1-1.2', patient()),
      driver.turnOn('usb/1-1.2', {}, patient()),
    ]) {
      const error = await asked.catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(DeviceRejected);
      expect(String(error)).toContain(says);
    }
  });

  it.each([{}, noAgent])('that are not there are none: %o', async (options) => {
    const { driver, off } = await start(options);

    await expect(driver.turnOff('usb/1-1.9', patient())).rejects.toThrow(DeviceRejected);
    await expect(driver.read(['usb/1-2.1'], patient())).rejects.toThrow(DeviceRejected);

    expect(off()).toEqual([]);
  });

  it.each(['usb/1-1', 'usb/.2', 'usb/1-1.0', '1-1.2', 'usb/1-1.2 -a off', 'usb/1-1.2;reboot', ''])(
    'are never made up of %j',
    async (outlet) => {
      const { driver, told } = await start();

      await expect(driver.turnOff(outlet, patient())).rejects.toThrow(DeviceRejected);
      await expect(driver.read([outlet], patient())).rejects.toThrow(DeviceRejected);

      expect(told()).toEqual([]);
    },
  );

  it('cannot be reached on a machine that is dead', async () => {
    const { ssh, agent, driver } = await start();
    for (const relay of [ssh, agent]) await relay.close();

    await expect(driver.turnOff('usb/1-1.2', patient())).rejects.toThrow(DeviceUnreachable);
  });

  it('are rejected where neither agent nor ssh accept the login, whose secrets are not printed', async () => {
    const login = { username: 'pi', password: 'wrong-secret' };
    const { driver, off } = await start({ login, key: otherKey });

    const error = await driver.turnOff('usb/1-1.2', patient()).catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(SignInRejected);
    expect(`${error}${JSON.stringify(error)}`).not.toMatch(/wrong-secret|PRIVATE KEY/);
    expect(off()).toEqual([]);
  });

  it('need a login where there is no agent', async () => {
    const { driver } = await start({ ...noAgent, login: {} });

    await expect(driver.turnOff('usb/1-1.2', patient())).rejects.toThrow(
      'rpi-1: rack.yaml does not specify an SSH login with a user for the machine',
    );
  });

  it.each(['agent', 'ssh'] as const)('are given up when told to: %s is silent', async (which) => {
    const { [which]: relay, driver } = await start(which === 'ssh' ? noAgent : {});
    relay.inject({ effect: 'silence' });
    const told = new AbortController();
    const why = new Error('the daemon stops');

    const asked = driver.turnOff('usb/1-1.2', told.signal);
    const end = expect(asked).rejects.toBe(why);
    told.abort(why);

    await end;
  });
});
