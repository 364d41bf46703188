/** Decides how a server stops: it completes requests in progress, and closes idle connections soon. */
import type { Server } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { trackConnections } from './tracked.ts';

/**
 * How long a connection stays open after its last byte. Clients do not know that the server is stopping, so responses close the
 * connection. Two servers in turn need less than a second.
 */
const idleForMs = 400;

/**
 * Lets a server stop without losing a request and without waiting long for idle connections. Call it before the server
 * listens.
 */
export function drainable(
  server: Server,
  { idleMs = idleForMs }: { idleMs?: number } = {},
): { drain(withinMs: number): Promise<void> } {
  const { all } = trackConnections(server);
  /** Bytes that had arrived on a connection when it was last inspected. */
  const arrived = new WeakMap<Socket, number>();
  let accepted = 0;
  let draining = false;

  server.on('connection', () => {
    accepted += 1;
  });

  server.prependListener('request', (_request, response) => {
    if (draining && !response.headersSent) response.shouldKeepAlive = false;
  });

  /** Accepts connections that the kernel has established: closing the listener would reset them. */
  async function acceptAll(): Promise<void> {
    const until = performance.now() + idleMs;
    let before: number;
    do {
      before = accepted;
      // The second turn is after a poll of the network.
      await nextTurn();
      await nextTurn();
    } while (accepted > before && performance.now() < until);
  }

  /** Closes connections without a running request and without a byte since the last inspection. */
  function closeIdle(): void {
    for (const { socket, response } of all) {
      const isRunning = response?.closed === false;
      if (!isRunning && arrived.get(socket) === socket.bytesRead) socket.destroy();
      arrived.set(socket, socket.bytesRead);
    }
  }

  /**
   * Stops accepting, answers running requests and, for a moment, new ones on open connections. Then closes these, and all
   * others after `withinMs`.
   */
  async function drain(withinMs: number): Promise<void> {
    await acceptAll();
    // http's close would close idle connections immediately.
    const closed = new Promise<void>((resolve) => {
      NetServer.prototype.close.call(server, () => resolve());
    });
    // Not earlier, because its client would connect again, and closing the listener would reset that connection.
    draining = true;
    for (const { response } of all) {
      if (response?.headersSent === false) response.shouldKeepAlive = false;
    }
    closeIdle();
    // Timers run before the network is polled: closing then would reset a request that has arrived but was not read.
    const idle = setInterval(() => setImmediate(closeIdle), Math.min(idleMs, withinMs));
    const deadline = setTimeout(() => {
      for (const { socket } of all) socket.destroy();
    }, withinMs);
    await closed;
    clearInterval(idle);
    clearTimeout(deadline);
    // Ends a timer of http, which the other close leaves running.
    server.close();
  }

  return { drain };
}
