/**
 * Decides which SNMP answers are ignored: from another host, in another version, or less secure than the request. net-snmp itself trusts too
 * much: it accepts a response from any sender and in any version, and in version 3 one that is neither signed nor encrypted, even if the
 * request was both; some responses make it throw in a place where no caller can catch the error. This socket only accepts datagrams from the
 * device, in the version of the request, and in version 3 with the request's security level, except for reports, which say why it does not
 * respond and cannot be secured before the engine is known. A second socket on the same port hears who else responds, for the message.
 *
 * Source: RFC 3414, section 3.2, and RFC 3412, section 6 (header); net-snmp 3.29.2, Session.onMsg.
 */
import { Socket } from 'node:dgram';
import { EventEmitter } from 'node:events';
import { contentOf, elements, tags } from './ber.ts';
import type { DatagramSocket } from './datagrams.ts';

export interface Guard {
  /** On the wire: 0, 1 (2c) or 3. */
  version: number;
  /** In version 3: 1 signed, 3 also encrypted. */
  leastSecurity: 0 | 1 | 3;
  /** Called with the error that ends the session: the connection is cut, nothing listens, a response is not SNMP. */
  broken: (error: Error) => void;
  /** Set to another sender that responded in this version: `192.168.1.14 (port 161)`. */
  stranger?: string;
}

/** The error for anything that is not SNMP. */
export class NoSnmp extends Error {}

export class GuardedSocket extends EventEmitter<{ message: [Buffer]; close: [] }> {
  private readonly socket: DatagramSocket;
  private readonly guard: Guard;
  private connected: Promise<void> | undefined;
  private readonly beside: Socket | undefined;
  private isOpen = true;

  /** @param beside hears what others send to the port of `socket`, which only hears the device once it is connected */
  constructor(socket: DatagramSocket, guard: Guard, beside?: Socket) {
    super();
    this.beside = beside;
    beside?.on('error', () => undefined);
    beside?.on('message', (message, { address, port }) => {
      try {
        const isResponse = isAcceptable(message, { ...guard, leastSecurity: 0 });
        if (isResponse) guard.stranger = `${address} (port ${port})`;
      } catch {
        // It is not SNMP.
      }
    });
    this.guard = guard;
    this.socket = socket;
    this.socket.on('error', guard.broken);
    this.socket.on('message', (message) => this.receive(message));
    this.socket.on('close', () => this.emit('close'));
  }

  send(
    message: Buffer,
    offset: number,
    length: number,
    port: number,
    address: string,
    sent: (error: Error | null) => void,
  ): void {
    this.connected ??= this.connect(port, address);
    this.connected.then(
      () => {
        if (this.isOpen) this.socket.send(message, offset, length, sent);
      },
      (error: Error) => this.guard.broken(error),
    );
  }

  ref(): this {
    if (this.isOpen) this.socket.ref();
    return this;
  }

  unref(): this {
    if (this.isOpen) this.socket.unref();
    return this;
  }

  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.beside?.close();
    this.socket.close();
  }

  /** A connected socket only receives from its peer, and reports a closed port. */
  private async connect(port: number, address: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.socket.connect(port, address, (error?: Error) => (error ? reject(error) : resolve()));
    });
    // Where this fails, nobody is named.
    if (this.isOpen && this.socket instanceof Socket) this.beside?.bind(this.socket.address().port);
  }

  private receive(message: Buffer): void {
    try {
      if (isAcceptable(message, this.guard)) this.emit('message', message);
    } catch {
      this.guard.broken(new NoSnmp('the response is not SNMP'));
    }
  }
}

const report = 0xa8;

/** @throws RangeError It is not SNMP. */
function isAcceptable(message: Buffer, { version, leastSecurity }: Guard): boolean {
  const [found, ...rest] = elements(contentOf(elements(message)[0], tags.sequence));
  if (found?.content.length !== 1) throw new RangeError('no version');
  if (found.content[0] !== version) return false;
  if (version !== 3 || leastSecurity === 0) return true;
  const [header, , body] = rest;
  const flags = header && elements(header.content)[2]?.content[0];
  if (flags === undefined || body === undefined) throw new RangeError('no header');
  if ((flags & leastSecurity) === leastSecurity) return true;
  // Unencrypted: engine, context, PDU.
  return body.tag === tags.sequence && elements(body.content)[2]?.tag === report;
}
