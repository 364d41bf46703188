/**
 * Datagrams through a relay, for example on a jumphost, instead of this computer's own network. The connection is a stream, in which each
 * datagram is preceded by its length in two bytes.
 */
import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import { errorText } from '@skolo/base';

/** A relay for datagrams of one peer. If it fails, the stream ends with an error that says why. */
export type DialDatagrams = (host: string, port: number, signal: AbortSignal) => Promise<Duplex>;

/** The subset of a UDP socket that SNMP uses. */
export interface DatagramSocket {
  on(event: 'message', heard: (message: Buffer) => void): unknown;
  on(event: 'error', heard: (error: Error) => void): unknown;
  on(event: 'close', heard: () => void): unknown;
  connect(port: number, address: string, done: (error?: Error) => void): void;
  send(message: Buffer, offset: number, length: number, sent: (error: Error | null) => void): void;
  ref(): unknown;
  unref(): unknown;
  close(): void;
}

const headBytes = 2;

/** The connection to the device has ended. */
export class RelayEnded extends Error {}

export class RelayedSocket
  extends EventEmitter<{ message: [Buffer]; error: [Error]; close: [] }>
  implements DatagramSocket
{
  private readonly dial: DialDatagrams;
  private readonly ended = new AbortController();
  private stream: Duplex | undefined;
  private rest: Buffer = Buffer.alloc(0);

  constructor(dial: DialDatagrams) {
    super();
    this.dial = dial;
  }

  connect(port: number, address: string, done: (error?: Error) => void): void {
    this.dial(address, port, this.ended.signal).then(
      (stream) => {
        if (this.ended.signal.aborted) {
          stream.destroy();
          return;
        }
        this.stream = stream;
        stream.on('data', (data: Buffer) => this.receive(data));
        stream.on('error', (error) => this.fail(error.message));
        stream.on('close', () => this.fail('the relayed connection was closed'));
        done();
      },
      (error: unknown) => done(new RelayEnded(errorText(error), { cause: error })),
    );
  }

  send(message: Buffer, offset: number, length: number, sent: (error: Error | null) => void): void {
    const head = Buffer.alloc(headBytes);
    head.writeUInt16BE(length);
    const whole = Buffer.concat([head, message.subarray(offset, offset + length)]);
    this.stream?.write(whole, (error) => sent(error ?? null));
  }

  ref(): void {}

  unref(): void {}

  close(): void {
    if (this.ended.signal.aborted) return;
    this.ended.abort();
    this.stream?.destroy();
    this.emit('close');
  }

  private receive(data: Buffer): void {
    this.rest = Buffer.concat([this.rest, data]);
    while (this.rest.length >= headBytes) {
      const end = headBytes + this.rest.readUInt16BE(0);
      if (this.rest.length < end) return;
      const message = this.rest.subarray(headBytes, end);
      this.rest = this.rest.subarray(end);
      this.emit('message', message);
    }
  }

  private fail(why: string): void {
    if (!this.ended.signal.aborted) this.emit('error', new RelayEnded(why));
  }
}
