/** Requests as bytes, because clients of HTTP do not send what servers must reject. */
import { createPrivateKey } from 'node:crypto';
import { connect } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { agentKeyHeader, createSigner } from '@skolo/api/signature';
import { agentPublicKey, type Secret } from '@skolo/base/secrets';

export interface Target {
  port: number;
  tls?: ConnectionOptions | undefined;
}

export interface Asked {
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: string | Buffer;
  /** The caller's address. */
  from: string;
  /** Lines after the other headers. */
  more?: readonly string[];
}

export interface Reply {
  status: number;
  head: string;
  body: string;
}

/** Each character is a byte. */
export function bytesOf(
  { method, path, headers, body, more = [] }: Asked,
  { closes = true, inChunks = false } = {},
): string {
  const sent = Buffer.from(body ?? '').toString('latin1');
  const framing = inChunks ? ['transfer-encoding', 'chunked'] : ['content-length', sent.length];
  const all = {
    host: '127.0.0.1',
    ...headers,
    ...(body !== undefined && Object.fromEntries([framing])),
    ...(closes && { connection: 'close' }),
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  const chunks = inChunks ? `${sent.length.toString(16)}\r\n${sent}\r\n0\r\n\r\n` : sent;
  return [`${method} ${path} HTTP/1.1`, ...lines, ...more, '', chunks].join('\r\n');
}

/** What the server sends until it closes the connection. */
export async function exchange({ port, tls }: Target, bytes: string, from: string) {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from });
  const connection = tls ? connectTls({ ...tls, socket }) : socket;
  // A server that rejects a body may close before it is sent.
  for (const each of [socket, connection]) each.on('error', () => undefined);
  connection.write(bytes, 'latin1');
  const pieces: Buffer[] = [];
  connection.on('data', (piece: Buffer) => pieces.push(piece));
  await new Promise((resolve) => connection.once('close', resolve));
  return Buffer.concat(pieces).toString();
}

export async function send(target: Target, asked: Asked): Promise<Reply> {
  const all = await exchange(target, bytesOf(asked), asked.from);
  const [head = '', body = ''] = all.split(/\r\n\r\n(.*)/s);
  return { status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]), head, body };
}

interface Signer {
  key: Secret;
  rack: string;
  machine: string;
  showsKey?: boolean;
}

/**
 * Headers that sign the request with a challenge of the server.
 *
 * @param body default: that of the request
 */
export async function signed(
  target: Target,
  asked: Asked,
  by: Signer,
  body = `${asked.body ?? ''}`,
) {
  const { key, showsKey, ...receiver } = by;
  const { head } = await send(target, { method: 'GET', path: '/', headers: {}, from: asked.from });
  const challenge = /^accept-signature: (.*?)\r?$/im.exec(head)?.[1] ?? null;
  const signer = createSigner(createPrivateKey(key.reveal()), receiver);
  signer.learn({ get: () => challenge });
  const headers = signer.sign({ method: asked.method, target: asked.path, body });
  return { ...headers, ...(showsKey && { [agentKeyHeader]: agentPublicKey(key) }) };
}
