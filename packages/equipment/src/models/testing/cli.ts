/** Shared by the tests of drivers with a command line: a driver for a simulated device, and common faults. */
import { generateKeyPairSync } from 'node:crypto';
import {
  DeviceError,
  DeviceTimeout,
  DeviceUnreachable,
  SignInRejected,
} from '@skolo/equipment/transports';
import type { CliDevice, CliOptions, DeviceFault } from '@skolo/simulators';
import { expect, it, onTestFinished, vi } from 'vitest';
import type { ModelOutlets, OutletReading, PowerDriver } from '../contract/outlets.ts';
import {
  isLate,
  type Login,
  meetsUsualFaults,
  neverSends,
  openDriver,
  patient,
  rejectsPassword,
} from './outlets.ts';
import { setFault } from './simulated-device.ts';

export { patient };

const username = 'skolo';
const password = 'open-sesame';

/** A driver's device and its setup. */
export interface CliSetup {
  kind: Pick<ModelOutlets, 'model' | 'create'>;
  start(options: CliOptions): Promise<CliDevice>;
  /** As in rack.yaml, without defaults. */
  options?: Record<string, unknown>;
  transport?: 'ssh' | 'telnet';
  login?: Login;
  /** Number of sign-ins for one session; default 1. Never two at the same time. */
  signIns?: number;
  /** Whether a busy device lets others in and only rejects changes, which then has a separate test. */
  isBusyInside?: boolean;
}

interface StartedCli {
  device: CliDevice;
  driver: PowerDriver;
}

const hostKey = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'sec1', format: 'pem' },
}).privateKey;

export async function startCli(setup: CliSetup): Promise<StartedCli> {
  const { kind, start, options = {}, transport = 'ssh', login } = setup;
  const device = await start({
    username,
    password,
    hostKey,
    secondMs: 20,
    ...(transport === 'telnet' && { telnetPort: 0 }),
  });
  onTestFinished(() => device.close());
  const { host, port, telnetPort } = device;
  const driver = openDriver(kind, {
    name: 'switch-1',
    address: host,
    ports: { ssh: port, ...(telnetPort !== undefined && { telnet: telnetPort }) },
    transport,
    options,
    login: { username, password, ...login },
  });
  return { device, driver };
}

export async function readOne(driver: PowerDriver, outlet: string): Promise<OutletReading> {
  const reading = (await driver.read([outlet], patient())).get(outlet);
  if (reading === undefined) throw new Error(`no reading of ${outlet}`);
  return reading;
}

const faults: readonly [DeviceFault, abstract new (...args: never[]) => Error][] = [
  ['down', DeviceUnreachable],
  ['rejects-login', SignInRejected],
  ['password-expired', SignInRejected],
  ['new-password-inside', SignInRejected],
  ['busy', DeviceError],
];

const malformed = ['', ' ', '.', 'all', '1 ', ' 1', '1;reboot', '1\r', '1\nreload', '1-3', '٣'];

/** Tests of faults. `more` are names that the model's own outlets do not have. */
export function meetsCliFaults(setup: CliSetup, outlet: string, more: readonly string[]): void {
  const own = faults.filter(([fault]) => fault !== 'busy' || !setup.isBusyInside);
  const start = () => startCli(setup);
  meetsUsualFaults(start, outlet, {
    faults: own,
    silent: ['wedged'],
    // An SSH handshake, or a login question.
    patienceMs: setup.transport === 'telnet' ? 60_000 : 20_000,
    isHarmless: true,
  });
  neverSends([...malformed, ...more], async () => {
    const { device, driver } = await start();
    return { driver, wasTold: () => device.sessions.opened > 0 };
  });
  const wrong = 'wrong-and-secret';
  const login = { password: wrong };
  rejectsPassword(wrong, () => startCli({ ...setup, login }), outlet);
  readsWholeAnswers(setup, outlet);
  sharesOneSession(setup, outlet);
}

/** The driver waits for a device, and accepts neither partial answers nor garbage as a reading. */
function readsWholeAnswers(setup: CliSetup, outlet: string): void {
  it('waits 20 s at most for a device that wedges once it has signed us in', async () => {
    const { device, driver } = await startCli(setup);
    await driver.read([outlet], patient());
    device.faults.set('wedged');

    await isLate(() => driver.turnOff(outlet, patient()), 20_000);
    device.faults.clear();

    expect(await readOne(driver, outlet)).toMatchObject({ state: 'on' });
  });

  it('takes the time that a slow device takes', async () => {
    const { device, driver } = await startCli(setup);
    device.faults.set('slow');
    device.faults.slowMs = 100;

    await driver.turnOff(outlet, patient());

    expect(await readOne(driver, outlet)).toMatchObject({ state: 'off' });
  });

  it('never takes half an answer for a reading', async () => {
    const { device, driver } = await startCli(setup);
    device.faults.set('drops-mid-way');

    const outcome = await driver.read(device.board.names(), patient()).then(
      (readings) => [...readings.values()].filter(({ state }) => state === 'on').length,
      (error: unknown) => error,
    );

    // A device that answers line by line drops none of them.
    if (outcome !== device.board.names().length) expect(outcome).toBeInstanceOf(DeviceUnreachable);
  });

  it('never takes garbage for a reading', async () => {
    const { device, driver } = await startCli(setup);
    device.faults.set('garbled');
    const told = new AbortController();
    setTimeout(() => told.abort(new DeviceTimeout('switch-1', 'enough')), 3000);

    await expect(driver.read([outlet], told.signal)).rejects.toThrow(DeviceError);
  });
}

function sharesOneSession(setup: CliSetup, outlet: string): void {
  it('reads all outlets in one session, whatever the pager does', async () => {
    const { device, driver } = await startCli(setup);
    setFault(device, 'pager-stays');
    device.faults.set('prompt-in-banner');
    device.faults.slowMs = 100;

    const readings = await driver.read(device.board.names(), patient());

    expect([...readings.keys()]).toEqual(device.board.names());
    expect([...readings.values()].every(({ state }) => state === 'on')).toBe(true);
    expect(device.sessions).toMatchObject({ opened: setup.signIns ?? 1, most: 1 });
  });

  it('is one session for all that is asked at once', async () => {
    const { device, driver } = await startCli(setup);

    await Promise.all([
      driver.read([outlet], patient()),
      driver.turnOff(outlet, patient()),
      driver.turnOn(outlet, { mode: device.board.get(outlet).mode }, patient()),
      driver.read([outlet], patient()),
    ]);
    await driver.close();

    expect(device.sessions).toMatchObject({ opened: setup.signIns ?? 1, most: 1 });
    await vi.waitFor(() => expect(device.sessions.now).toBe(0));
  });

  it('changes no other outlet', async () => {
    const { device, driver } = await startCli(setup);
    const changed: string[] = [];
    device.board.on('change', ({ outlet: name, on }) => changed.push(`${name} ${on}`));

    await driver.turnOff(outlet, patient());
    await driver.turnOn(outlet, { mode: device.board.get(outlet).mode }, patient());

    expect(changed).toEqual([`${outlet} false`, `${outlet} true`]);
  });
}
