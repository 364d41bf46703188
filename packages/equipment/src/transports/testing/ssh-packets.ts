/** SSH packets before encryption (RFC 4253, section 6), for servers and relays that do what no SSH library does. */
import { connect, type Socket } from 'node:net';
import ssh2 from 'ssh2';
import { startTcpServer } from './tcp-server.ts';

export { startTcpServer } from './tcp-server.ts';

const message = { keyExchange: 20, group: 31, newKeys: 21, init: 32, request: 34 };

/** As an mpint or a string: with its length. */
export function field(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function packet(kind: number, ...fields: Buffer[]): Buffer {
  const payload = Buffer.concat([Buffer.of(kind), ...fields]);
  const padding = 4 + ((16 - ((payload.length + 9) % 8)) % 8);
  const rest = Buffer.concat([Buffer.of(padding), payload, Buffer.alloc(padding)]);
  return field(rest);
}

/**
 * Calls `onPacket` with each packet that follows the first line: its kind and its fields. Then forwards it, with what was changed in it, as
 * everything else.
 */
function packetReader(
  onPacket: (kind: number, fields: Buffer) => void,
  forward: (bytes: Buffer) => unknown = () => undefined,
) {
  let left = Buffer.alloc(0);
  let state: 'line' | 'packets' | 'encrypted' = 'line';
  const take = (length: number) => {
    const taken = left.subarray(0, length);
    left = left.subarray(length);
    return taken;
  };
  return (bytes: Buffer) => {
    left = Buffer.concat([left, bytes]);
    if (state === 'line' && left.includes('\n')) {
      forward(take(left.indexOf('\n') + 1));
      state = 'packets';
    }
    while (state === 'packets' && left.length >= 6 && left.length >= 4 + left.readUInt32BE()) {
      const whole = take(4 + left.readUInt32BE());
      const kind = whole.readUInt8(5);
      onPacket(kind, whole.subarray(6, whole.length - whole.readUInt8(4)));
      forward(whole);
      if (kind === message.newKeys) state = 'encrypted';
    }
    if (state === 'encrypted') forward(take(left.length));
  };
}

/** Whether the signature is by this host key, as ssh2 looks at both (lib/protocol/kex.js). */
export function isSignedBy(hostKey: Buffer, signature: Buffer): boolean {
  const key = ssh2.utils.parseKey(hostKey);
  if (key instanceof Error) throw key;
  return key.verify(Buffer.alloc(64), signature, 'sha512') === true;
}

/** Bits of an unsigned number. */
export function bitsIn(number: Buffer): number {
  return BigInt(`0x0${number.toString('hex')}`).toString(2).length;
}

interface Group {
  prime: Buffer;
  generator: Buffer;
}

/** A device that chooses this group for every key exchange. Notes the client's offers, its request, and its public key. */
export async function startGroupServer({ prime, generator }: Group) {
  const algorithms = ['diffie-hellman-group-exchange-sha256', 'rsa-sha2-512'];
  const each = [...algorithms, ...Array(2).fill('aes256-ctr'), ...Array(2).fill('hmac-sha2-256')];
  const lists = [...each, 'none', 'none', '', ''].map((names) => field(Buffer.from(names)));
  const hello = packet(message.keyExchange, Buffer.alloc(16), ...lists, Buffer.alloc(5));
  const seen: { offers: string[]; request: number[]; publicKey: Buffer | undefined } = {
    offers: [],
    request: [],
    publicKey: undefined,
  };
  const server = await startTcpServer((socket) => {
    socket.write('SSH-2.0-switch\r\n');
    socket.write(hello);
    const read = packetReader((kind, fields) => {
      if (kind === message.keyExchange) seen.offers = nameLists(fields);
      if (kind === message.request) {
        seen.request = [0, 4, 8].map((at) => fields.readUInt32BE(at));
        socket.write(packet(message.group, field(prime), field(generator)));
      }
      if (kind === message.init) {
        seen.publicKey = fields.subarray(4);
        socket.end();
      }
    });
    socket.on('data', read);
  });
  return { ...server, seen };
}

function nameLists(fields: Buffer): string[] {
  let at = 16;
  return Array.from({ length: 10 }, () => {
    const end = at + 4 + fields.readUInt32BE(at);
    const list = fields.toString('latin1', at + 4, end);
    at = end;
    return list;
  });
}

/**
 * Forwards to a server whose key exchanges are all group exchanges.
 *
 * @param onGroup called with the prime of each group that the server chooses; changes to it reach the client
 */
export async function startGroupRelay(port: number, onGroup: (prime: Buffer) => void) {
  return await startTcpServer((client) => relay(client, connect(port, '127.0.0.1'), onGroup));
}

function relay(client: Socket, server: Socket, onGroup: (prime: Buffer) => void): void {
  const onPacket = (kind: number, fields: Buffer) => {
    if (kind === message.group) onGroup(fields.subarray(4, 4 + fields.readUInt32BE()));
  };
  const toClient = packetReader(onPacket, (bytes) => client.write(bytes));
  server.on('error', () => client.destroy());
  server.on('close', () => client.destroy());
  client.on('close', () => server.destroy());
  client.on('data', (bytes) => server.write(bytes));
  server.on('data', toClient);
}
