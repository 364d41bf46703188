/** Commands over ssh's exec channels: no terminal, no prompt, an exit status. */

import { finished, type Writable } from 'node:stream';
import { shellWord } from '@skolo/base';
import type { ClientChannel } from 'ssh2';
import { limits, type Purpose, Received } from '../budget/received.ts';
import { newPasswordRequested, requiresNewPassword } from '../cli/password-change.ts';
import { decodeBytes } from '../cli/terminal-text.ts';
import {
  DeviceBusy,
  type DeviceError,
  DeviceRejected,
  DeviceTimeout,
  DeviceUnreachable,
} from '../errors.ts';
import type { ExecBytes, ExecOptions, ExecResult, ExecSession, RunOptions } from '../session.ts';
import { type IdleTimer, type Limit, limitOf, withinLimit } from '../stream/limit.ts';
import { quotedCommand, withoutSecrets } from '../stream/redact.ts';
import { type OnTranscript, Transcript } from '../stream/transcript.ts';
import { scpDownload, scpUpload } from './scp.ts';
import type { SshConnection } from './ssh.ts';

/** How long an SSH command may take (timeout), unless its caller sets another limit. */
const runMs = 10_000;

interface SshExecOptions {
  device: string;
  /** Must not appear in errors. */
  secrets: readonly string[];
  onTranscript: OnTranscript | undefined;
}

export class SshExec implements ExecSession {
  private readonly connection: SshConnection;
  private readonly options: SshExecOptions;

  constructor(connection: SshConnection, options: SshExecOptions) {
    this.connection = connection;
    this.options = options;
  }

  isOpen(): boolean {
    return this.connection.ended() === undefined;
  }

  async exec(command: string, options: RunOptions): Promise<ExecResult> {
    const { stdout, stderr, status } = await this.execBytes(command, {
      ...options,
      purpose: 'table',
    });
    return { stdout: decodeBytes(stdout.toString('latin1')), stderr, status };
  }

  async execBytes(command: string, options: ExecOptions): Promise<ExecBytes> {
    return await this.inChannel(command, options, (channel, limit, transcript) => {
      if (options.input !== undefined) {
        transcript?.say(`<${options.input.length} bytes>\n`);
        channel.end(options.input);
      }
      const { to, maxBytes = Number.POSITIVE_INFINITY, purpose = 'configuration' } = options;
      return this.result(channel, { command, limit, transcript, to, maxBytes, purpose });
    });
  }

  async download(path: string, options: RunOptions): Promise<Buffer> {
    const { connection } = this;
    const command = `scp -f ${argument(path)}`;
    const content = await this.inChannel(command, options, (channel, limit, transcript) =>
      scpDownload(channel, path, {
        ...this.options,
        connection,
        limit,
        transcript,
        maxBytes: limits.configuration.bytes,
      }),
    );
    if (content instanceof DeviceRejected) throw content;
    return content;
  }

  async upload(path: string, content: Buffer, options: RunOptions): Promise<void> {
    const { connection } = this;
    const command = `scp -t ${argument(path)}`;
    const rejected = await this.inChannel(command, options, (channel, limit, transcript) =>
      scpUpload(channel, path, content, { ...this.options, connection, limit, transcript }),
    );
    if (rejected !== undefined) throw rejected;
  }

  async close(): Promise<void> {
    this.connection.close();
    await this.connection.gone();
  }

  private async inChannel<T>(
    command: string,
    { signal, timeoutMs = runMs, idleMs }: RunOptions,
    work: (channel: ClientChannel, limit: Limit, transcript: Transcript | undefined) => Promise<T>,
  ): Promise<T> {
    const { onTranscript, secrets } = this.options;
    const limit = limitOf(signal, timeoutMs, idleMs);
    const transcript = onTranscript && new Transcript(onTranscript, secrets, 'exec');
    transcript?.say(`${Buffer.from(command).toString('latin1')}\n`);
    try {
      const channel = await this.connection.exec(command, limit);
      channel.on('error', () => undefined);
      return await work(channel, limit, transcript);
    } catch (error) {
      if (error instanceof DeviceBusy) throw error;
      // Closing only the channel would leave the command running if the device does not notice.
      this.connection.close();
      throw error;
    } finally {
      transcript?.end();
    }
  }

  private async result(channel: ClientChannel, about: Running): Promise<ExecBytes> {
    const { device, secrets } = this.options;
    const { limit, transcript, to } = about;
    const output = new Output(this.connection, device, channel, about);
    const late = (how: string) => {
      const said = decodeBytes(output.end()).trim();
      const end = withoutSecrets(said, secrets).slice(-200);
      const words = said === '' ? '; nothing was received' : `; received: ${JSON.stringify(end)}`;
      return new DeviceTimeout(
        device,
        `the output of ${quotedCommand(about.command)} did not end${how}${words}`,
      );
    };
    const result = await withinLimit<ExecBytes>(limit, late, (resolve, reject, idle) =>
      output.listen(resolve, reject, idle),
    );
    if (to !== undefined) transcript?.receive(`<${result.size} bytes>\n`);
    transcript?.end(result.status);
    return result;
  }
}

/** A command's output, until it ends. */
class Output {
  private readonly connection: SshConnection;
  private readonly device: string;
  private readonly channel: ClientChannel;
  private readonly about: Running;
  private readonly stdout: Received;
  private readonly stderr: Received;
  private size = 0;
  private fail: (error: unknown) => void = () => undefined;

  constructor(connection: SshConnection, device: string, channel: ClientChannel, about: Running) {
    this.connection = connection;
    this.device = device;
    this.channel = channel;
    this.about = about;
    const what = `the output of ${quotedCommand(about.command)}`;
    const received = { device, what, fail: (why: DeviceError) => this.fail(why) };
    this.stdout = new Received({ ...received, purpose: about.purpose });
    this.stderr = new Received({ ...received, purpose: 'table' });
  }

  /** The last output received. */
  end(): string {
    const [out, errors] = [this.stdout, this.stderr].map((each) => each.text(each.length - 1000));
    return `${out}${errors}`.slice(-1000);
  }

  /** @returns removes the listeners */
  listen(
    resolve: (result: ExecBytes) => void,
    reject: (error: unknown) => void,
    idle: IdleTimer,
  ): () => void {
    const { connection, device, channel } = this;
    const { to, maxBytes } = this.about;
    const { intake } = connection;
    this.fail = reject;
    const collect = (bytes: Buffer, received: Received) => {
      this.about.transcript?.receive(bytes.toString('latin1'));
      received.add(bytes);
    };
    const lost = (why: DeviceError) => {
      const reason = `${why.message.slice(device.length + 2)} during ${quotedCommand(this.about.command)}`;
      reject(new DeviceUnreachable(device, reason, { cause: why }));
    };
    let ended: ExecBytes | undefined;
    // Even after the last waiter.
    to?.on('error', () => undefined);
    const unwatch =
      to &&
      finished(to, { readable: false }, (error) => {
        if (error) reject(error);
        else if (ended) resolve(ended);
      });
    channel.on('data', (bytes: Buffer) => {
      idle.received();
      intake.deliver(bytes.length);
      this.size += bytes.length;
      if (this.size > maxBytes) reject(this.tooMuch());
      if (to === undefined) collect(bytes, this.stdout);
      else this.pass(bytes, to, idle);
    });
    channel.stderr.on('data', (bytes: Buffer) => {
      idle.received();
      if (channel.isPaused()) idle.hold();
      intake.deliver(bytes.length);
      collect(bytes, this.stderr);
    });
    // It repeats the status: without output, `exit` arrives before there is a listener.
    channel.on('close', (status?: number | null) => {
      // A dead connection also closes channels; onEnd reports it.
      const why = connection.ended();
      if (why !== undefined) return lost(why);
      ended = this.ended(status ?? undefined);
      // OpenSSH's server accepts an expired password, but executes nothing.
      if (status !== 0 && ended.size === 0 && requiresNewPassword(ended.stderr)) {
        return reject(newPasswordRequested(device));
      }
      if (to === undefined) return resolve(ended);
      idle.hold();
      to.end();
    });
    const stop = connection.onEnd(lost);
    return () => {
      stop();
      unwatch?.();
      for (const received of [this.stdout, this.stderr]) received.release();
      for (const stream of [channel, channel.stderr]) stream.removeAllListeners('data');
    };
  }

  private ended(status: number | undefined): ExecBytes {
    const stderr = decodeBytes(this.stderr.text());
    return { stdout: this.stdout.transfer(), stderr, status, size: this.size };
  }

  private pass(bytes: Buffer, to: Writable, idle: IdleTimer): void {
    if (to.write(bytes)) return;
    // The disk is slow, not the device.
    this.channel.pause();
    idle.hold();
    to.once('drain', () => {
      idle.received();
      this.channel.resume();
    });
  }

  private tooMuch(): DeviceRejected {
    const { command, maxBytes } = this.about;
    const what = `the output of ${quotedCommand(command)} exceeds ${maxBytes / 1024 / 1024} MiB`;
    return new DeviceRejected(this.device, what);
  }
}

interface Running {
  command: string;
  limit: Limit;
  transcript: Transcript | undefined;
  to: Writable | undefined;
  maxBytes: number;
  purpose: Purpose;
}

/** A path for a device's shell, if it has one: quoted only if necessary, because many have none. */
function argument(path: string): string {
  const plain = path.startsWith('-') ? `./${path}` : path;
  // ~ is the account's home directory on the device.
  return /^[\w./:@%+=,~-]+$/.test(plain) ? plain : shellWord(plain);
}
