import type { Server, ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * How long connections stay open that wait for a request. A client cannot know that the server stops: what it sends
 * meanwhile is answered, with `Connection: close`. Two servers in turn take less than a second.
 */
const idleForMs = 400;

/**
 * Follows a server's connections from its first one on, so that it can be stopped without losing a request and without
 * waiting long for idle ones. Call it before the server listens.
 */
export function drainable(
  server: Server,
  { idleMs = idleForMs }: { idleMs?: number } = {},
): { drain(withinMs: number): Promise<void> } {
  // By the peer's address and port, since a TLS request's socket is not the one that the connection began with.
  const connections = new Map<string, { socket: Socket; asked: boolean }>();
  // Only the last answer of a connection: those before it are finished first. Kept so that a request costs one look-up.
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

  /** Its connection is not kept for another request. */
  function finish(response: ServerResponse): void {
    if (!response.headersSent) response.shouldKeepAlive = false;
    // The connection counts as idle only after this event.
    response.once('close', () => {
      if (areIdleClosed) setImmediate(() => server.closeIdleConnections());
    });
  }

  function closeIdle(): void {
    areIdleClosed = true;
    // Also ends Node's own timer, which the other close left running.
    server.close();
    // Node does not count a connection as idle before its first request.
    for (const { socket, asked } of connections.values()) if (!asked) socket.destroy();
  }

  /**
   * Stops accepting, answers what is under way and what comes on open connections for a moment more, closes those, and
   * cuts off the rest after `withinMs`.
   */
  async function drain(withinMs: number): Promise<void> {
    draining = true;
    for (const response of lastAnswers.values()) if (!response.closed) finish(response);
    // Accepts those whose connection is made already: the second turn comes after a look at the network.
    await nextTurn();
    await nextTurn();
    // That of http would close idle connections at once.
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
