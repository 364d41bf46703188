import type { Server, ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * How long idle connections stay open. A client does not know that the server stops: requests meanwhile are answered with
 * `Connection: close`. Two servers in turn need less than a second.
 */
const idleForMs = 400;

/**
 * Tracks the connections of a server, so that it can stop without losing a request and without waiting long for idle
 * ones. Call it before the server listens.
 */
export function drainable(
  server: Server,
  { idleMs = idleForMs }: { idleMs?: number } = {},
): { drain(withinMs: number): Promise<void> } {
  // By address and port of the peer: a TLS request has another socket than its connection.
  const connections = new Map<string, { socket: Socket; asked: boolean }>();
  // Only the last response of a connection: earlier ones finish first. So a request costs one look-up.
  const lastAnswers = new Map<Socket, ServerResponse>();
  let draining = false;
  let areIdleClosed = false;

  server.on('connection', (socket: Socket) => {
    const peer = peerOf(socket);
    connections.set(peer, { socket, asked: false });
    socket.once('close', () => connections.delete(peer));
  });

  server.prependListener('request', ({ socket }, response) => {
    if (!lastAnswers.has(socket)) {
      const connection = connections.get(peerOf(socket));
      if (connection) connection.asked = true;
      socket.once('close', () => lastAnswers.delete(socket));
    }
    lastAnswers.set(socket, response);
    if (draining) finish(response);
  });

  /** Closes the connection after this response. */
  function finish(response: ServerResponse): void {
    if (!response.headersSent) response.shouldKeepAlive = false;
    // The connection is idle only after this event.
    response.once('close', () => {
      if (areIdleClosed) setImmediate(() => server.closeIdleConnections());
    });
  }

  function closeIdle(): void {
    areIdleClosed = true;
    // Also ends Node's timer, which the other close leaves running.
    server.close();
    // Node does not count a connection as idle before its first request.
    for (const { socket, asked } of connections.values()) if (!asked) socket.destroy();
  }

  /**
   * Stops accepting, answers running requests and, for a moment, new ones on open connections. Then closes these, and all
   * others after `withinMs`.
   */
  async function drain(withinMs: number): Promise<void> {
    draining = true;
    for (const response of lastAnswers.values()) if (!response.closed) finish(response);
    // Accepts connections that are already established: the second turn is after a poll of the network.
    await nextTurn();
    await nextTurn();
    // The close of http would close idle connections at once.
    const closed = new Promise<void>((resolve) => {
      NetServer.prototype.close.call(server, () => resolve());
    });
    const idle = setTimeout(closeIdle, Math.min(idleMs, withinMs));
    const deadline = setTimeout(() => {
      for (const { socket } of connections.values()) socket.destroy();
    }, withinMs);
    await closed;
    clearTimeout(idle);
    clearTimeout(deadline);
    closeIdle();
  }

  return { drain };
}

function peerOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}
