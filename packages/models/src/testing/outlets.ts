/** What the tests of drivers share that speak over neither HTTP nor a command line. */

import { DeviceRefused, HostKeys, SessionPool } from '@skolo/equipment';
import { type Credentials, Secret, type SnmpCredentials } from '@skolo/secrets';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import type { Device } from '../contract/device.ts';
import type { DriverKind, PowerDriver } from '../contract/outlets.ts';
import { models, type Ports } from '../index.ts';

export interface Place {
  address?: string;
  ports?: Ports;
  /** As in rack.yaml, without what has a default. */
  options?: Record<string, unknown>;
  login?: { username?: string; password?: string; snmp?: SnmpCredentials };
}

/** For what is not to be given up. */
export function patient(): AbortSignal {
  return new AbortController().signal;
}

export function driverFor(kind: DriverKind, place: Place): PowerDriver {
  const { address, ports = {}, options = {}, login = {} } = place;
  const device: Device = {
    name: 'device-1',
    model: kind.model,
    ...(address !== undefined && { address }),
    ports,
    transport: models.get(kind.model)?.transports[0] ?? 'http',
    options: z.object(models.get(kind.model)?.options ?? {}).parse(options),
  };
  const { username, password, snmp } = login;
  const credentials: Credentials = {
    legacySsh: false,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password: new Secret(password) }),
    ...(snmp && { snmp }),
  };
  const sessions = new SessionPool();
  onTestFinished(() => sessions.close());
  const driver = kind.create(device, {
    credentials: async () => credentials,
    hostKeys: new HostKeys('/nowhere'),
    sessions,
  });
  onTestFinished(() => driver.close());
  return driver;
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

/** Aborts all verbs while they wait: each rejects with the reason. Gives the signal, which is aborted then. */
export async function allRejectWhenAborted(
  driver: PowerDriver,
  outlet: string,
): Promise<AbortSignal> {
  const stop = new AbortController();
  const reason = new Error('the daemon stops');
  const all = Object.values(verbs(driver, outlet, stop.signal)).map((verb) => verb());
  const ends = Promise.all(all.map((verb) => expect(verb).rejects.toBe(reason)));
  stop.abort(reason);
  await ends;
  return stop.signal;
}

export async function stateOf(driver: PowerDriver, outlet: string): Promise<string | undefined> {
  return (await driver.read([outlet], patient())).get(outlet)?.state;
}

/** All that an error may show somewhere. */
export function everythingIn(error: unknown): string {
  const { stack, cause } = error instanceof Error ? error : new Error(String(error));
  return `${stack} ${JSON.stringify(error)} ${cause === undefined ? '' : everythingIn(cause)}`;
}

/** `wasTold` says whether anything has reached the device. */
export function neverSends(
  names: readonly string[],
  start: () => Promise<{ driver: PowerDriver; wasTold: () => boolean }>,
): void {
  it.for(['', ' ', '.', '..', ...names])('never sends an outlet %j', async (name) => {
    const { driver, wasTold } = await start();

    for (const verb of Object.values(verbs(driver, name))) {
      await expect(verb()).rejects.toThrow(DeviceRefused);
    }
    expect(wasTold()).toBe(false);
  });
}
