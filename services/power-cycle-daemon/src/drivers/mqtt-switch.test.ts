import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { DeviceRefused, DeviceTimeout, DeviceUnreachable, SignInRefused } from '@skolo/equipment';
import {
  type Broker,
  type BrokerOptions,
  type MqttPlugOptions,
  type SimulatedDevice,
  startBroker,
  startMosquitto,
  startMqttPlug,
} from '@skolo/simulators';
import { connectAsync } from 'mqtt';
import { describe, expect, it, onTestFinished, type TestContext, vi } from 'vitest';
import type { PowerDriver } from './driver.ts';
import { mqttSwitch } from './mqtt-switch.ts';
import {
  driverFor,
  everythingIn,
  neverSends,
  type Place,
  patient,
  stateOf,
  verbs,
} from './testing/outlets.ts';

const brokers = [
  ['aedes', startBroker],
  ['mosquitto', startMosquitto],
] as const;
type StartBroker = (typeof brokers)[number][1];
/** Of a plug with one relay. */
const single = { command: 'cmnd/{device}/POWER', state: 'stat/{device}/POWER' };
const available = 'tele/{device}/LWT';

interface Started {
  broker: Broker;
  plug: SimulatedDevice;
  driver: PowerDriver;
}

interface Setup {
  plug?: Omit<MqttPlugOptions, 'broker'>;
  broker?: BrokerOptions;
  options?: Record<string, unknown>;
  login?: Place['login'];
}

async function openBroker(
  context: TestContext | undefined,
  start: StartBroker,
  options?: BrokerOptions,
): Promise<Broker> {
  const broker = await start(options);
  if (broker === undefined && context) return context.skip('mosquitto is not installed');
  if (broker === undefined) throw new Error('no broker');
  onTestFinished(() => broker.close());
  return broker;
}

async function start(
  { plug: plugOptions, broker: brokerOptions, options, login }: Setup = {},
  startOne: StartBroker = startBroker,
  context?: TestContext,
): Promise<Started> {
  const broker = await openBroker(context, startOne, brokerOptions);
  const plug = await startMqttPlug({ broker, relays: 4, ...plugOptions });
  onTestFinished(() => plug.close());
  return {
    broker,
    plug,
    driver: driverOf(broker, { options: { ...options }, ...(login && { login }) }),
  };
}

function driverOf(
  { host, port }: Pick<Broker, 'host' | 'port'>,
  { options, ...rest }: Place,
): PowerDriver {
  return driverFor(mqttSwitch, {
    address: host,
    ports: { mqtt: port },
    options: { topic: 'plug', ...options },
    ...rest,
  });
}

/** Is given up 5 s after the plug was told, in no time. */
async function isLate(plug: SimulatedDevice, verb: () => Promise<unknown>): Promise<void> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const before = plug.told.length;
  const refused = expect(verb()).rejects.toThrow(DeviceTimeout);
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  while (plug.told.length === before) await turn();
  await vi.advanceTimersByTimeAsync(5_000);
  await refused;
  vi.useRealTimers();
}

describe.for(brokers)('mqtt-switch, over %s', ([, startOne]) => {
  it('turns single relays off and on, and reads them back', async (context) => {
    const { plug, driver } = await start({}, startOne, context);
    const changes: unknown[] = [];
    plug.board.on('change', (change) => changes.push(change));

    await driver.turnOff('3', patient());
    const readings = await driver.read(['1', '3'], patient());
    await driver.turnOn('3', undefined, patient());

    expect([...readings]).toEqual([
      ['1', { state: 'on' }],
      ['3', { state: 'off' }],
    ]);
    expect(changes).toEqual([
      { outlet: '3', on: false },
      { outlet: '3', on: true },
    ]);
    expect(plug.told.map(({ text }) => text)).toEqual([
      'cmnd/plug/POWER3 OFF',
      'cmnd/plug/POWER1',
      'cmnd/plug/POWER3',
      'cmnd/plug/POWER3 ON',
    ]);
  });

  it('switches a plug with one relay, which leaves its number out', async (context) => {
    const setup = { plug: { relays: 1 }, options: { ...single, outlets: 1 } };
    const { driver } = await start(setup, startOne, context);

    await driver.turnOff('1', patient());

    expect(await stateOf(driver, '1')).toBe('off');
  });

  it('does not take for an answer what the broker has retained', async (context) => {
    const setup = { plug: { powerRetain: true } };
    const { plug, driver, broker } = await start(setup, startOne, context);
    plug.faults.set('wedged');
    const client = await visitor(broker);
    await client.publishAsync('stat/plug/POWER3', 'OFF', { retain: true, qos: 1 });

    await isLate(plug, () => driver.turnOff('3', patient()));
    await isLate(plug, () => driver.read(['3'], patient()));
  });

  it('takes the answer of a plug that retains its states', async (context) => {
    const { driver } = await start({ plug: { powerRetain: true } }, startOne, context);

    await driver.turnOff('3', patient());

    expect(await stateOf(driver, '3')).toBe('off');
  });

  it('leaves no command behind at the broker', async (context) => {
    const { broker, plug, driver } = await start({}, startOne, context);
    await driver.turnOff('3', patient());
    plug.board.set('3', true);
    const before = plug.told.length;

    await plug.reboot();
    const client = await visitor(broker);
    await client.publishAsync('cmnd/plug/STATUS', 'last', { qos: 1 });

    await vi.waitFor(() => expect(plug.told.at(-1)?.text).toBe('cmnd/plug/STATUS last'), 10_000);
    expect(plug.told).toHaveLength(before + 1);
    expect(plug.board.isOn('3')).toBe(true);
  });

  it('knows that a plug is gone from its topic', async (context) => {
    const { plug, driver, broker } = await start({ options: { available } }, startOne, context);
    const client = await visitor(broker);
    const said = saidOn(client, 'tele/plug/LWT');
    plug.faults.set('down');
    await vi.waitFor(async () => expect(await said).toContain('Offline'), 10_000);

    for (const verb of Object.values(verbs(driver, '3'))) {
      await expect(verb()).rejects.toThrow(DeviceUnreachable);
      await expect(verb()).rejects.toThrow('tele/plug/LWT says "Offline"');
    }
    plug.faults.clear();
    await vi.waitFor(async () => expect((await said).at(-1)).toBe('Online'), 10_000);
    expect(await stateOf(driver, '3')).toBe('on');
  });

  const account = { username: 'lab', password: 'tr0ub4dor' };

  it('signs in', async (context) => {
    const setup = { plug: { account }, broker: { account }, login: account };
    const { driver } = await start(setup, startOne, context);

    expect(await stateOf(driver, '3')).toBe('on');
  });

  it.for([
    ['a wrong password', { ...account, password: 'hunter2' }],
    ['no password', {}],
  ] as const)('is not let in with %s, and does not tell it', async ([, login], context) => {
    const setup = { plug: { account }, broker: { account }, login };
    const { driver, plug } = await start(setup, startOne, context);

    for (const verb of Object.values(verbs(driver, '3'))) {
      const error = await verb().catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(SignInRefused);
      expect(everythingIn(error)).not.toMatch(/hunter2|tr0ub4dor/);
    }
    expect(plug.told).toEqual([]);
  });
});

describe('mqtt-switch', () => {
  it.for(['down', 'wedged', 'slow', 'drops-after-command'] as const)(
    'waits 5 s for a plug that is, or has, %s',
    async (fault) => {
      const { plug, driver, broker } = await start();
      plug.faults.slowMs = 60_000;
      plug.faults.set(fault);
      // Somebody hears the commands, even where the plug does not.
      const client = await visitor(broker);
      await client.subscribeAsync('cmnd/#');
      const told: { at: number; text: string }[] = [];
      client.on('message', (topic) => told.push({ at: 0, text: topic }));

      await isLate({ ...plug, told }, () => driver.turnOff('3', patient()));

      expect(plug.board.isOn('3')).toBe(fault !== 'drops-after-command');
    },
  );

  it('does not take for success what makes no sense, or is the other state', async () => {
    const [garbled, other] = [await start(), await start()];
    garbled.plug.faults.set('garbled');
    other.plug.faults.set('wedged');
    const client = await visitor(other.broker);
    await client.subscribeAsync('cmnd/plug/POWER3');
    client.on('message', () => client.publish('stat/plug/POWER3', 'ON'));

    // Until the 5 s are over: better words might still come.
    const told = [
      garbled.driver.turnOff('3', patient()),
      garbled.driver.read(['3'], patient()),
      other.driver.turnOff('3', patient()),
    ];

    const kinds = told.map((verb) => expect(verb).rejects.toThrow(DeviceRefused));
    await Promise.all(kinds);
  });

  it('shows in the reading that a command was ignored', async () => {
    const { plug, driver } = await start();
    plug.faults.set('ignores-commands');

    await driver.turnOff('3', patient());

    expect(await stateOf(driver, '3')).toBe('on');
  });

  it.for([
    ['cmnd/plug/POWER{outlet}', 'cmnd/{device}/POWER{outlet}'],
    ['x/{outlet}', 'x/{outlet}'],
  ] as const)('refuses to believe its own commands (%s)', async ([command, state]) => {
    const { plug, driver } = await start({ options: { command, state } });

    for (const verb of Object.values(verbs(driver, '3'))) {
      await expect(verb()).rejects.toThrow(DeviceRefused);
    }
    expect(plug.told).toEqual([]);
  });

  it('keeps relays apart whose states come on one topic', async () => {
    const options = {
      state: 'stat/{device}/RESULT',
      read: { on: '^\\{"POWER\\d":"ON"\\}$', off: '^\\{"POWER\\d":"OFF"\\}$' },
    };
    const { plug, driver } = await start({ options });
    plug.board.set('2', false);

    const readings = await driver.read(['1', '2', '3'], patient());

    expect([...readings].map(([, { state }]) => state)).toEqual(['on', 'off', 'on']);
  });

  it('gives up when it is told to, and leaves the broker', async () => {
    const { plug, driver } = await start();
    plug.faults.set('wedged');
    const told = new AbortController();
    const why = new Error('the daemon stops');

    const all = Object.values(verbs(driver, '3', told.signal)).map((verb) => verb());
    const ends = Promise.all(all.map((verb) => expect(verb).rejects.toBe(why)));
    await vi.waitFor(() => expect(plug.told).toHaveLength(3), 10_000);
    told.abort(why);

    await ends;
    for (const verb of Object.values(verbs(driver, '3', told.signal))) {
      await expect(verb()).rejects.toBe(why);
    }
  });

  it.for([
    ['hangs up', (socket: Socket) => socket.destroy(), DeviceUnreachable],
    [
      'speaks HTTP',
      (socket: Socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
      DeviceRefused,
    ],
  ] as const)('does not take for a broker what %s', async ([, behave, kind]) => {
    const server: Server = createServer((socket) => {
      socket.on('error', () => undefined).once('data', () => behave(socket));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const driver = driverOf({ host: '127.0.0.1', port }, {});

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
    const { driver } = await start();

    expect(driver.nativeCycle).toBeUndefined();
  });

  neverSends(['#', '+', '3/#', 'a b', 'x\0', '*', '٣', 'x'.repeat(61)], async () => {
    const { plug, driver } = await start();
    return { driver, wasTold: () => plug.told.length > 0 };
  });
});

async function visitor({ host, port }: Broker) {
  const client = await connectAsync({ host, port, reconnectPeriod: 0 });
  onTestFinished(() => client.endAsync(true));
  return client;
}

async function saidOn(
  client: Awaited<ReturnType<typeof visitor>>,
  topic: string,
): Promise<string[]> {
  const said: string[] = [];
  client.on('message', (where, payload) => {
    if (where === topic) said.push(payload.toString());
  });
  await client.subscribeAsync(topic);
  return said;
}
