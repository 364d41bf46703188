/** Shared by the tests of SNMP drivers: a driver for a simulated device, and common behaviour. Faults are in snmp-faults.ts. */

import { Secret, type SnmpCredentials } from '@skolo/base/secrets';
import {
  type SimulatedDevice,
  type SnmpModel,
  type SnmpOptions,
  type SnmpUser,
  startSnmpd,
} from '@skolo/simulators';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import type { ConnectedHosts } from '../contract/connected-hosts.ts';
import type { ModelOutlets, PowerDriver } from '../contract/outlets.ts';
import { loadConnectedHosts } from '../load.ts';
import { openDriver, patient, rackDevice, stateOf } from './outlets.ts';

const [authKey, privKey] = ['authauth1', 'privpriv1'];

const users: SnmpUser[] = [
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

/** A driver's device and its setup. */
export interface SnmpSetup {
  kind: ModelOutlets;
  /** Our agent. */
  start(options: SnmpOptions): Promise<SimulatedDevice>;
  /** For Debian's agent. */
  model(): SnmpModel;
  /** As in rack.yaml, without defaults. */
  options?: Record<string, unknown>;
}

interface Started {
  device: SimulatedDevice;
  driver: PowerDriver;
}

export async function startDriver(
  setup: SnmpSetup,
  login: SnmpCredentials | undefined = logins.v2c,
  options: SnmpOptions = {},
): Promise<Started> {
  const device = await setup.start({ users, ...options });
  onTestFinished(() => device.close());
  return { device, driver: driverAt(setup, device, login) };
}

/** For `it.for`: starts a driver in front of our agent, and in front of Debian's. */
export function bothAgents(setup: SnmpSetup, login: SnmpCredentials) {
  return [
    ['our agent', () => startDriver(setup, login)],
    ["Debian's snmpd", (context: TestContext) => startDriverOfSnmpd(context, setup, login)],
  ] as const;
}

/** In front of Debian's agent; skips the test where it is not installed. */
async function startDriverOfSnmpd(
  context: TestContext,
  setup: SnmpSetup,
  login: SnmpCredentials,
): Promise<Started> {
  const device = await startSnmpd(setup.model(), { users });
  if (!device) return context.skip('snmpd is not installed');
  onTestFinished(() => device.close());
  return { device, driver: driverAt(setup, device, login) };
}

/** The driver of a device at that address. */
export function driverAt(
  { kind, options = {} }: Pick<SnmpSetup, 'kind' | 'options'>,
  { host, port }: { host: string; port: number },
  login: SnmpCredentials | undefined,
): PowerDriver {
  const ports = { snmp: port };
  return openDriver(kind, {
    address: host,
    ports,
    options,
    login: { ...(login && { snmp: login }) },
  });
}

/** Behaviour of every driver, with our agent and with Debian's. */
export function switchesOutlets(setup: SnmpSetup, outlet: string): void {
  describe.for(['v1', 'v2c', 'sha', 'sha256', 'signs'] as const)('signed in by %s', (who) => {
    const login = logins[who];

    it.for(bothAgents(setup, login))(
      'turns one outlet of %s off and on, and reads it back',
      async ([, start], context) => {
        const { device, driver } = await start(context);
        const changes: unknown[] = [];
        device.board.on('change', (change) => changes.push(change));

        await driver.turnOff(outlet, patient());
        const off = await stateOf(driver, outlet);
        await driver.turnOn(outlet, {}, patient());
        const on = await stateOf(driver, outlet);

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

    expect(await stateOf(started.driver, outlet)).toBe('on');
  });
}

/** Reads the hosts of a switch, which requires neither a command line nor ssh. */
export async function readHosts(
  { host, port }: { host: string; port: number },
  options: Record<string, unknown>,
  snmp: SnmpCredentials | undefined = logins.v2c,
  signal: AbortSignal = patient(),
): Promise<ConnectedHosts> {
  const create = await loadConnectedHosts('snmp-poe');
  const device = rackDevice('snmp-poe', {
    name: 'switch-3',
    address: host,
    ports: { snmp: port },
    options,
  });
  const credentials = async () => ({ legacySsh: false, snmp });
  const seen = await create?.(device).read({ connection: undefined as never, credentials, signal });
  if (seen === undefined) throw new Error('snmp-poe is not read');
  return seen;
}
