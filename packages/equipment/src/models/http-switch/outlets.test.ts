import { startEsphome, startHttpRelay } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import {
  meetsFaults,
  patient,
  rejectsWrongPassword,
  type Setup,
  startDriver,
  switchesOutlets,
} from '../testing/http.ts';
import { outlets as httpSwitch } from './http-switch.ts';

const account = { username: 'admin', password: 'joker' };

/** As in the driver's header. */
const relays: Setup = {
  kind: httpSwitch,
  start: () => startHttpRelay(),
  options: {
    outlets: 4,
    on: { method: 'PUT', path: '/relay/{outlet}/value', body: '1', expect: '^$' },
    off: { method: 'PUT', path: '/relay/{outlet}/value', body: '0', expect: '^$' },
    read: { path: '/relay/{outlet}/value', on: '^1$', off: '^0$' },
  },
};

const esphome: Setup = {
  kind: httpSwitch,
  start: () => startEsphome({ account }),
  options: {
    on: { method: 'POST', path: '/switch/{outlet}/turn_on', expect: '^$' },
    off: { method: 'POST', path: '/switch/{outlet}/turn_off', expect: '^$' },
    read: { path: '/switch/{outlet}', on: '"state":"ON"', off: '"state":"OFF"' },
  },
  login: account,
};

describe('http-switch', () => {
  switchesOutlets(relays, '3', { 1: { state: 'on' }, 3: { state: 'off' } }, [
    'PUT /relay/3/value 0',
    'GET /relay/1/value',
    'GET /relay/3/value',
    'PUT /relay/3/value 1',
  ]);

  it.each(['digest', 'basic'] as const)('signs in by %s when it is asked to', async (signIn) => {
    const start = () => startEsphome({ account, signIn });
    const { device, driver } = await startDriver({ ...esphome, start });

    await driver.turnOff('relay_1', patient());

    expect(device.board.isOn('relay_1')).toBe(false);
    expect((await driver.read(['relay_1'], patient())).get('relay_1')?.state).toBe('off');
  });

  it.each([
    [{ on: '.', off: '.' }, /both/],
    [{ on: 'yes', off: 'no' }, /neither/],
  ])('does not guess when an answer fits %o', async (expressions, message) => {
    const read = { path: '/relay/{outlet}/value', ...expressions };
    const { driver } = await startDriver({ ...relays, options: { ...relays.options, read } });

    await expect(driver.read(['1'], patient())).rejects.toThrow(message);
  });

  it('has no cycle of its own', async () => {
    const { driver } = await startDriver(relays);

    expect(driver.nativeCycle).toBeUndefined();
  });

  meetsFaults(relays, '2', ['0', '5', '02', '{outlet}', '-1']);
});

describe('http-switch, outlets with names', () => {
  meetsFaults(esphome, 'relay_2', ['relay_2/turn_off', 'relay 2', 'a'.repeat(61)]);
  rejectsWrongPassword(esphome, 'relay_2');
});
