/** Limits the connections of each address. One too many gets an answer and is closed. */
import type { Socket } from 'node:net';
import { normaliseAddress } from '@skolo/common';
import { malformedPage } from './answers.ts';
import type { EmitMetadata } from './events.ts';

export interface ConnectionsDeps {
  /** Of one address; undefined: any number. */
  most: (address: string) => number | undefined;
  emit: EmitMetadata;
}

const retryAfterSeconds = 5;

/** Returns what to call with each new connection. */
export function limitConnections({ most, emit }: ConnectionsDeps): (socket: Socket) => void {
  const open = new Map<string, number>();

  return function onConnection(socket) {
    const address = normaliseAddress(socket.remoteAddress ?? '') ?? 'unknown';
    const limit = most(address);
    const count = open.get(address) ?? 0;
    if (limit !== undefined && count >= limit) {
      reject(socket, `${address} has ${limit} connections open already.`);
      emit({ type: 'connection-rejected', address });
      return;
    }
    open.set(address, count + 1);
    socket.once('close', () => {
      const left = (open.get(address) ?? 1) - 1;
      if (left > 0) open.set(address, left);
      else open.delete(address);
    });
  };
}

/** Without a look at the request: who opens too many may never send one. */
function reject(socket: Socket, detail: string): void {
  const { headers, body } = malformedPage({ status: 429, detail });
  const head = [
    'HTTP/1.1 429 Too Many Requests',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `Content-Length: ${Buffer.byteLength(body)}`,
    `Retry-After: ${retryAfterSeconds}`,
    'Connection: close',
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroySoon();
}
