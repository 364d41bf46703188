import { createServer, type Socket } from 'node:net';
import { listen, longestTurn, slowness } from '@skolo/base/testing';
import { DeviceRejected, DeviceUnreachable } from '@skolo/equipment/transports';
import { startBroker } from '@skolo/simulators';
import { describe, expect, it, vi } from 'vitest';
import { driverOf, isPlugLate, startPlug, visitor } from '../testing/mqtt.ts';
import { allRejectWhenAborted, neverSends, patient, stateOf, verbs } from '../testing/outlets.ts';

/** A plug that does not respond, and a client that receives its commands instead. */
async function startWedged(read?: { on: string; off: string }) {
  const { driver, plug, broker } = await startPlug(read && { options: { read } });
  plug.faults.set('wedged');
  const client = await visitor(broker);
  await client.subscribeAsync('cmnd/plug/POWER3');
  return { driver, client };
}

describe('mqtt-switch', () => {
  it.for(['down', 'wedged', 'slow', 'drops-after-command'] as const)(
    'waits 5 s for a plug that is, or has, %s',
    async (fault) => {
      const { plug, driver, broker } = await startPlug();
      plug.faults.slowMs = 60_000;
      plug.faults.set(fault);
      // Another client receives the commands even if the plug does not.
      const client = await visitor(broker);
      await client.subscribeAsync('cmnd/#');
      const received: { at: number; text: string }[] = [];
      client.on('message', (topic) => received.push({ at: 0, text: topic }));

      await isPlugLate({ ...plug, received }, () => driver.turnOff('3', patient()));

      expect(plug.board.isOn('3')).toBe(fault !== 'drops-after-command');
    },
  );

  it('does not take for success what makes no sense, or is the other state', async () => {
    const [garbled, other] = [await startPlug(), await startWedged()];
    garbled.plug.faults.set('garbled');
    const { client } = other;
    client.on('message', () => client.publish('stat/plug/POWER3', 'ON'));

    // Until the 5 s are over, because a better error might still arrive.
    const told = [
      garbled.driver.turnOff('3', patient()),
      garbled.driver.read(['3'], patient()),
      other.driver.turnOff('3', patient()),
    ];

    const kinds = told.map((verb) => expect(verb).rejects.toThrow(DeviceRejected));
    await Promise.all(kinds);
  });

  it('reads the others if one relay does not answer, or answers with no state', async () => {
    const { driver, broker } = await startPlug();
    const client = await visitor(broker);
    await client.subscribeAsync('cmnd/plug/POWER8');
    client.on('message', () => client.publish('stat/plug/POWER8', 'unknown'));

    const readings = Promise.all([
      driver.read(['1', '9', '2'], patient()),
      driver.read(['8', '3'], patient()),
    ]);

    const states = (await readings).map((each) => [...each.values()].map(({ state }) => state));
    expect(states).toEqual([
      ['on', 'unknown', 'on'],
      ['unknown', 'on'],
    ]);
  });

  it('shows in the reading that a command was ignored', async () => {
    const { plug, driver } = await startPlug();
    plug.faults.set('ignores-commands');

    await driver.turnOff('3', patient());

    expect(await stateOf(driver, '3')).toBe('on');
  });

  it.for([
    ['cmnd/plug/POWER{outlet}', 'cmnd/{device}/POWER{outlet}'],
    ['x/{outlet}', 'x/{outlet}'],
  ] as const)('refuses to believe its own commands (%s)', async ([command, state]) => {
    const { plug, driver } = await startPlug({ options: { command, state } });

    for (const verb of Object.values(verbs(driver, '3'))) {
      await expect(verb()).rejects.toThrow(DeviceRejected);
    }
    expect(plug.received).toEqual([]);
  });

  it('names an expression that takes too long for all that a plug sends', async () => {
    const read = { on: '^(\\w+\\s?)*!!$', off: '^OFF$' };
    const { driver, client } = await startWedged(read);
    client.on('message', () => {
      for (let n = 0; n < 300; n += 1) client.publish('stat/plug/POWER3', `${'a'.repeat(40)}${n}`);
    });

    let failure: unknown;
    const { ms } = await longestTurn(async () => {
      failure = await driver.turnOff('3', patient()).catch((error: unknown) => error);
    });

    expect(failure).toBeInstanceOf(DeviceRejected);
    expect(String(failure)).toContain('the regular expression /^(\\w+\\s?)*!!$/ takes too long');
    // Of the broker, too, which is in this process.
    expect(ms / (await slowness())).toBeLessThan(200);
  });

  it('takes no state from a message for which the other expression takes too long', async () => {
    const read = { on: '^(\\w+\\s?)*!!$', off: '^a' };
    const { driver, client } = await startWedged(read);
    client.on('message', () => client.publish('stat/plug/POWER3', 'a'.repeat(60)));

    await expect(driver.turnOff('3', patient())).rejects.toThrow(
      '/^(\\w+\\s?)*!!$/ takes too long',
    );
  });

  it('keeps relays apart whose states come on one topic', async () => {
    const options = {
      state: 'stat/{device}/RESULT',
      read: { on: '^\\{"POWER\\d":"ON"\\}$', off: '^\\{"POWER\\d":"OFF"\\}$' },
    };
    const { plug, driver } = await startPlug({ options });
    plug.board.set('2', false);

    const readings = await driver.read(['1', '2', '3'], patient());

    expect([...readings].map(([, { state }]) => state)).toEqual(['on', 'off', 'on']);
  });

  it('gives up when it is told to, and leaves the broker', async () => {
    const { plug, driver } = await startPlug();
    plug.faults.set('wedged');

    const aborted = await allRejectWhenAborted(driver, '3', () =>
      vi.waitFor(() => expect(plug.received).toHaveLength(3)),
    );

    for (const verb of Object.values(verbs(driver, '3', aborted))) {
      await expect(verb()).rejects.toBe(aborted.reason);
    }
  });

  it.for([
    ['hangs up', (socket: Socket) => socket.destroy(), DeviceUnreachable],
    [
      'speaks HTTP',
      (socket: Socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
      DeviceRejected,
    ],
  ] as const)('does not take for a broker what %s', async ([, behave, kind]) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined).once('data', () => behave(socket));
    });
    const driver = driverOf({ host: '127.0.0.1', port: await listen(server) }, {});

    for (const verb of Object.values(verbs(driver, '3'))) {
      await expect(verb()).rejects.toThrow(kind);
    }
  });

  it('knows at once when there is no broker', async () => {
    const broker = await startBroker();
    await broker.close();
    const driver = driverOf(broker, {});

    for (const verb of Object.values(verbs(driver, '3'))) {
      await expect(verb()).rejects.toThrow(DeviceUnreachable);
    }
  });

  it('has no cycle of its own', async () => {
    const { driver } = await startPlug();

    expect(driver.nativeCycle).toBeUndefined();
  });

  neverSends(['#', '+', '3/#', 'a b', 'x\0', '*', '٣', 'x'.repeat(61)], async () => {
    const { plug, driver } = await startPlug();
    return { driver, wasTold: () => plug.received.length > 0 };
  });
});
