/** Shared by the tests of HTTP drivers: a driver for a simulated device, and common faults. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DeviceBusy,
  DeviceRejected,
  DeviceUnreachable,
  HostKeys,
  SessionPool,
  SignInRejected,
} from '@skolo/equipment';
import { type Credentials, Secret } from '@skolo/secrets';
import type { DeviceFault, SimulatedDevice } from '@skolo/simulators';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import type { Device } from '../contract/device.ts';
import type { DriverDeps, ModelOutlets, PowerDriver } from '../contract/outlets.ts';
import { models } from '../index.ts';
import { createDriver, meetsUsualFaults, neverSends, patient, rejectsPassword } from './outlets.ts';

export { patient };

export interface Login {
  username?: string;
  password?: string;
  token?: string;
}

/** A driver's device and its setup. */
export interface Setup {
  kind: ModelOutlets;
  start(): Promise<SimulatedDevice>;
  /** As in rack.yaml, without defaults. */
  options?: Record<string, unknown>;
  login?: Login;
}

interface Started {
  device: SimulatedDevice;
  driver: PowerDriver;
}

export async function startDriver(setup: Setup): Promise<Started> {
  const device = await setup.start();
  onTestFinished(() => device.close());
  const { kind } = setup;
  const deps = await depsWith(setup.login);
  const driver = createDriver(kind, rackDevice(kind.model, device, setup.options), deps);
  onTestFinished(() => driver.close());
  return { device, driver };
}

/** A driver for a server that always sends the same response. */
export async function driverFor(
  { kind, options, login }: Omit<Setup, 'start'>,
  answer: string | object,
): Promise<PowerDriver> {
  const body = typeof answer === 'string' ? answer : JSON.stringify(answer);
  const server = createServer((_request, response) => response.end(body));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const device = rackDevice(kind.model, { host: '127.0.0.1', port }, options);
  return createDriver(kind, device, await depsWith(login));
}

/** The device as in rack.yaml. */
export function rackDevice(
  model: string,
  { host, port }: Pick<SimulatedDevice, 'host' | 'port'>,
  options: Record<string, unknown> = {},
): Device {
  return {
    name: 'device-1',
    model,
    address: host,
    ports: { http: port },
    transport: 'http',
    options: z.object(models.get(model)?.options ?? {}).parse(options),
  };
}

export async function depsWith(login: Login = {}): Promise<DriverDeps> {
  const dir = await mkdtemp(join(tmpdir(), 'skolo-drivers-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const sessions = new SessionPool();
  onTestFinished(() => sessions.close());
  return {
    credentials: async () => credentials(login),
    hostKeys: new HostKeys(join(dir, 'host-keys.json')),
    sessions,
  };
}

function credentials({ username, password, token }: Login): Credentials {
  return {
    legacySsh: false,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password: new Secret(password) }),
    ...(token !== undefined && { token: new Secret(token) }),
  };
}

const faults: [DeviceFault, abstract new (...args: never[]) => Error][] = [
  ['down', DeviceUnreachable],
  ['drops-mid-way', DeviceUnreachable],
  ['rejects-login', SignInRejected],
  ['login-page', SignInRejected],
  ['garbled', DeviceRejected],
  ['busy', DeviceBusy],
  ['server-error', DeviceRejected],
];

const malformed = ['1 ', ' 1', '1;Power0 OFF', '1&turn=off', '1/../2', '1%20', '٣', '1\r\n'];

/** Tests of faults. `more` are names that the model's own outlets do not have. */
export function meetsFaults(setup: Setup, outlet: string, more: readonly string[]): void {
  const start = () => startDriver(setup);
  meetsUsualFaults(start, outlet, { faults, silent: ['wedged', 'slow'], patienceMs: 5000 });
  neverSends([...malformed, ...more], async () => {
    const { device, driver } = await start();
    return { driver, wasTold: () => device.sessions.opened > 0 };
  });

  it('sends no cycle for a time that the device does not know', async () => {
    const { device, driver } = await startDriver(setup);
    const range = driver.nativeCycle?.offSeconds;
    const beyond = typeof range === 'object' ? [0, 0.4, -5, Number.NaN, range.most + 1] : [];

    for (const seconds of beyond) {
      const cycle = driver.nativeCycle?.run(outlet, seconds, patient());
      await expect(cycle).rejects.toThrow(DeviceRejected);
    }

    expect(device.sessions.opened).toBe(0);
  });
}

/** The test of a wrong password, which must never be revealed. */
export function rejectsWrongPassword(setup: Setup, outlet: string): void {
  const wrong = 'wrong-and-secret';
  const login = { ...setup.login, password: wrong };
  rejectsPassword(wrong, () => startDriver({ ...setup, login }), outlet);
}
