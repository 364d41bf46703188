/**
 * The protocol between an adb client and its server.
 *
 * Source: SERVICES.TXT, OVERVIEW.TXT and shell_protocol.h of Android's packages/modules/adb. A request is four hexadecimal digits of length
 * and that many bytes; the answer is OKAY or FAIL, and again text with its length.
 */
import { once } from 'node:events';
import type { Socket } from 'node:net';

/** Streams of the shell protocol, version 2. */
export const shellStream = { stdin: 0, stdout: 1, stderr: 2, exit: 3, closeStdin: 4 } as const;

const longestRequest = 1024 * 1024;

/** Text with its length. */
export function sized(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from(bytes.length.toString(16).padStart(4, '0')), bytes]);
}

export function okay(text?: string): Buffer {
  return Buffer.concat([Buffer.from('OKAY'), text === undefined ? Buffer.alloc(0) : sized(text)]);
}

export function fail(reason: string): Buffer {
  return Buffer.concat([Buffer.from('FAIL'), sized(reason)]);
}

/** A packet of the shell protocol. */
export function packet(stream: number, data: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(stream, 0);
  head.writeUInt32LE(data.length, 1);
  return Buffer.concat([head, data]);
}

/** A client's connection. */
export class Client {
  readonly socket: Socket;
  private received = Buffer.alloc(0);
  private ended = false;
  private wake: (() => void) | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    const change = () => {
      this.wake?.();
      this.wake = undefined;
    };
    const end = () => {
      this.ended = true;
      change();
    };
    socket.setNoDelay();
    socket.on('data', (data: Buffer) => {
      // Input for a program on a phone is discarded.
      if (this.received.length < longestRequest)
        this.received = Buffer.concat([this.received, data]);
      change();
    });
    socket.on('error', end);
    socket.on('end', end);
    socket.on('close', end);
  }

  /** Undefined: it has disconnected, or does not speak this protocol. */
  async request(): Promise<string | undefined> {
    const head = await this.take(4);
    if (head === undefined || !/^[0-9a-fA-F]{4}$/.test(head.toString('latin1'))) return undefined;
    const length = Number.parseInt(head.toString(), 16);
    return length === 0 ? undefined : (await this.take(length))?.toString();
  }

  /** Waits for room; false if the client has disconnected. */
  async send(data: Buffer): Promise<boolean> {
    const { socket } = this;
    if (socket.destroyed || !socket.writable) return false;
    if (!socket.write(data) && !socket.destroyed) {
      await Promise.race([once(socket, 'drain'), once(socket, 'close')]).catch(() => undefined);
    }
    return !socket.destroyed;
  }

  /** Everything sent arrives before the connection ends. */
  finish(data?: Buffer): void {
    if (data) this.socket.end(data);
    else this.socket.end();
  }

  cut(): void {
    this.socket.resetAndDestroy();
  }

  get isGone(): boolean {
    return this.ended;
  }

  private async take(length: number): Promise<Buffer | undefined> {
    while (this.received.length < length) {
      if (this.ended) return undefined;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    const taken = this.received.subarray(0, length);
    this.received = this.received.subarray(length);
    return taken;
  }
}
