/** The connection to the device's scp in an exec channel: sends bytes, and receives bytes, lines and its end. */
import { addChunk } from '@skolo/base';
import type { ClientChannel } from 'ssh2';
import { memory, type Share } from '../budget/memory.ts';
import { limits } from '../budget/received.ts';
import { newPasswordRequested, requiresNewPassword } from '../cli/password-change.ts';
import { decodeBytes } from '../cli/terminal-text.ts';
import { DeviceError, DeviceRejected, DeviceTimeout, DeviceUnreachable } from '../errors.ts';
import type { Limit } from '../stream/limit.ts';
import { withoutSecrets } from '../stream/redact.ts';
import type { Transcript } from '../stream/transcript.ts';
import { Waiter } from '../stream/waiter.ts';
import type { SshConnection } from './ssh.ts';

const longestLine = 4096;
const longestError = 64 * 1024;
/** More than the largest file that is read, including protocol lines. */
const mostUnread = limits.configuration.bytes + 1024 * 1024;
/** The file is complete; does not wait for a device that does not close the channel. */
const endMs = 2000;

export interface ScpWireOptions {
  device: string;
  connection: SshConnection;
  limit: Limit;
  transcript: Transcript | undefined;
  /** Must not appear in errors. */
  secrets: readonly string[];
}

export class ScpWire {
  private readonly channel: ClientChannel;
  private readonly what: string;
  private readonly options: ScpWireOptions;
  private chunks: Buffer[] = [];
  private length = 0;
  private errors = Buffer.alloc(0);
  private ended: { status: number | undefined } | DeviceError | undefined;
  private readonly waiter = new Waiter();
  private readonly stopListening: () => void;
  private readonly share: Share;

  /** @param what the operation, for errors: `read "config.ini"` */
  constructor(channel: ClientChannel, what: string, options: ScpWireOptions) {
    this.channel = channel;
    this.what = what;
    this.options = options;
    const { intake } = options.connection;
    this.share = memory.open(options.device, (why) => this.over(why));
    channel.on('data', (bytes: Buffer) => {
      intake.deliver(bytes.length);
      this.share.grow(bytes.length);
      addChunk(this.chunks, bytes);
      this.length += bytes.length;
      if (this.length > mostUnread)
        this.over(this.rejected(`it sent more than ${mostUnread} bytes`));
      this.receive();
    });
    channel.stderr.on('data', (bytes: Buffer) => {
      options.transcript?.receive(bytes.toString('latin1'));
      if (this.errors.length >= longestError) return;
      intake.deliver(bytes.length);
      this.errors = Buffer.concat([this.errors, bytes]).subarray(0, longestError);
      this.receive();
    });
    channel.on('close', (status?: number | null) => this.over({ status: status ?? undefined }));
    this.stopListening = options.connection.onEnd((why) => this.over(why));
  }

  hasHeard(): boolean {
    return this.length > 0 || this.ended !== undefined;
  }

  send(bytes: Buffer): void {
    if (this.channel.writable) this.channel.write(bytes);
  }

  /** Resolves when there is room for more, or the device has sent something. */
  async sendSlowly(bytes: Buffer): Promise<void> {
    if (!this.channel.writable) return;
    let hasRoom = false;
    this.channel.write(bytes, () => {
      hasRoom = true;
      this.receive();
    });
    await this.until('request for more data', () =>
      hasRoom || this.length > 0 ? true : undefined,
    );
  }

  /** So many bytes. */
  async readExactly(size: number, what: string): Promise<Buffer> {
    await this.until(what, () => (this.length >= size ? true : undefined));
    const all =
      this.chunks.length === 1 ? (this.chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(this.chunks);
    this.chunks = [all.subarray(size)];
    this.length -= size;
    return all.subarray(0, size);
  }

  /** Reads to the end of a line, or to the end. */
  async line(): Promise<string> {
    let text = '';
    while (text.length < longestLine) {
      if (this.length === 0 && this.ended !== undefined) break;
      const char = (await this.readExactly(1, 'end of the line')).toString('latin1');
      if (char === '\n') break;
      text += char;
    }
    return decodeBytes(text);
  }

  note(text: string): void {
    this.options.transcript?.receive(Buffer.from(text).toString('latin1'));
  }

  /** The exit status, if the device sends one soon. */
  async end(): Promise<number | undefined> {
    this.channel.end();
    const { limit } = this.options;
    const soon = { ...limit, endsAt: Math.min(limit.endsAt, performance.now() + endMs) };
    const late = () => new Error('not in time');
    try {
      const ended = await this.waiter.until(soon, late, () => this.ended);
      return ended instanceof DeviceError ? undefined : ended.status;
    } catch {
      limit.signal.throwIfAborted();
      return undefined;
    }
  }

  close(): void {
    this.stopListening();
    this.share.release();
    for (const event of ['data', 'close']) this.channel.removeAllListeners(event);
    this.channel.stderr.removeAllListeners('data');
    // Without a listener nothing would flow, and the channel would never close.
    this.channel.resume();
    this.channel.stderr.resume();
    this.channel.close();
  }

  rejected(why: string): DeviceError {
    const { device, secrets } = this.options;
    const errors = decodeBytes(this.errors.toString('latin1')).trim();
    if (requiresNewPassword(errors)) return newPasswordRequested(device);
    const said = withoutSecrets(errors, secrets);
    const words = [withoutSecrets(why, secrets), said].filter((each) => each !== '').join('; ');
    return new DeviceRejected(device, `failed to ${this.what}: ${words.slice(0, 300)}`);
  }

  private receive() {
    this.waiter.received();
    this.waiter.changed();
  }

  private over(how: { status: number | undefined } | DeviceError) {
    // A dead connection also closes channels.
    this.ended ??= this.options.connection.ended() ?? how;
    this.waiter.changed();
  }

  private until<T>(what: string, look: () => T | undefined): Promise<T> {
    const { device, limit } = this.options;
    const late = (how: string) =>
      new DeviceTimeout(
        device,
        `no ${what}${how} while trying to ${this.what}; ${this.length} bytes arrived`,
      );
    return this.waiter.until(limit, late, () => {
      const found = look();
      if (found === undefined && this.ended !== undefined) throw this.lost(what, this.ended);
      return found;
    });
  }

  private lost(what: string, ended: NonNullable<ScpWire['ended']>): DeviceError {
    const { device } = this.options;
    if (ended instanceof DeviceError) {
      const reason = ended.message.slice(device.length + 2);
      return new DeviceUnreachable(
        device,
        `${reason}; skolo was waiting for the ${what} while trying to ${this.what}`,
        {
          cause: ended,
        },
      );
    }
    const { status } = ended;
    if (status !== undefined && status !== 0) {
      const rest = decodeBytes(Buffer.concat(this.chunks).toString('latin1')).trim();
      return this.rejected(`exit status ${status}${rest === '' ? '' : `; ${rest}`}`);
    }
    const came = `after ${this.length} bytes`;
    return new DeviceUnreachable(
      device,
      `it ended the transfer ${came}, before the ${what} arrived, while skolo was trying to ${this.what}`,
    );
  }
}
