import { type ChildProcess, spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { run } from '@skolo/base/testing';
import { connectAsync } from 'mqtt';
import { describe, expect, it, onTestFinished, type TestContext, vi } from 'vitest';
import { peer } from '../../peer.ts';
import type { SimulatedDevice } from '../device.ts';
import { type Broker, type BrokerOptions, startBroker, startMosquitto } from './broker.ts';
import { type MqttPlugOptions, startMqttPlug } from './plug.ts';

const brokers = [
  ['aedes', startBroker],
  ['mosquitto', startMosquitto],
] as const;
type Start = (typeof brokers)[number][1];

async function open(context: TestContext, start: Start, options?: BrokerOptions): Promise<Broker> {
  const broker = await start(options);
  if (!broker) return context.skip('mosquitto is not installed');
  onTestFinished(() => broker.close());
  return broker;
}

async function plugIn(options: MqttPlugOptions): Promise<SimulatedDevice> {
  const plug = await startMqttPlug(options);
  onTestFinished(() => plug.close());
  return plug;
}

function clients(context: TestContext, { host, port }: Broker) {
  const path = peer('mosquitto-clients');
  if (path === undefined) return context.skip('mosquitto-clients is not installed');
  const where = ['-h', host, '-p', String(port)];
  return {
    publish: (topic: string, ...args: string[]) =>
      run(path, [...where, '-q', '1', '-t', topic, ...args]),
    /** What it prints, line by line, from the plug's retained `Online` on: then it is subscribed. */
    async subscribe(...topics: string[]) {
      const filter = ['tele/plug/LWT', ...topics].flatMap((topic) => ['-t', topic]);
      const child = spawn(join(dirname(path), 'mosquitto_sub'), [...where, '-v', ...filter]);
      onTestFinished(() => end(child));
      let printed = '';
      child.stdout.on('data', (data: Buffer) => {
        printed += data.toString();
      });
      await vi.waitFor(() => expect(printed).toContain('Online\n'));
      return () => printed.trim().split('\n');
    },
  };
}

function end(child: ChildProcess): void {
  child.kill('SIGKILL');
}

describe.for(brokers)(
  'a plug behind %s, told by mosquitto_pub and heard by mosquitto_sub',
  ([, start]) => {
    it('obeys, and tells its states', async (context) => {
      const broker = await open(context, start);
      const plug = await plugIn({ broker, relays: 2 });
      const { publish, subscribe } = clients(context, broker);
      const heard = await subscribe('stat/plug/#');

      await publish('cmnd/plug/POWER2', '-m', 'OFF');
      await publish('cmnd/plug/POWER1', '-n');

      await vi.waitFor(() =>
        expect(heard().slice(1)).toEqual([
          'stat/plug/RESULT {"POWER2":"OFF"}',
          'stat/plug/POWER2 OFF',
          'stat/plug/RESULT {"POWER1":"ON"}',
          'stat/plug/POWER1 ON',
        ]),
      );
      expect(plug.board.isOn('1')).toBe(true);
      expect(plug.board.isOn('2')).toBe(false);
      expect(plug.received.map(({ text }) => text)).toEqual([
        'cmnd/plug/POWER2 OFF',
        'cmnd/plug/POWER1',
      ]);
    });

    it('carries out a retained command each time that it connects', async (context) => {
      const broker = await open(context, start);
      const plug = await plugIn({ broker });
      const { publish } = clients(context, broker);
      await publish('cmnd/plug/POWER', '-r', '-m', 'OFF');
      await vi.waitFor(() => expect(plug.board.isOn('1')).toBe(false));
      plug.board.set('1', true);

      await plug.reboot();

      await vi.waitFor(() => expect(plug.board.isOn('1')).toBe(false));
      expect(plug.received.at(-1)?.text).toBe('cmnd/plug/POWER OFF (retained)');
    });

    it('keeps its state at the broker with PowerRetain', async (context) => {
      const broker = await open(context, start);
      await plugIn({ broker, powerRetain: true });
      const { subscribe } = clients(context, broker);

      const heard = await subscribe('stat/plug/POWER');

      await vi.waitFor(() => expect(heard()).toContain('stat/plug/POWER ON'));
    });
  },
);

describe('a plug', () => {
  it.for([
    [{ relays: 1 }, 'POWER1', 'POWER'],
    [{ relays: 1, setOption26: true }, 'POWER', 'POWER1'],
    [{ relays: 2 }, 'POWER', 'POWER1'],
  ] as const)('%o, asked by %s, answers as %s', async ([options, asked, answered]) => {
    const broker = await startBroker();
    onTestFinished(() => broker.close());
    await plugIn({ broker, ...options });
    const { heard, client } = await listen(broker);

    await client.publishAsync(`cmnd/plug/${asked}`, '');

    await vi.waitFor(() =>
      expect(heard).toEqual([`stat/plug/RESULT {"${answered}":"ON"}`, `stat/plug/${answered} ON`]),
    );
  });
});

async function listen({ host, port }: Broker) {
  const client = await connectAsync({ host, port, reconnectPeriod: 0 });
  onTestFinished(() => client.endAsync(true));
  const heard: string[] = [];
  client.on('message', (topic, payload) => heard.push(`${topic} ${payload.toString()}`));
  await client.subscribeAsync('stat/#');
  return { client, heard };
}
