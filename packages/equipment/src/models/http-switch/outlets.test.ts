import { longestTurn, processorTime, slowness } from '@skolo/base/testing';
import { DeviceRejected } from '@skolo/equipment/transports';
import { startEsphome } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { driverFor, patient, type Setup, startDriver, switchesOutlets } from '../testing/http.ts';
import { httpSwitch as facts } from './facts.ts';
import { outlets as httpSwitch } from './http-switch.ts';
import { relays } from './proof.ts';

const account = { username: 'admin', password: 'joker' };

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
});

describe('http-switch, answers in JSON', () => {
  const list = (elements: unknown) => ({ Outputs: elements });
  const json: Setup = {
    ...relays,
    options: {
      ...relays.options,
      read: {
        path: '/all',
        list: '/Outputs',
        where: { ID: '{outlet}' },
        value: '/State',
        watts: '/Load',
        on: '^1$',
        off: '^0$',
      },
    },
  };
  const one = { ID: 1, State: 1, Load: 7 };

  it('takes each outlet from its element', async () => {
    const driver = await driverFor(json, list([{ ID: 2, State: 0, Load: -1 }, one]));

    expect(Object.fromEntries(await driver.read(['1', '2', '3'], patient()))).toEqual({
      1: { state: 'on', watts: 7 },
      2: { state: 'off' },
      3: { state: 'unknown' },
    });
  });

  it.each<[string, unknown]>([
    ['no list', {}],
    ['two elements', list([one, one])],
    ['no element', list([{ ...one, ID: 11 }])],
    ['no state', list([{ ID: 1 }])],
    ['a state of another kind', list([{ ...one, State: [1] }])],
    ['another state', list([{ ...one, State: 2 }])],
    ['a list in place of the document', [one]],
    ['no JSON', '1'],
  ])('reads no state from %s', async (_what, answer) => {
    const driver = await driverFor(
      json,
      typeof answer === 'string' ? answer : { ...Object(answer) },
    );

    await expect(driver.read(['1'], patient())).rejects.toThrow(
      /both or neither|has no state of outlet 1/,
    );
  });

  it.each<[string, object, string]>([
    ['list without where', { list: '/a', value: '/b' }, 'needs both `list` and `where`'],
    ['watts without value', { watts: '/w' }, 'has no `value`'],
    ['a count without outlets', { value: '/{outlet-1}' }, 'set `outlets`'],
  ])('says what is wrong with %s', (_what, own, expected) => {
    const { on, off } = esphome.options ?? {};
    const read = { path: '/{outlet}', on: '1', off: '0', ...own };

    const found = facts.contradictions({ on, off, read });

    expect(found.map(({ key, what }) => `${key}: ${what}`)).toEqual([
      expect.stringContaining(expected),
    ]);
  });
});

describe('http-switch, expressions for all outlets of one response', () => {
  const reading = (on: string, count: number): Setup => ({
    ...relays,
    options: {
      ...relays.options,
      outlets: count,
      read: { path: '/all', on, off: '"{outlet}":0' },
    },
  });
  const slow = '(\\w+\\s?)*!!!';
  const names = (count: number) => Array.from({ length: count }, (_, at) => `${at + 1}`);
  const states = (count: number) => Object.fromEntries(names(count).map((name) => [name, 1]));

  it('read 96 outlets, whose searches take longer than one may take', async () => {
    const text = { note: '"a '.repeat(15_000), ...states(96) };
    const driver = await driverFor(reading('[{,]"{outlet}":1', 96), text);

    const readings = await driver.read(names(96), patient());

    expect(new Set([...readings.values()].map(({ state }) => state))).toEqual(new Set(['on']));
  });

  it.each([
    ['(\\w+\\s?)*"{outlet}":1', 48, /48 outlets takes too long: .*\\s\?\)\*"\d+":1\//],
    ['(x+x+)+"{outlet}":1', 400, /400 outlets takes too long: .*\/\(x\+x\+\)\+"\d+":1\//],
  ])('end %s for %d outlets with an error, in short turns', async (on, count, message) => {
    const driver = await driverFor(reading(on, count), 'x'.repeat(30_000));

    let failure: unknown;
    const { ms } = await longestTurn(async () => {
      failure = await driver.read(names(count), patient()).catch((error: unknown) => error);
    });

    expect(failure).toBeInstanceOf(DeviceRejected);
    expect(String(failure)).toMatch(message);
    expect(ms / (await slowness())).toBeLessThan(200);
  });

  it.each([
    ['on', { on: slow, off: 'x' }],
    ['off', { on: 'x', off: slow }],
  ])('give no state if the one for %s takes too long', async (_which, expressions) => {
    for (const path of ['/all', '/all/{outlet}']) {
      const read = { path, ...expressions };
      const setup = { ...relays, options: { ...relays.options, read } };
      const driver = await driverFor(setup, 'x'.repeat(60));

      const reading = driver.read(['1'], patient());

      await expect(reading).rejects.toThrow(DeviceRejected);
      await expect(reading).rejects.toThrow(`/${slow}/ takes too long`);
    }
  });

  it('end with an error for outlets that are read one by one', async () => {
    const read = { path: '/relay/{outlet}', on: '(x+x+)+!!!', off: 'x' };
    const options = { ...relays.options, outlets: 400, read };
    const driver = await driverFor({ ...relays, options }, 'x'.repeat(60));

    const reading = driver.read(names(400), patient());

    await expect(reading).rejects.toThrow(/400 outlets takes too long: .*\(x\+x\+\)\+!!!/);
  });

  it('parse a large document once', async () => {
    const places = { ...relays.options, outlets: 96 };
    const read = { path: '/all', value: '/{outlet}', on: '^1$', off: '^0$' };
    const setup = { ...relays, options: { ...places, read } };
    const driver = await driverFor(setup, { ...states(96), note: 'a'.repeat(900_000) });

    const { ms } = await processorTime(250, () => driver.read(names(96), patient()));

    expect(ms).toBeLessThan(250);
  });
});
