/** Shared by the tests of drivers, whatever their transport. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Credentials, Secret } from '@skolo/base/secrets';
import {
  DeviceRejected,
  DeviceTimeout,
  DeviceUnreachable,
  HostKeys,
  SessionPool,
  SignInRejected,
} from '@skolo/equipment/transports';
import type { DeviceFault, SimulatedDevice } from '@skolo/simulators';
import { expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import type { Device } from '../contract/device.ts';
import type { DriverDeps, ModelOutlets, PowerDriver } from '../contract/outlets.ts';
import { models } from '../index.ts';

/** With passwords and tokens as plain text. */
export interface Login extends Partial<Omit<Credentials, 'password' | 'token'>> {
  password?: string | Secret;
  token?: string | Secret;
}

/** A device as in rack.yaml; its options without defaults. */
export type Place = Partial<Omit<Device, 'login'>> & { login?: Login };

/** For what is not to be given up. */
export function patient(): AbortSignal {
  return new AbortController().signal;
}

export function openDriver(
  kind: Pick<ModelOutlets, 'model' | 'create'>,
  { login, ...place }: Place,
): PowerDriver {
  const driver = createDriver(kind, rackDevice(kind.model, place), depsWith(login));
  onTestFinished(() => driver.close());
  return driver;
}

/** The device as in rack.yaml. */
export function rackDevice(model: string, { options = {}, ...place }: Partial<Device>): Device {
  const facts = models.get(model);
  return {
    name: 'device-1',
    model,
    ports: {},
    transport: facts?.transports[0] ?? 'http',
    ...place,
    options: z.object(facts?.options ?? {}).parse(options),
  };
}

export function depsWith({ password, token, ...login }: Login = {}): DriverDeps {
  const dir = mkdtempSync(join(tmpdir(), 'skolo-drivers-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const sessions = new SessionPool();
  onTestFinished(() => sessions.close());
  const credentials: Credentials = {
    legacySsh: false,
    ...login,
    ...(password !== undefined && { password: secret(password) }),
    ...(token !== undefined && { token: secret(token) }),
  };
  return {
    credentials: async () => credentials,
    hostKeys: new HostKeys(join(dir, 'host-keys.json')),
    sessions,
  };
}

function secret(value: string | Secret): Secret {
  return typeof value === 'string' ? new Secret(value) : value;
}

/** As in `loadDrivers`. */
function createDriver(
  { model, create }: Pick<ModelOutlets, 'model' | 'create'>,
  device: Device,
  deps: DriverDeps,
): PowerDriver {
  return create(device, deps, (outlet) =>
    models.get(model)?.power?.outlets.find(outlet, device.options),
  );
}

/** Each operation once, by name. */
export function verbs(driver: PowerDriver, outlet: string, signal: AbortSignal = patient()) {
  const { nativeCycle } = driver;
  return {
    read: async () => void (await driver.read([outlet], signal)),
    turnOff: () => driver.turnOff(outlet, signal),
    turnOn: () => driver.turnOn(outlet, {}, signal),
    ...(nativeCycle && { nativeCycle: () => nativeCycle.run(outlet, 5, signal) }),
  };
}

/** Aborts all operations while they wait: each rejects with the reason. Returns the aborted signal. */
export async function allRejectWhenAborted(
  driver: PowerDriver,
  outlet: string,
  areWaiting: () => Promise<unknown> = async () => undefined,
): Promise<AbortSignal> {
  const stop = new AbortController();
  const reason = new Error('the daemon stops');
  const all = Object.values(verbs(driver, outlet, stop.signal)).map((verb) => verb());
  const ends = Promise.all(all.map((verb) => expect(verb).rejects.toBe(reason)));
  await areWaiting();
  stop.abort(reason);
  await ends;
  return stop.signal;
}

export async function stateOf(driver: PowerDriver, outlet: string): Promise<string | undefined> {
  return (await driver.read([outlet], patient())).get(outlet)?.state;
}

/** Everything that an error may reveal. */
export function everythingIn(error: unknown): string {
  const { stack, cause } = error instanceof Error ? error : new Error(String(error));
  return `${stack} ${JSON.stringify(error)} ${cause === undefined ? '' : everythingIn(cause)}`;
}

/** `wasTold` says whether the device has received anything. */
export function neverSends(
  names: readonly string[],
  start: () => Promise<{ driver: PowerDriver; wasTold: () => boolean }>,
): void {
  it('never sends a name that is not an outlet', async () => {
    const { driver, wasTold } = await start();

    for (const name of ['', ' ', '.', '..', ...names]) {
      for (const verb of Object.values(verbs(driver, name))) {
        await expect(verb(), JSON.stringify(name)).rejects.toThrow(DeviceRejected);
      }
      expect(wasTold(), JSON.stringify(name)).toBe(false);
    }
  });
}

/** A driver and its simulated device. */
interface Started {
  device: SimulatedDevice;
  driver: PowerDriver;
}

/** A protocol's faults. */
interface Failures {
  /** Faults and the resulting errors. */
  faults: readonly (readonly [DeviceFault, abstract new (...args: never[]) => Error])[];
  /** Faults of a device that does not respond in time. */
  silent: readonly DeviceFault[];
  patienceMs: number;
  /** A device with one of these faults has done nothing. */
  isHarmless?: true;
}

/** A timeout comes after so long, which takes no time here. */
export async function isLate(
  verb: () => Promise<unknown>,
  ms: number,
  hasBegun: () => boolean = () => true,
): Promise<void> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const rejected = expect(verb()).rejects.toThrow(DeviceTimeout);
  while (!hasBegun()) await new Promise((resolve) => setImmediate(resolve));
  await vi.advanceTimersByTimeAsync(ms);
  await rejected;
  vi.useRealTimers();
}

/** Tests of faults for every protocol with sessions. */
export function meetsUsualFaults(
  start: () => Promise<Started>,
  outlet: string,
  { faults, silent, patienceMs, isHarmless }: Failures,
): void {
  it.each(faults)('says what is wrong with a device that has the fault %s', async (fault, kind) => {
    const { device, driver } = await start();
    device.faults.set(fault);

    for (const verb of Object.values(verbs(driver, outlet))) {
      await expect(verb()).rejects.toThrow(kind);
    }
    if (isHarmless) expect(device.board.isOn(outlet)).toBe(true);
  });

  it.each(silent)(`waits ${patienceMs / 1000} s at most for a device that is %s`, async (fault) => {
    const { device, driver } = await start();
    device.faults.set(fault);
    device.faults.slowMs = 60_000;

    for (const verb of Object.values(verbs(driver, outlet))) await isLate(verb, patienceMs);
  });

  it('gives up when it is told to, and leaves no session behind', async () => {
    const { device, driver } = await start();
    device.faults.set('wedged');

    await allRejectWhenAborted(driver, outlet);

    await vi.waitFor(() => expect(device.sessions.now).toBe(0));
  });

  it('shows in the reading that a command was ignored', async () => {
    const { device, driver } = await start();
    device.faults.set('ignores-commands');

    // A driver that checks by itself may say so at once.
    await driver.turnOff(outlet, patient()).catch((error: unknown) => {
      expect(error).toBeInstanceOf(DeviceRejected);
    });

    expect(await stateOf(driver, outlet)).toBe('on');
  });

  it('carries out a command whose answer is lost', async () => {
    const { device, driver } = await start();
    device.faults.set('drops-after-command');

    await expect(driver.turnOff(outlet, patient())).rejects.toThrow(DeviceUnreachable);
    device.faults.clear();

    await vi.waitFor(async () => expect(await stateOf(driver, outlet)).toBe('off'));
  });
}

/** The test of a wrong password, which must never be revealed. */
export function rejectsPassword(
  wrong: string,
  start: () => Promise<Started>,
  outlet: string,
): void {
  it('says that the password is wrong, and not what it was', async () => {
    const { driver, device } = await start();

    for (const verb of Object.values(verbs(driver, outlet))) {
      const error = await verb().catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(SignInRejected);
      expect(everythingIn(error)).not.toContain(wrong);
    }
    expect(device.board.isOn(outlet)).toBe(true);
  });
}
