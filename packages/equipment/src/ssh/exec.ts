/** Commands over ssh's exec channels: no terminal, no prompt, an exit status. */

import { finished, type Writable } from 'node:stream';
import { shellWord } from '@skolo/base';
import type { ClientChannel } from 'ssh2';
import { newPasswordRequested, requiresNewPassword } from '../cli/password-change.ts';
import { decodeBytes } from '../cli/screen.ts';
import {
  DeviceBusy,
  type DeviceError,
  DeviceRefused,
  DeviceTimeout,
  DeviceUnreachable,
} from '../errors.ts';
import type {
  ExecBytes,
  ExecOptions,
  ExecResult,
  ExecSession,
  RunOptions,
} from '../session/session.ts';
import { addPiece } from '../stream/pieces.ts';
import { quotedCommand, withoutSecrets } from '../stream/redact.ts';
import { type Limit, limitOf, settle } from '../stream/settle.ts';
import { type OnTalk, Talk } from '../stream/talk.ts';
import { scpDownload, scpUpload } from './scp.ts';
import type { SshConnection } from './ssh.ts';

const runMs = 10_000;
/** Of what is kept in memory. */
const keptBytes = 32 * 1024 * 1024;

interface SshExecOptions {
  device: string;
  /** Not to be seen in errors. */
  secrets: readonly string[];
  onTalk: OnTalk | undefined;
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
    const { stdout, stderr, status } = await this.execBytes(command, options);
    return { stdout: decodeBytes(stdout.toString('latin1')), stderr, status };
  }

  async execBytes(command: string, options: ExecOptions): Promise<ExecBytes> {
    return await this.inChannel(command, options, (channel, limit, talk) => {
      if (options.input !== undefined) {
        talk?.say(`<${options.input.length} bytes>\n`);
        channel.end(options.input);
      }
      const most = options.to === undefined ? keptBytes : Number.POSITIVE_INFINITY;
      const { to, maxBytes = most } = options;
      return this.result(channel, { command, limit, talk, to, maxBytes });
    });
  }

  async download(path: string, options: RunOptions): Promise<Buffer> {
    const { connection } = this;
    const command = `scp -f ${argument(path)}`;
    const content = await this.inChannel(command, options, (channel, limit, talk) =>
      scpDownload(channel, path, { ...this.options, connection, limit, talk, maxBytes: keptBytes }),
    );
    if (content instanceof DeviceRefused) throw content;
    return content;
  }

  async upload(path: string, content: Buffer, options: RunOptions): Promise<void> {
    const { connection } = this;
    const command = `scp -t ${argument(path)}`;
    const refused = await this.inChannel(command, options, (channel, limit, talk) =>
      scpUpload(channel, path, content, { ...this.options, connection, limit, talk }),
    );
    if (refused !== undefined) throw refused;
  }

  async close(): Promise<void> {
    this.connection.close();
    await this.connection.gone();
  }

  private async inChannel<T>(
    command: string,
    { signal, timeoutMs = runMs, idleMs }: RunOptions,
    work: (channel: ClientChannel, limit: Limit, talk: Talk | undefined) => Promise<T>,
  ): Promise<T> {
    const { onTalk, secrets } = this.options;
    const limit = limitOf(signal, timeoutMs, idleMs);
    const talk = onTalk && new Talk(onTalk, secrets);
    talk?.say(`${Buffer.from(command).toString('latin1')}\n`);
    try {
      const channel = await this.connection.exec(command, limit);
      channel.on('error', () => undefined);
      return await work(channel, limit, talk);
    } catch (error) {
      if (error instanceof DeviceBusy) throw error;
      // Closing the channel alone would leave the command running where the device does not notice.
      this.connection.close();
      throw error;
    } finally {
      talk?.end();
    }
  }

  private async result(channel: ClientChannel, about: Running): Promise<ExecBytes> {
    const { connection } = this;
    const { device, secrets } = this.options;
    const { limit, talk, to, maxBytes } = about;
    const what = quotedCommand(about.command);
    const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
    const late = (how: string) => {
      const said = decodeBytes(endOf([...stdout, ...stderr]).toString('latin1')).trim();
      const end = withoutSecrets(said, secrets).slice(-200);
      const words = said === '' ? '; it said nothing' : `; it said: ${JSON.stringify(end)}`;
      return new DeviceTimeout(device, `no end of ${what}${how}${words}`);
    };
    const result = await settle<ExecBytes>(limit, late, (resolve, reject, idle) => {
      let size = 0;
      let errors = 0;
      const keep = (bytes: Buffer, texts: Buffer[]) => {
        talk?.receive(bytes.toString('latin1'));
        addPiece(texts, bytes);
      };
      const count = () => {
        if (size <= maxBytes && errors <= keptBytes) return;
        const most = `${(size > maxBytes ? maxBytes : keptBytes) / 1024 / 1024} MiB`;
        reject(new DeviceRefused(device, `the answer to ${what} has no end: more than ${most}`));
      };
      const pass = (bytes: Buffer, stream: Writable) => {
        if (stream.write(bytes)) return;
        // The disk is slow, not the device.
        channel.pause();
        idle.hold();
        stream.once('drain', () => {
          idle.received();
          channel.resume();
        });
      };
      const lost = (why: DeviceError) => {
        const reason = why.message.slice(device.length + 2);
        reject(new DeviceUnreachable(device, `${reason} during ${what}`, { cause: why }));
      };
      let ended: ExecBytes | undefined;
      // Also after the last waiter.
      to?.on('error', () => undefined);
      const unwatch =
        to &&
        finished(to, { readable: false }, (error) => {
          if (error) reject(error);
          else if (ended) resolve(ended);
        });
      channel.on('data', (bytes: Buffer) => {
        idle.received();
        size += bytes.length;
        count();
        if (to === undefined) keep(bytes, stdout);
        else pass(bytes, to);
      });
      channel.stderr.on('data', (bytes: Buffer) => {
        idle.received();
        if (channel.isPaused()) idle.hold();
        errors += bytes.length;
        count();
        keep(bytes, stderr);
      });
      // It has the status again: without output, `exit` comes before there is a listener.
      channel.on('close', (status?: number | null) => {
        // The connection's death closes channels, too; onEnd reports it.
        const why = connection.ended();
        if (why !== undefined) return lost(why);
        const said = decodeBytes(Buffer.concat(stderr).toString('latin1'));
        // OpenSSH's server lets an expired password in, and carries out nothing.
        if (status !== 0 && size === 0 && requiresNewPassword(said)) {
          return reject(newPasswordRequested(device));
        }
        ended = { stdout: Buffer.concat(stdout), stderr: said, status: status ?? undefined, size };
        if (to === undefined) return resolve(ended);
        idle.hold();
        to.end();
      });
      const stop = connection.onEnd(lost);
      return () => {
        stop();
        unwatch?.();
        for (const stream of [channel, channel.stderr]) stream.removeAllListeners('data');
      };
    });
    if (to !== undefined) talk?.receive(`<${result.size} bytes>\n`);
    return result;
  }
}

interface Running {
  command: string;
  limit: Limit;
  talk: Talk | undefined;
  to: Writable | undefined;
  maxBytes: number;
}

function endOf(chunks: readonly Buffer[]): Buffer {
  const few = chunks.slice(-64);
  return Buffer.concat(few).subarray(-1000);
}

/** A path for a device's shell, if it has one: quoted only where it must be, since many have none. */
function argument(path: string): string {
  const plain = path.startsWith('-') ? `./${path}` : path;
  // ~ is the folder of the account there.
  return /^[\w./:@%+=,~-]+$/.test(plain) ? plain : shellWord(plain);
}
