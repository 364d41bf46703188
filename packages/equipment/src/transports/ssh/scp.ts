/**
 * Transfers files with the scp protocol, as `scp -f` and `scp -t` speak it at the device's end of an exec channel: a line with mode, size
 * and name, then the file's bytes, then a byte that reports success; each is acknowledged with a byte.
 *
 * Source: "How the SCP protocol works" (Pechanec, 2007), and scp.c of OpenSSH.
 */
import { posix } from 'node:path';
import type { ClientChannel } from 'ssh2';
import { DeviceRejected } from '../errors.ts';
import { ScpWire, type ScpWireOptions } from './scp-wire.ts';

const ok = Buffer.from([0]);
const pieceBytes = 64 * 1024;

/**
 * A file from the device, or why it does not send one.
 *
 * @throws DeviceTimeout, DeviceUnreachable
 */
export async function scpDownload(
  channel: ClientChannel,
  path: string,
  { maxBytes, ...options }: ScpWireOptions & { maxBytes: number },
): Promise<Buffer | DeviceRejected> {
  return await copy(channel, `read ${JSON.stringify(path)}`, options, async (wire) => {
    const size = await announced(wire);
    if (size > maxBytes) throw wire.rejected(`the file has ${size} bytes, more than ${maxBytes}`);
    wire.send(ok);
    const content = await wire.readExactly(size, `complete file (${size} bytes)`);
    options.transcript?.receive(`<${size} bytes>\n`);
    await reply(wire, 'end-of-file confirmation');
    wire.send(ok);
    return content;
  });
}

/**
 * Writes a file to the device. Returns the reason if the device rejects it.
 *
 * @throws DeviceTimeout, DeviceUnreachable
 */
export async function scpUpload(
  channel: ClientChannel,
  path: string,
  content: Buffer,
  options: ScpWireOptions,
): Promise<undefined | DeviceRejected> {
  const what = `write ${JSON.stringify(path)}`;
  return await copy(channel, what, options, async (wire) => {
    await reply(wire, 'response');
    const head = `C0600 ${content.length} ${posix.basename(path)}\n`;
    options.transcript?.say(Buffer.from(head).toString('latin1'));
    wire.send(Buffer.from(head));
    await reply(wire, 'response to the file name and size');
    for (let at = 0; at < content.length && !wire.hasHeard(); at += pieceBytes) {
      await wire.sendSlowly(content.subarray(at, at + pieceBytes));
    }
    options.transcript?.say(`<${content.length} bytes>\n`);
    // An answer during the transfer is a rejection.
    if (!wire.hasHeard()) wire.send(ok);
    await reply(wire, 'confirmation of receipt');
    return undefined;
  });
}

/** The device's final answer also counts. */
async function copy<T>(
  channel: ClientChannel,
  what: string,
  options: ScpWireOptions,
  work: (wire: ScpWire) => Promise<T>,
): Promise<T | DeviceRejected> {
  const wire = new ScpWire(channel, what, options);
  try {
    const result = await work(wire);
    const status = await wire.end();
    if (status !== undefined && status !== 0) throw wire.rejected(`exit status ${status}`);
    return result;
  } catch (error) {
    // Only closes the channel: the protocol defines where it ends.
    if (error instanceof DeviceRejected) return error;
    throw error;
  } finally {
    wire.close();
  }
}

/** The size of the next file. */
async function announced(wire: ScpWire): Promise<number> {
  wire.send(ok);
  for (let hasTimes = false; ; hasTimes = true) {
    const kind = await kindOf(wire, 'response');
    const line = await wire.line();
    wire.note(`${kind}${line}\n`);
    switch (kind) {
      case 'C': {
        const size = /^[0-7]{3,6} (\d{1,15}) /.exec(line)?.[1];
        if (size === undefined) throw wire.rejected(`the response is ${JSON.stringify(line)}`);
        return Number(size);
      }
      case 'T':
        // Thousands of them would arrive at once, and each would be answered.
        if (hasTimes) throw wire.rejected('the response has the times of the file twice');
        wire.send(ok);
        break;
      case 'D':
        throw wire.rejected('the path is a directory');
      default:
        throw wire.rejected(`the response is ${JSON.stringify(`${kind}${line}`.trim())}`);
    }
  }
}

/** @throws DeviceRejected It is not an acknowledgement. */
async function reply(wire: ScpWire, what: string): Promise<void> {
  const kind = await kindOf(wire, what);
  if (kind === '\0') return;
  throw wire.rejected(`the response is ${JSON.stringify(`${kind}${await wire.line()}`.trim())}`);
}

/** The first byte of an answer; 1 and 2 begin an error. */
async function kindOf(wire: ScpWire, what: string): Promise<string> {
  const kind = (await wire.readExactly(1, what)).toString('latin1');
  if (kind !== '\x01' && kind !== '\x02') return kind;
  const line = await wire.line();
  wire.note(`${line}\n`);
  throw wire.rejected(line.trim());
}
