/** Shared by the tests of HTTP drivers: a driver for a simulated device, and common faults. */

import { createServer } from 'node:http';
import { listen } from '@skolo/base/testing';
import {
  DeviceBusy,
  DeviceRejected,
  DeviceUnreachable,
  SignInRejected,
} from '@skolo/equipment/transports';
import type { DeviceFault, SimulatedDevice } from '@skolo/simulators';
import { expect, it, onTestFinished, vi } from 'vitest';
import type { ModelOutlets, OutletReading, PowerDriver } from '../contract/outlets.ts';
import {
  type Login,
  meetsUsualFaults,
  neverSends,
  openDriver,
  type Place,
  patient,
  rejectsPassword,
} from './outlets.ts';

export { patient };

/** A driver's device and its setup. */
export interface Setup {
  kind: ModelOutlets;
  start(): Promise<SimulatedDevice>;
  /** As in rack.yaml, without defaults. */
  options?: Record<string, unknown>;
  login?: Login;
  /** How long its driver waits for an answer; default: 5 s. */
  patienceMs?: number;
}

interface Started {
  device: SimulatedDevice;
  driver: PowerDriver;
}

export async function startDriver({ kind, start, ...about }: Setup): Promise<Started> {
  const device = await start();
  onTestFinished(() => device.close());
  return { device, driver: openDriver(kind, { ...about, ...placeOf(device) }) };
}

/** A driver for a server that always sends the same response. */
export async function driverFor(
  { kind, start: _, ...about }: Setup,
  answer: string | object,
): Promise<PowerDriver> {
  const body = typeof answer === 'string' ? answer : JSON.stringify(answer);
  const server = createServer((_request, response) => response.end(body));
  const at = { host: '127.0.0.1', port: await listen(server) };
  return openDriver(kind, { ...about, ...placeOf(at) });
}

/** Where it is, as in rack.yaml. */
export function placeOf({ host, port }: Pick<SimulatedDevice, 'host' | 'port'>) {
  return { address: host, ports: { http: port }, transport: 'http' } satisfies Place;
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
  const { patienceMs = 5000 } = setup;
  meetsUsualFaults(start, outlet, { faults, silent: ['wedged', 'slow'], patienceMs });
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

/** @param between readings while the outlet is off; `received`: what the device was sent until it was on again */
export function switchesOutlets(
  setup: Setup,
  outlet: string,
  between: Record<string, OutletReading>,
  received?: readonly string[],
): void {
  it('turns single outlets off and on, and reads them back', async () => {
    const { device, driver } = await startDriver(setup);

    await driver.turnOff(outlet, patient());
    const readings = await driver.read(Object.keys(between), patient());
    await driver.turnOn(outlet, {}, patient());

    expect(Object.fromEntries(readings)).toEqual(between);
    expect(device.board.isOn(outlet)).toBe(true);
    if (received) expect(device.received.map(({ text }) => text)).toEqual(received);
  });
}

/** @param sent the last request */
export function cyclesByItself(setup: Setup, outlet: string, sent: string): void {
  it('lets the device do off, wait and on', async () => {
    const { device, driver } = await startDriver(setup);

    await driver.nativeCycle?.run(outlet, 10, patient());

    expect(device.received.at(-1)?.text).toContain(sent);
    await vi.waitFor(() => expect(device.board.isOn(outlet)).toBe(true));
  });
}

export function isNoSuccess(
  setup: Setup,
  outlet: string,
  answers: readonly (string | object)[],
): void {
  it.for(answers)('does not take %j for success', async (answer) => {
    const driver = await driverFor(setup, answer);

    await expect(driver.turnOff(outlet, patient())).rejects.toThrow(DeviceRejected);
  });
}

/** The test of a wrong password, which must never be revealed. */
export function rejectsWrongPassword(setup: Setup, outlet: string): void {
  const wrong = 'wrong-and-secret';
  const login = { ...setup.login, password: wrong };
  rejectsPassword(wrong, () => startDriver({ ...setup, login }), outlet);
}
