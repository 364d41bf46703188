/**
 * A simulated device that speaks SNMP over UDP: versions 1 and 2c with a community for reading and one for writing, and
 * version 3. What it can be asked is its model's (apc-rpdu.ts, poe-switch.ts …).
 *
 * A wrong community gets no answer (RFC 1157, 4.1), and neither does a device that is off: from outside it is the same.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Faults, OutletBoard, Received, SimulatedDevice } from '../device.ts';
import { BerReader, encode, encodeInteger, encodeOctets, tags } from './ber.ts';
import { SnmpEngine } from './engine.ts';
import { readV3 } from './message-v3.ts';
import type { SnmpMib } from './mib.ts';
import { encodePdu, type Pdu, pduTypes, readPdu } from './pdu.ts';
import { respond } from './responder.ts';
import type { SnmpUser } from './usm.ts';

export interface SnmpOptions {
  host?: string;
  port?: number;
  /** Default `public`. */
  readCommunity?: string;
  /** Default `private`. It may read, too. */
  writeCommunity?: string;
  users?: SnmpUser[];
  /** A device is busy for so long with each command, and answers nobody meanwhile. */
  setMs?: number;
  /** Bytes that the variables of an answer may take; more is `tooBig`. */
  room?: number;
}

/** The faults that each model has which speaks SNMP. */
export const snmpFaults = [
  'down',
  'wedged',
  'slow',
  'slow-variables',
  'drops-after-command',
  'rejects-login',
  'ignores-commands',
  'garbled',
  'missing-instance',
] as const;

/** What a model is, whoever serves it. */
export interface SnmpModel {
  model: string;
  /** `sysObjectID`. */
  objectId: string;
  board: OutletBoard;
  faults: Faults;
  mib: SnmpMib;
  /** Subtrees that a model has besides those of PDUs and PoE. */
  subtrees?: readonly string[];
  /** Stops its timers and sets its outlets as they are after a power failure. */
  restart(): void;
  /** Stops its timers. */
  stop(): void;
}

export async function startSnmpAgent(
  model: SnmpModel,
  options: SnmpOptions = {},
): Promise<SimulatedDevice> {
  const agent = new SnmpAgent(model, options);
  await agent.start();
  return agent;
}

class SnmpAgent implements SimulatedDevice {
  readonly model: string;
  readonly host: string;
  readonly board: OutletBoard;
  readonly faults: Faults;
  readonly received: Received[] = [];
  readonly sessions = { now: 0, most: 0, opened: 0 };
  private readonly of: SnmpModel;
  private readonly options: SnmpOptions;
  private readonly engine: SnmpEngine;
  private readonly socket: Socket;
  private readonly clients = new Set<string>();
  private running = new AbortController();
  private turn = Promise.resolve();

  constructor(model: SnmpModel, options: SnmpOptions) {
    this.of = model;
    this.model = model.model;
    this.board = model.board;
    this.faults = model.faults;
    this.options = options;
    this.host = options.host ?? '127.0.0.1';
    this.engine = new SnmpEngine(options.users ?? []);
    this.socket = createSocket(this.host.includes(':') ? 'udp6' : 'udp4');
  }

  get port(): number {
    return this.socket.address().port;
  }

  async start(): Promise<void> {
    this.socket.bind(this.options.port ?? 0, this.host);
    await once(this.socket, 'listening');
    this.socket.on('message', (message, from) => {
      if (!this.faults.has('down')) this.takeTurn(message, from);
    });
  }

  async reboot(): Promise<void> {
    this.running.abort();
    await this.turn;
    this.running = new AbortController();
    this.engine.restart();
    this.of.restart();
  }

  async close(): Promise<void> {
    this.running.abort();
    await this.turn;
    this.of.stop();
    this.socket.close();
    await once(this.socket, 'close');
  }

  /** One request after the other, as the one small processor of such a device does it. */
  private takeTurn(message: Buffer, from: RemoteInfo): void {
    const { signal } = this.running;
    const { sessions } = this;
    const client = `${from.address} ${from.port}`;
    if (!this.clients.has(client)) sessions.opened += 1;
    this.clients.add(client);
    sessions.now += 1;
    sessions.most = Math.max(sessions.most, sessions.now);
    this.turn = this.turn
      .then(async () => {
        const answer = await this.answer(message, signal);
        if (answer && !this.faults.has('down')) this.socket.send(answer, from.port, from.address);
      })
      // No SNMP at all, or it was rebooted meanwhile: no answer.
      .catch(() => undefined)
      .finally(() => {
        sessions.now -= 1;
      });
  }

  private async answer(message: Buffer, signal: AbortSignal): Promise<Buffer | undefined> {
    if (this.faults.has('slow')) await sleep(this.faults.slowMs, undefined, { signal });
    const answer = await this.carryOut(message, signal);
    return answer && this.faults.has('garbled') ? Buffer.from('0x this is no SNMP') : answer;
  }

  private async carryOut(message: Buffer, signal: AbortSignal): Promise<Buffer | undefined> {
    const reader = new BerReader(message).sequence();
    const version = reader.integer();
    if (version === 3) return await this.answerVersion3(message, reader, signal);
    if (version !== 0 && version !== 1) return undefined;
    const { readCommunity = 'public', writeCommunity = 'private' } = this.options;
    const community = reader.octets().toString();
    if (community !== readCommunity && community !== writeCommunity) return undefined;
    if (this.faults.has('rejects-login')) return undefined;
    const answer = await this.respond(readPdu(reader), {
      version: version === 0 ? 1 : 2,
      mayWrite: community === writeCommunity,
      signal,
    });
    return (
      answer &&
      encode(tags.sequence, encodeInteger(version), encodeOctets(community), encodePdu(answer))
    );
  }

  private async answerVersion3(
    whole: Buffer,
    reader: BerReader,
    signal: AbortSignal,
  ): Promise<Buffer | undefined> {
    if (this.faults.has('wedged')) return undefined;
    const message = readV3(reader);
    const opened = this.engine.open(whole, message, this.faults.has('rejects-login'));
    if (opened === undefined || 'report' in opened) return opened?.report;
    const { user, scoped, encrypted } = opened;
    const answer = await this.respond(scoped.pdu, {
      version: 3,
      mayWrite: user.access === 'write',
      signal,
    });
    return answer && this.engine.seal(message, user, encrypted, answer);
  }

  private async respond(
    request: Pdu,
    by: { version: 1 | 2 | 3; mayWrite: boolean; signal: AbortSignal },
  ): Promise<Pdu | undefined> {
    this.received.push({ at: Date.now(), text: inWords(request) });
    if (this.faults.has('wedged')) return undefined;
    if (this.faults.has('slow-variables') && request.varbinds.length > 4) return undefined;
    const isCommand = request.type === pduTypes.set;
    if (isCommand && this.options.setMs !== undefined) {
      await sleep(this.options.setMs, undefined, { signal: by.signal });
    }
    const answer = respond(this.of.mib, request, {
      version: by.version,
      mayWrite: by.mayWrite,
      ignoreWrites: this.faults.has('ignores-commands'),
      room: this.options.room ?? 1400,
    });
    return isCommand && this.faults.has('drops-after-command') ? undefined : answer;
  }
}

const verbs = new Map<number, string>([
  [pduTypes.get, 'get'],
  [pduTypes.getNext, 'getnext'],
  [pduTypes.getBulk, 'getbulk'],
  [pduTypes.set, 'set'],
]);

function inWords({ type, varbinds }: Pdu): string {
  const objects = varbinds.map(({ oid, value }) =>
    type === pduTypes.set && 'value' in value ? `${oid}=${value.value}` : oid,
  );
  return [verbs.get(type) ?? `pdu ${type}`, ...objects].join(' ');
}
