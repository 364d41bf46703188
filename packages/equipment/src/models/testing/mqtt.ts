/** Shared by the tests of the MQTT switch driver. */

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
import { onTestFinished, type TestContext } from 'vitest';
import type { PowerDriver } from '../contract/outlets.ts';
import { outlets as mqttSwitch } from '../mqtt-switch/mqtt-switch.ts';
import { isLate, type Login, openDriver, type Place } from './outlets.ts';

export const brokers = [
  ['aedes', startBroker],
  ['mosquitto', startMosquitto],
] as const;
type StartBroker = (typeof brokers)[number][1];

interface Started {
  broker: Broker;
  plug: SimulatedDevice;
  driver: PowerDriver;
}

interface Setup {
  plug?: Omit<MqttPlugOptions, 'broker'>;
  broker?: BrokerOptions;
  options?: Record<string, unknown>;
  login?: Login;
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

export async function startPlug(
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

export function driverOf(
  { host, port }: Pick<Broker, 'host' | 'port'>,
  { options, ...rest }: Place,
): PowerDriver {
  return openDriver(mqttSwitch, {
    address: host,
    ports: { mqtt: port },
    options: { topic: 'plug', ...options },
    ...rest,
  });
}

/** Is given up 5 s after the plug was told, in no time. */
export async function isPlugLate(
  plug: SimulatedDevice,
  verb: () => Promise<unknown>,
): Promise<void> {
  const before = plug.received.length;
  await isLate(verb, 5_000, () => plug.received.length > before);
}

export async function visitor({ host, port }: Broker) {
  const client = await connectAsync({ host, port, reconnectPeriod: 0 });
  onTestFinished(() => client.endAsync(true));
  return client;
}

export async function saidOn(
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
