/** Commands over ssh's exec channels: no terminal, no prompt, an exit status. */
import type { ClientChannel } from 'ssh2';
import {
  DeviceBusy,
  type DeviceError,
  DeviceRefused,
  DeviceTimeout,
  DeviceUnreachable,
} from './errors.ts';
import { decodeBytes } from './screen.ts';
import type { ExecResult, ExecSession, RunOptions } from './session.ts';
import { type Limit, limitOf, settle } from './settle.ts';
import type { SshConnection } from './ssh.ts';
import { withoutSecrets } from './without-secrets.ts';

const runMs = 10_000;
const maxBytes = 32 * 1024 * 1024;

export class SshExec implements ExecSession {
  private readonly device: string;
  private readonly connection: SshConnection;

  constructor(device: string, connection: SshConnection) {
    this.device = device;
    this.connection = connection;
  }

  isOpen(): boolean {
    return this.connection.ended() === undefined;
  }

  async exec(command: string, { signal, timeoutMs = runMs }: RunOptions): Promise<ExecResult> {
    const limit = limitOf(signal, timeoutMs);
    try {
      const channel = await this.connection.exec(command, limit);
      channel.on('error', () => undefined);
      return await this.result(channel, command, limit);
    } catch (error) {
      if (error instanceof DeviceBusy) throw error;
      // Closing the channel alone would leave the command running where the device does not notice.
      this.connection.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.connection.close();
  }

  private result(channel: ClientChannel, command: string, limit: Limit): Promise<ExecResult> {
    const { device, connection } = this;
    const what = JSON.stringify(command);
    const texts = { stdout: [] as string[], stderr: [] as string[] };
    const late = () => {
      const said = withoutSecrets([...texts.stdout, ...texts.stderr].join('').trim(), []).slice(
        -200,
      );
      const words = said === '' ? '; it said nothing' : `; it said: ${JSON.stringify(said)}`;
      return new DeviceTimeout(device, `no end of ${what} ${limit.within}${words}`);
    };
    return settle<ExecResult>(limit, late, (resolve, reject) => {
      let length = 0;
      const take = (texts: string[]) => (bytes: Buffer) => {
        texts.push(bytes.toString('latin1'));
        length += bytes.length;
        if (length > maxBytes) {
          reject(new DeviceRefused(device, `the answer to ${what} has no end: more than 32 MiB`));
        }
      };
      const lost = (why: DeviceError) => {
        const reason = why.message.slice(device.length + 2);
        reject(new DeviceUnreachable(device, `${reason} during ${what}`, { cause: why }));
      };
      channel.on('data', take(texts.stdout));
      channel.stderr.on('data', take(texts.stderr));
      // It tells the status once more: `exit` comes before anybody listens where a command has no output.
      channel.on('close', (status?: number | null) => {
        // The connection's death closes channels, too; it is told by onEnd.
        const why = connection.ended();
        if (why !== undefined) lost(why);
        else {
          const [stdout, stderr] = [texts.stdout, texts.stderr].map((text) =>
            decodeBytes(text.join('')),
          );
          resolve({ stdout: stdout ?? '', stderr: stderr ?? '', status: status ?? undefined });
        }
      });
      return connection.onEnd(lost);
    });
  }
}
