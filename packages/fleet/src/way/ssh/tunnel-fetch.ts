/** `fetch` through a rack's tunnel. */
import type { Socket } from 'node:net';
import { errorCode } from '@skolo/base';
import { type Fetch, fetchOver, hostOf, overTls, portOf } from '@skolo/base/internet';
import { markForwarded } from '../local/forwarded.ts';

export type Open = (host: string, port: number, signal: AbortSignal) => Promise<Socket>;

/** How long a request waits for the tunnel. */
const patienceMs = 20_000;

/** Every request is marked as forwarded. */
export function tunnelFetch(open: Open): Fetch {
  return async function fetchThroughTunnel(input, init) {
    let hasAnswered = () => true;
    const request = fetchOver(async (url, headers, signal) => {
      const signals = [AbortSignal.timeout(patienceMs), ...(signal ? [signal] : [])];
      const patience = AbortSignal.any(signals);
      const socket = await open(hostOf(url), portOf(url), patience);
      const stream = url.protocol === 'https:' ? overTls(socket, url) : socket;
      // A proxy has responded on it.
      const { bytesRead } = stream;
      hasAnswered = () => stream.bytesRead !== bytesRead;
      const path = url.pathname + url.search;
      const marked = Object.fromEntries(markForwarded(headers));
      return { createConnection: () => stream, path, headers: marked };
    });
    try {
      return await request(input, init);
    } catch (error) {
      const cause = error instanceof TypeError ? error.cause : undefined;
      // ssh closes a connection that the jumphost could not open.
      const isClosed = ['ECONNRESET', 'EPIPE'].includes(errorCode(cause) ?? '');
      if (cause instanceof Error && isClosed && !hasAnswered()) {
        Object.assign(cause, { code: 'ECONNREFUSED' });
      }
      throw error;
    }
  };
}
