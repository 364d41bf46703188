/**
 * A plug or relay board that speaks MQTT as Tasmota does: it takes `cmnd/TOPIC/POWERn` with ON, OFF, TOGGLE or nothing (a
 * question), and tells `stat/TOPIC/RESULT` as JSON and `stat/TOPIC/POWERn` as one word. `tele/TOPIC/LWT`, retained, says
 * whether it is there: Online, or Offline by the broker once it is gone.
 *
 * Oddities: one relay alone is called POWER, whatever it was asked by, unless SetOption26 is set; POWER0 is all of them; a
 * retained command is carried out anew each time that it connects ("ghost switching").
 *
 * Sources: tasmota.github.io/docs/MQTT, /Commands, /PowerOnState-Configuration; arendst/Tasmota xdrv_02_9_mqtt.ino.
 *
 * No recording: its state matters, because relays are switched, and retained commands switch them again.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { connectAsync, type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt';
import { Faults, OutletBoard, type Received, type SimulatedDevice } from '../device.ts';

export interface MqttPlugOptions {
  broker: { host: string; port: number };
  /** Default `plug`. */
  topic?: string;
  /** Default 1. */
  relays?: number;
  /** Calls its only relay POWER1, too. */
  setOption26?: boolean;
  /** Its states are retained by the broker (PowerRetain). */
  powerRetain?: boolean;
  account?: { username: string; password: string };
}

const plugFaults = [
  'down',
  'wedged',
  'slow',
  'drops-after-command',
  'ignores-commands',
  'garbled',
] as const;

export async function startMqttPlug(options: MqttPlugOptions): Promise<SimulatedDevice> {
  const plug = new MqttPlug(options);
  await plug.connect();
  return plug;
}

class MqttPlug implements SimulatedDevice {
  readonly model = 'mqtt-switch';
  readonly host: string;
  readonly port: number;
  readonly board: OutletBoard;
  readonly faults = new Faults(plugFaults);
  readonly received: Received[] = [];
  readonly sessions = { now: 0, most: 0, opened: 0 };
  private readonly options: MqttPlugOptions;
  private readonly topic: string;
  private readonly stopped = new AbortController();
  private client: MqttClient | undefined;
  private turn: Promise<void> = Promise.resolve();

  constructor(options: MqttPlugOptions) {
    const { broker, topic = 'plug', relays = 1 } = options;
    this.options = options;
    this.topic = topic;
    this.host = broker.host;
    this.port = broker.port;
    this.board = new OutletBoard(
      Array.from({ length: relays }, (_, index) => [`${index + 1}`, { on: true, watts: 10 }]),
    );
    this.faults.onChange(() => this.follow());
  }

  async connect(): Promise<void> {
    const lwt = `tele/${this.topic}/LWT`;
    const options: IClientOptions = {
      host: this.host,
      port: this.port,
      clientId: `DVES_${this.topic}`,
      will: { topic: lwt, payload: Buffer.from('Offline'), qos: 1, retain: true },
      reconnectPeriod: 0,
      ...this.options.account,
    };
    const client = await connectAsync(options);
    this.client = client;
    client.on('error', () => undefined);
    client.on('message', (topic, payload, packet) => this.takeTurn(topic, payload, packet));
    await client.publishAsync(lwt, 'Online', { qos: 1, retain: true });
    for (const relay of this.board.names()) await this.publish(relay, this.board.isOn(relay));
    // Last: when the broker confirms it, it has told the states to all who listened before, and nobody else hears them.
    await client.subscribeAsync(`cmnd/${this.topic}/#`);
  }

  /** As after a power failure; each relay as it was (`PowerOnState` 3, as it comes from the factory). */
  async reboot(): Promise<void> {
    await this.vanish();
    await this.connect();
  }

  async close(): Promise<void> {
    this.stopped.abort();
    await this.turn;
    await this.vanish();
  }

  /** Goes without a word, so that the broker says Offline. */
  private async vanish(): Promise<void> {
    const { client } = this;
    this.client = undefined;
    if (!client) return;
    client.stream.destroy();
    await client.endAsync(true);
  }

  /** Of the faults, one is of its connection. */
  private follow(): void {
    const down = this.faults.has('down');
    this.turn = this.turn
      .then(async () => {
        if (down) await this.vanish();
        else if (this.client === undefined && !this.stopped.signal.aborted) await this.connect();
      })
      .catch(() => undefined);
  }

  private takeTurn(topic: string, payload: Buffer, packet: IPublishPacket): void {
    const text = `${topic} ${payload.toString()}${packet.retain ? ' (retained)' : ''}`;
    this.received.push({ at: Date.now(), text: text.trim() });
    // The broker may be gone meanwhile.
    this.turn = this.turn.then(() => this.obey(topic, payload.toString())).catch(() => undefined);
  }

  private async obey(topic: string, payload: string): Promise<void> {
    const { faults, board } = this;
    if (faults.has('wedged')) return;
    if (faults.has('slow')) await sleep(faults.slowMs, undefined, { signal: this.stopped.signal });
    const [, digits] = /\/power(\d*)$/i.exec(topic) ?? [];
    if (digits === undefined) return;
    const names = digits === '0' ? board.names() : [digits || '1'];
    for (const relay of names.filter((name) => board.has(name))) {
      const wanted = meaning(payload, board.isOn(relay));
      const on = wanted ?? board.isOn(relay);
      if (!faults.has('ignores-commands')) board.set(relay, on);
      const isCommand = wanted !== undefined;
      if (!isCommand || !faults.has('drops-after-command')) await this.publish(relay, on);
    }
  }

  private async publish(relay: string, on: boolean): Promise<void> {
    const { topic, client } = this;
    const alone = this.board.names().length === 1 && !this.options.setOption26;
    const name = alone ? 'POWER' : `POWER${relay}`;
    const garbled = this.faults.has('garbled');
    const state = garbled ? '\u0001\uFFFD!' : on ? 'ON' : 'OFF';
    const json = garbled ? '{"POW' : JSON.stringify({ [name]: state });
    const retain = this.options.powerRetain ?? false;
    await client?.publishAsync(`stat/${topic}/RESULT`, json);
    await client?.publishAsync(`stat/${topic}/${name}`, state, { retain });
  }
}

/** Undefined: it is a question. */
function meaning(payload: string, isOn: boolean): boolean | undefined {
  const word = payload.trim().toUpperCase();
  if (['ON', '1', 'TRUE'].includes(word)) return true;
  if (['OFF', '0', 'FALSE'].includes(word)) return false;
  return ['TOGGLE', '2'].includes(word) ? !isOn : undefined;
}
