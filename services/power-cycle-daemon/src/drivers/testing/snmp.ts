/** What the tests of the drivers over SNMP share: a driver for a simulated device, and the faults that all of them meet. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import {
  type Credentials,
  DeviceRefused,
  DeviceTimeout,
  DeviceUnreachable,
  HostKeys,
  SessionPool,
  SignInRefused,
  type SnmpCredentials,
} from '@skolo/equipment';
import { type InfrastructureDevice, models, Secret } from '@skolo/rack';
import {
  type DeviceFault,
  type SimulatedDevice,
  type SnmpModel,
  type SnmpOptions,
  type SnmpUser,
  startSnmpd,
} from '@skolo/simulators';
import { describe, expect, it, onTestFinished, type TestContext, vi } from 'vitest';
import { z } from 'zod';
import type { DriverKind, PowerDriver } from '../driver.ts';

const [authKey, privKey] = ['authauth1', 'privpriv1'];

export const users: SnmpUser[] = [
  { name: 'sha', access: 'write', authProtocol: 'sha', authKey, privKey },
  { name: 'sha256', access: 'write', authProtocol: 'sha256', authKey, privKey },
  { name: 'signs', access: 'write', authProtocol: 'sha512', authKey },
  { name: 'reader', access: 'read', authProtocol: 'sha', authKey, privKey },
];

function version3(user: string, over: Partial<SnmpCredentials> = {}): SnmpCredentials {
  const keys = { authKey: new Secret(authKey), privKey: new Secret(privKey) };
  return { version: 3, user, authProtocol: 'sha', privProtocol: 'aes', ...keys, ...over };
}

function community(text: string, version: 1 | 2 = 2): SnmpCredentials {
  return { version, community: new Secret(text), authProtocol: 'sha', privProtocol: 'aes' };
}

/** Ways to sign in. */
export const logins = {
  v1: community('private', 1),
  v2c: community('private'),
  sha: version3('sha'),
  sha256: version3('sha256', { authProtocol: 'sha256' }),
  signs: {
    version: 3,
    user: 'signs',
    authProtocol: 'sha512',
    authKey: new Secret(authKey),
    privProtocol: 'aes',
  },
  readOnly: community('public'),
  reader: version3('reader'),
  stranger: community('hunter2hunter2'),
  wrongAuthKey: version3('sha', { authKey: new Secret('hunter2hunter2') }),
  wrongPrivKey: version3('sha', { privKey: new Secret('hunter2hunter2') }),
  wrongUser: version3('nobody', { authKey: new Secret('hunter2hunter2') }),
  wrongProtocol: version3('sha', { authProtocol: 'sha256' }),
} satisfies Record<string, SnmpCredentials>;

/** A driver's device and how it is set up. */
export interface SnmpSetup {
  kind: DriverKind;
  /** Our agent. */
  start(options: SnmpOptions): Promise<SimulatedDevice>;
  /** For Debian's agent. */
  model(): SnmpModel;
  /** As in rack.yaml, without what has a default. */
  options?: Record<string, unknown>;
}

export interface Started {
  device: SimulatedDevice;
  driver: PowerDriver;
}

/** For what is not to be given up. */
export function patient(): AbortSignal {
  return new AbortController().signal;
}

export async function startDriver(
  setup: SnmpSetup,
  login: SnmpCredentials | undefined = logins.v2c,
  options: SnmpOptions = {},
): Promise<Started> {
  const device = await setup.start({ users, ...options });
  onTestFinished(() => device.close());
  return { device, driver: driverFor(setup, device, login) };
}

/** In front of Debian's agent; skips the test where it is not installed. */
export async function startDriverOfSnmpd(
  context: TestContext,
  setup: SnmpSetup,
  login: SnmpCredentials,
): Promise<Started> {
  const device = await startSnmpd(setup.model(), { users });
  if (!device) return context.skip('snmpd is not installed');
  onTestFinished(() => device.close());
  return { device, driver: driverFor(setup, device, login) };
}

export function driverFor(
  { kind, options }: SnmpSetup,
  place: { host: string; port: number },
  login: SnmpCredentials | undefined,
): PowerDriver {
  const credentials: Credentials = { legacySsh: false, ...(login && { snmp: login }) };
  const sessions = new SessionPool();
  onTestFinished(() => sessions.close());
  const driver = kind.create(rackDevice(kind.model, place, options), {
    credentials: async () => credentials,
    hostKeys: new HostKeys('/nowhere'),
    sessions,
  });
  onTestFinished(() => driver.close());
  return driver;
}

function rackDevice(
  model: string,
  { host, port }: { host: string; port: number },
  options: Record<string, unknown> = {},
): InfrastructureDevice {
  return {
    name: 'device-1',
    model,
    address: host,
    ports: { snmp: port },
    power: [],
    transport: 'snmp',
    backup: false,
    options: z.object(models.get(model)?.options ?? {}).parse(options),
  };
}

/** Each verb once, by its name. */
export function verbs(driver: PowerDriver, outlet: string, signal: AbortSignal = patient()) {
  const { nativeCycle } = driver;
  return {
    read: async () => void (await driver.read([outlet], signal)),
    turnOff: () => driver.turnOff(outlet, signal),
    turnOn: () => driver.turnOn(outlet, undefined, signal),
    ...(nativeCycle && { nativeCycle: () => nativeCycle.run(outlet, 5, signal) }),
  };
}

async function readState(driver: PowerDriver, outlet: string): Promise<string | undefined> {
  return (await driver.read([outlet], patient())).get(outlet)?.state;
}

/** What every one of them does, over our agent and over Debian's. */
export function switchesOutlets(setup: SnmpSetup, outlet: string): void {
  describe.for(['v1', 'v2c', 'sha', 'sha256', 'signs'] as const)('signed in by %s', (who) => {
    const login = logins[who];

    it.for([
      ['our agent', () => startDriver(setup, login)],
      ["Debian's snmpd", (context: TestContext) => startDriverOfSnmpd(context, setup, login)],
    ] as const)(
      'turns one outlet of %s off and on, and reads it back',
      async ([, start], context) => {
        const { device, driver } = await start(context);
        const changes: unknown[] = [];
        device.board.on('change', (change) => changes.push(change));

        await driver.turnOff(outlet, patient());
        const off = await readState(driver, outlet);
        await driver.turnOn(outlet, undefined, patient());
        const on = await readState(driver, outlet);

        expect([off, on]).toEqual(['off', 'on']);
        expect(changes).toEqual([
          { outlet, on: false },
          { outlet, on: true },
        ]);
      },
    );
  });

  it('reads over IPv6', async (context) => {
    const started = await startDriver(setup, logins.sha, { host: '::1' }).catch(() => undefined);
    if (!started) return context.skip('there is no IPv6');

    expect(await readState(started.driver, outlet)).toBe('on');
  });
}

const silent: DeviceFault[] = ['down', 'wedged', 'slow', 'refuses-login'];
const unbelievable: DeviceFault[] = ['garbled', 'missing-instance'];

/** The tests of what can go wrong. */
export function meetsFaults(setup: SnmpSetup, outlet: string): void {
  /** Runs it for 5 s in no time. */
  async function isLate(verb: () => Promise<void>): Promise<void> {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const refused = expect(verb()).rejects.toThrow(DeviceTimeout);
    await vi.advanceTimersByTimeAsync(5_000);
    await refused;
    vi.useRealTimers();
  }

  it.for(silent)('waits 5 s for a device that is, or has, %s', async (fault) => {
    const { device, driver } = await startDriver(setup);
    device.faults.slowMs = 60_000;
    device.faults.set(fault);

    for (const verb of Object.values(verbs(driver, outlet))) await isLate(verb);
  });

  it.for(unbelievable)('does not believe a device that has %s', async (fault) => {
    const { device, driver } = await startDriver(setup);
    device.faults.set(fault);

    for (const verb of Object.values(verbs(driver, outlet))) {
      await expect(verb()).rejects.toThrow(DeviceRefused);
    }
  });

  it('knows at once when nothing listens there', async () => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const place = { host: '127.0.0.1', port: socket.address().port };
    socket.close();

    const driver = driverFor(setup, place, logins.v2c);

    for (const verb of Object.values(verbs(driver, outlet))) {
      await expect(verb()).rejects.toThrow(DeviceUnreachable);
    }
  });

  it('does not send a command twice when its answer is lost', async () => {
    const { device, driver } = await startDriver(setup);
    device.faults.set('drops-after-command');

    await isLate(() => driver.turnOff(outlet, patient()));

    expect(device.told).toHaveLength(1);
    expect(await readState(driver, outlet)).toBe('off');
  });

  it('shows in the reading that a command was ignored', async () => {
    const { device, driver } = await startDriver(setup);
    device.faults.set('ignores-commands');

    await driver.turnOff(outlet, patient());

    expect(await readState(driver, outlet)).toBe('on');
  });

  it.for(['v2c', 'sha'] as const)('gives up when it is told to, signed in by %s', async (who) => {
    const { device, driver } = await startDriver(setup, logins[who]);
    device.faults.set('wedged');
    const told = new AbortController();
    const why = new Error('the daemon stops');

    const all = Object.values(verbs(driver, outlet, told.signal)).map((verb) => verb());
    const ends = Promise.all(all.map((verb) => expect(verb).rejects.toBe(why)));
    told.abort(why);

    await ends;
    for (const verb of Object.values(verbs(driver, outlet, told.signal))) {
      await expect(verb()).rejects.toBe(why);
    }
  });

  it.for(['wrongAuthKey', 'wrongPrivKey', 'wrongUser', 'wrongProtocol'] as const)(
    'says that its login is not taken, and not what it is: %s',
    async (who) => {
      const { device, driver } = await startDriver(setup, logins[who]);

      for (const verb of Object.values(verbs(driver, outlet))) {
        const error = await verb().catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(SignInRefused);
        expect(everythingIn(error)).not.toMatch(/hunter2|authauth1|privpriv1/);
      }
      expect(device.board.isOn(outlet)).toBe(true);
    },
  );

  it('takes a wrong community for silence, and says so without telling it', async () => {
    const { driver } = await startDriver(setup, logins.stranger);

    await isLate(async () => {
      const error = await driver.turnOff(outlet, patient()).catch((reason: unknown) => reason);
      expect(everythingIn(error)).toContain('a wrong community gets none, either');
      expect(everythingIn(error)).not.toContain('hunter2');
      throw error;
    });
  });

  it.for(['readOnly', 'reader'] as const)(
    'reads with a login that may only read (%s), and says why it does no more',
    async (who) => {
      const { device, driver } = await startDriver(setup, logins[who]);

      await expect(driver.turnOff(outlet, patient())).rejects.toThrow(/may only read/);

      expect(await readState(driver, outlet)).toBe('on');
      expect(device.board.isOn(outlet)).toBe(true);
    },
  );

  it.for([
    ['no login', undefined, /no login with `snmp`/],
    ['no community', { ...logins.v2c, community: undefined }, /no `community`/],
    ['no user', { ...logins.sha, user: undefined }, /no `user`/],
    ['a key to encrypt and none to sign', { ...logins.sha, authKey: undefined }, /no `authKey`/],
  ] as const)('says what is missing when there is %s', async ([, login, message]) => {
    const { device } = await startDriver(setup);
    const driver = driverFor(setup, device, withoutUndefined(login));

    for (const verb of Object.values(verbs(driver, outlet))) {
      await expect(verb()).rejects.toThrow(SignInRefused);
      await expect(verb()).rejects.toThrow(message);
    }
    expect(device.sessions.opened).toBe(0);
  });
}

/** `names` are outlets that the model's own do not have, beside those that none has. */
export function neverSends(setup: SnmpSetup, names: readonly string[]): void {
  const malformed = [
    '',
    ' ',
    '0',
    '-1',
    '+1',
    '1 ',
    ' 1',
    '1.0',
    '01',
    '1e0',
    '٣',
    '1\n',
    '*',
    'all',
  ];

  it.for([...malformed, ...names])('never sends an outlet %j', async (name) => {
    const { device, driver } = await startDriver(setup);

    for (const verb of Object.values(verbs(driver, name))) {
      await expect(verb()).rejects.toThrow(DeviceRefused);
    }
    expect(device.sessions.opened).toBe(0);
  });
}

function everythingIn(error: unknown): string {
  const { stack, cause } = error instanceof Error ? error : new Error(String(error));
  return `${stack} ${JSON.stringify(error)} ${cause === undefined ? '' : everythingIn(cause)}`;
}

function withoutUndefined(login: Record<string, unknown> | undefined): SnmpCredentials | undefined {
  if (login === undefined) return undefined;
  const entries = Object.entries(login).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as unknown as SnmpCredentials;
}
