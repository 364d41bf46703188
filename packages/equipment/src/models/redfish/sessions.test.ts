/** Devices that accept sessions only, with few slots. */
import { DeviceBusy, DeviceUnreachable, SignInRejected } from '@skolo/equipment/transports';
import { type RedfishOptions, type RedfishSessions, startRedfish } from '@skolo/simulators';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { models } from '../index.ts';
import { placeOf } from '../testing/http.ts';
import {
  depsWith,
  everythingIn,
  type Login,
  openDriver,
  patient,
  rackDevice,
  verbs,
} from '../testing/outlets.ts';
import { outlets as redfish } from './redfish.ts';

const login = { username: 'root', password: 'calvin' };
const sessionsPath = '/redfish/v1/SessionService/Sessions';

async function start(sessions: Partial<RedfishSessions> = {}, options: RedfishOptions = {}) {
  const slots: RedfishSessions = { open: new Map(), mostOpen: 0, ...sessions };
  const device = await startRedfish({ tls: false, secondMs: 5, sessionsOnly: slots, ...options });
  onTestFinished(() => device.close());
  const deps = depsWith(login);
  /** As the service: drivers of one device share sessions, but not logins. */
  const driverFor = (own: Login = login) => {
    const place = rackDevice('redfish', { ...placeOf(device), options: { https: false } });
    const find = (outlet: string) =>
      models.get('redfish')?.power?.outlets.find(outlet, place.options);
    return redfish.create(place, { ...depsWith(own), sessions: deps.sessions }, find);
  };
  const created = () =>
    device.received.filter(({ text }) => text === `POST ${sessionsPath}`).length;
  return { device, slots, sessions: deps.sessions, driverFor, created };
}

describe('a device that accepts sessions only', () => {
  it.each([{}, { challenge: 'X-Auth-Token' }, { location: 'path' }, { location: 'none' }] as const)(
    'is read and switched in one session, which is deleted (%o)',
    async (how) => {
      const { device, slots, driverFor, created } = await start(how);
      const driver = driverFor();

      await driver.turnOff('1', patient());
      await vi.waitFor(() => expect(device.board.isOn('1')).toBe(false));
      expect((await driver.read(['1'], patient())).get('1')?.state).toBe('off');
      await driver.turnOn('1', {}, patient());
      await driver.report?.(['1'], patient());
      expect([created(), slots.open.size]).toEqual([1, 1]);
      await driver.close();

      expect([slots.open.size, slots.mostOpen]).toEqual([0, 1]);
    },
  );

  it('is not asked by Basic again, which may count towards a lockout', async () => {
    const { device, driverFor } = await start();
    const driver = driverFor();

    for (const _ of [1, 2, 3]) await driver.read(['1'], patient());
    await driver.close();

    const system = 'GET /redfish/v1/Systems/1';
    const texts = [system, `POST ${sessionsPath}`, system, system, system];
    expect(device.received.map(({ text }) => text).slice(0, 5)).toEqual(texts);
    expect(device.received[5]?.text).toMatch(/^DELETE /);
  });

  it('has one session at a time, whoever uses it at the same time', async () => {
    const { slots, driverFor, sessions, created } = await start();
    const [driver, other] = [driverFor(), driverFor({ ...login })];

    await Promise.all(
      [...Object.values(verbs(driver, '1')), ...Object.values(verbs(other, '1'))].map((verb) =>
        verb().catch(() => undefined),
      ),
    );
    await sessions.close();

    expect(created()).toBeGreaterThan(1);
    expect([slots.open.size, slots.mostOpen]).toEqual([0, 1]);
  });

  it('keeps no session after errors', async () => {
    const { device, slots, driverFor, sessions } = await start();
    const driver = driverFor();
    const isGone = () => vi.waitFor(() => expect(slots.open.size).toBe(0));
    await expect(driver.read(['2'], patient())).rejects.toThrow(/status 404/);

    device.faults.set('drops-after-command');
    await expect(driver.turnOff('1', patient())).rejects.toThrow(DeviceUnreachable);
    await isGone();
    device.faults.clear();
    device.faults.set('slow');
    device.faults.slowMs = 50;
    const stop = new AbortController();
    const read = driver.read(['1'], stop.signal);
    await vi.waitFor(() => expect(slots.open.size).toBe(1));
    stop.abort(new Error('stop'));
    await expect(read).rejects.toThrow('stop');
    await isGone();
    await sessions.close();

    expect(slots.mostOpen).toBe(1);
  });

  it('deletes a session whose creation nobody waits for anymore', async () => {
    const { device, slots, driverFor, sessions, created } = await start();
    const driver = driverFor();
    const stop = new AbortController();
    device.faults.set('slow');
    device.faults.slowMs = 100;
    const read = driver.read(['1'], stop.signal);
    await vi.waitFor(() => expect(created()).toBe(1));

    stop.abort(new Error('the daemon stops'));

    await expect(read).rejects.toThrow('the daemon stops');
    expect(slots.open.size).toBe(0);
    await sessions.close();
    expect([created(), slots.open.size, slots.mostOpen]).toEqual([1, 0, 1]);
  });

  it('gets a new one when its session has expired, and when it was restarted', async () => {
    const { device, slots, driverFor, created } = await start();
    const driver = driverFor();
    await driver.read(['1'], patient());

    slots.open.clear();
    await driver.turnOff('1', patient());
    await device.reboot();
    await driver.read(['1'], patient());
    await driver.close();

    expect([created(), slots.open.size, slots.mostOpen]).toEqual([3, 0, 1]);
  });

  it.each([
    undefined,
    [403, 'The maximum number of user sessions is reached.'],
    [503, 'The service cannot create a session.'],
  ] as const)('says that all sessions are in use (%o)', async (full) => {
    const { slots, driverFor } = await start(full && { full });
    slots.open.set('of somebody else', 'x');

    const read = driverFor().read(['1'], patient());

    await expect(read).rejects.toBeInstanceOf(DeviceBusy);
    await expect(read).rejects.toThrow(full?.[1] ?? 'The number of sessions exceeds the limit');
  });

  it('is not busy if it has locked the account', async () => {
    const { slots, driverFor } = await start({ full: [403, 'Too many attempts: locked.'] });
    slots.open.set('of somebody else', 'x');

    const read = driverFor().read(['1'], patient());

    await expect(read).rejects.toBeInstanceOf(SignInRejected);
    await expect(read).rejects.toThrow(/Too many attempts/);
  });

  it('says that the password is wrong, and reveals it nowhere', async () => {
    const { driverFor, created, device } = await start();
    const transcript: string[] = [];
    const wrong = { username: 'root', password: 'wrong "and" secret' };

    const error = await driverFor(wrong)
      .read(['1'], patient())
      .catch((why: unknown) => why);

    expect(error).toBeInstanceOf(SignInRejected);
    expect(everythingIn(error)).toMatch(/rejects the password in its login \(status 401\)/);
    expect(everythingIn(error)).not.toContain('secret');
    // Nothing is left of a rejected session.
    const driver = driverFor(wrong);
    for (const _ of [1, 2])
      await expect(driver.read(['1'], patient())).rejects.toBeInstanceOf(SignInRejected);
    expect((await driverFor().read(['1'], patient())).get('1')?.state).toBe('on');
    const place = rackDevice('redfish', { ...placeOf(device), options: { https: false } });
    const deps = {
      ...depsWith(wrong),
      onTranscript: (_: unknown, text: string) => transcript.push(text),
    };
    await redfish
      .create(place, deps, (id) => id)
      .read(['1'], patient())
      .catch(() => undefined);
    expect(transcript.join('')).toContain(`POST ${sessionsPath} {"UserName":"root"`);
    expect(transcript.join('')).not.toContain('wrong');
    expect(created()).toBe(5);
  });

  it('is not confused with one that has no sessions either', async () => {
    const device = await startRedfish({ tls: false });
    onTestFinished(() => device.close());
    const driver = openDriver(redfish, {
      ...placeOf(device),
      login: { ...login, password: 'x' },
      options: { https: false },
    });

    await expect(driver.read(['1'], patient())).rejects.toThrow(
      /rejects the password in its login/,
    );

    expect(device.received.some(({ text }) => text.startsWith('POST'))).toBe(false);
  });
});
