/** Somebody who types at a device's command line over ssh, as fast as the device takes it, and looks at what comes back. */
import { once } from 'node:events';
import { Client, type ClientChannel } from 'ssh2';
import type { SimulatedDevice } from '../device.ts';

interface Typed {
  /** With its return where there is one: `end\r`, `\x04`, `y`. */
  keys: string;
  /** What is waited for before the next one. */
  until: string;
}

/**
 * @returns what came back until the last thing that was waited for; what comes after it depends on packets
 * @throws Error The session ended before all was typed and answered.
 */
export async function typeInto(
  { host, port }: Pick<SimulatedDevice, 'host' | 'port'>,
  account: { username: string; password: string },
  first: string,
  typed: readonly Typed[],
): Promise<string> {
  const client = new Client();
  client.connect({ host, port, ...account });
  try {
    await once(client, 'ready');
    const channel = await new Promise<ClientChannel>((resolve, reject) => {
      client.shell({ term: 'vt100', cols: 511, rows: 1000 }, (error, opened) =>
        error ? reject(error) : resolve(opened),
      );
    });
    return await talk(channel, first, typed);
  } finally {
    // The device may be the first to close.
    client.on('error', () => undefined).end();
  }
}

async function talk(
  channel: ClientChannel,
  first: string,
  typed: readonly Typed[],
): Promise<string> {
  let output = '';
  let seen = 0;
  const left = [{ keys: '', until: first }, ...typed];
  let awaited = left.shift();
  return await new Promise<string>((resolve, reject) => {
    channel.on('data', (data: Buffer) => {
      output += data.toString('latin1');
      while (awaited !== undefined) {
        const at = output.indexOf(awaited.until, seen);
        if (at === -1) return;
        seen = at + awaited.until.length;
        awaited = left.shift();
        if (awaited !== undefined) channel.write(awaited.keys, 'latin1');
      }
      resolve(output.slice(0, seen));
    });
    channel.on('close', () =>
      reject(new Error(`not seen: ${awaited?.until}, in ${output.slice(-1000)}`)),
    );
  });
}
