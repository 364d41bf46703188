import { DeviceUnreachable, SignInRejected } from '@skolo/equipment/transports';
import { describe, expect, it, vi } from 'vitest';
import { brokers, isPlugLate, saidOn, startPlug, visitor } from '../testing/mqtt.ts';
import { everythingIn, patient, stateOf, verbs } from '../testing/outlets.ts';

/** Topics of a plug with one relay. */
const single = { command: 'cmnd/{device}/POWER', state: 'stat/{device}/POWER' };
const available = 'tele/{device}/LWT';

describe.for(brokers)('mqtt-switch, over %s', ([, startOne]) => {
  it('turns single relays off and on, and reads them back', async (context) => {
    const { plug, driver } = await startPlug({}, startOne, context);
    const changes: unknown[] = [];
    plug.board.on('change', (change) => changes.push(change));

    await driver.turnOff('3', patient());
    const readings = await driver.read(['1', '3'], patient());
    await driver.turnOn('3', {}, patient());

    expect([...readings]).toEqual([
      ['1', { state: 'on' }],
      ['3', { state: 'off' }],
    ]);
    expect(changes).toEqual([
      { outlet: '3', on: false },
      { outlet: '3', on: true },
    ]);
    expect(plug.received.map(({ text }) => text)).toEqual([
      'cmnd/plug/POWER3 OFF',
      'cmnd/plug/POWER1',
      'cmnd/plug/POWER3',
      'cmnd/plug/POWER3 ON',
    ]);
  });

  it('switches a plug with one relay, which leaves its number out', async (context) => {
    const setup = { plug: { relays: 1 }, options: { ...single, outlets: 1 } };
    const { driver } = await startPlug(setup, startOne, context);

    await driver.turnOff('1', patient());

    expect(await stateOf(driver, '1')).toBe('off');
  });

  it('does not take for an answer what the broker has retained', async (context) => {
    const setup = { plug: { powerRetain: true } };
    const { plug, driver, broker } = await startPlug(setup, startOne, context);
    plug.faults.set('wedged');
    const client = await visitor(broker);
    await client.publishAsync('stat/plug/POWER3', 'OFF', { retain: true, qos: 1 });

    await isPlugLate(plug, () => driver.turnOff('3', patient()));
    await isPlugLate(plug, () => driver.read(['3'], patient()));
  });

  it('takes the answer of a plug that retains its states', async (context) => {
    const { driver } = await startPlug({ plug: { powerRetain: true } }, startOne, context);

    await driver.turnOff('3', patient());

    expect(await stateOf(driver, '3')).toBe('off');
  });

  it('leaves no command behind at the broker', async (context) => {
    const { broker, plug, driver } = await startPlug({}, startOne, context);
    await driver.turnOff('3', patient());
    plug.board.set('3', true);
    const before = plug.received.length;

    await plug.reboot();
    const client = await visitor(broker);
    await client.publishAsync('cmnd/plug/STATUS', 'last', { qos: 1 });

    await vi.waitFor(() => expect(plug.received.at(-1)?.text).toBe('cmnd/plug/STATUS last'));
    expect(plug.received).toHaveLength(before + 1);
    expect(plug.board.isOn('3')).toBe(true);
  });

  it('knows that a plug is gone from its topic', async (context) => {
    const { plug, driver, broker } = await startPlug({ options: { available } }, startOne, context);
    const client = await visitor(broker);
    const said = saidOn(client, 'tele/plug/LWT');
    plug.faults.set('down');
    await vi.waitFor(async () => expect(await said).toContain('Offline'));

    for (const verb of Object.values(verbs(driver, '3'))) {
      const error = await verb().catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(DeviceUnreachable);
      expect(String(error)).toContain('tele/plug/LWT reports "Offline"');
    }
    plug.faults.clear();
    await vi.waitFor(async () => expect((await said).at(-1)).toBe('Online'));
    expect(await stateOf(driver, '3')).toBe('on');
  });

  it('believes the live answer of a plug, although the broker has kept that it is gone', async (context) => {
    const { driver, broker } = await startPlug({ options: { available } }, startOne, context);
    const client = await visitor(broker);
    await client.publishAsync('tele/plug/LWT', 'Offline', { retain: true, qos: 1 });

    await driver.turnOff('3', patient());

    expect(await stateOf(driver, '3')).toBe('off');
  });

  const account = { username: 'lab', password: 'tr0ub4dor' };

  it('signs in', async (context) => {
    const setup = { plug: { account }, broker: { account }, login: account };
    const { driver } = await startPlug(setup, startOne, context);

    expect(await stateOf(driver, '3')).toBe('on');
  });

  it.for([
    ['a wrong password', { ...account, password: 'hunter2' }],
    ['no password', {}],
  ] as const)('is not let in with %s, and does not tell it', async ([, login], context) => {
    const setup = { plug: { account }, broker: { account }, login };
    const { driver, plug } = await startPlug(setup, startOne, context);

    for (const verb of Object.values(verbs(driver, '3'))) {
      const error = await verb().catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(SignInRejected);
      expect(everythingIn(error)).not.toMatch(/hunter2|tr0ub4dor/);
    }
    expect(plug.received).toEqual([]);
  });
});
