import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Follows a server's connections from its first one on, so that it can be stopped without waiting for idle ones.
 * Call it before the server listens.
 */
export function drainable(server: Server): { drain(withinMs: number): Promise<void> } {
  // By the peer's address and port, since a TLS request's socket is not the one that the connection began with.
  const connections = new Map<string, { socket: Socket; asked: boolean }>();
  // Only the last answer of a connection: those before it are finished first. Kept so that a request costs one look-up.
  const lastAnswers = new Map<Socket, ServerResponse>();
  let draining = false;

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
    response.once('close', () => setImmediate(() => server.closeIdleConnections()));
  }

  /** Stops accepting, closes idle connections at once, finishes what is under way, and cuts off the rest after `withinMs`. */
  async function drain(withinMs: number): Promise<void> {
    draining = true;
    for (const response of lastAnswers.values()) if (!response.closed) finish(response);
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    // Node does not count a connection as idle before its first request.
    for (const { socket, asked } of connections.values()) if (!asked) socket.destroy();
    const deadline = setTimeout(() => {
      for (const { socket } of connections.values()) socket.destroy();
    }, withinMs);
    await closed;
    clearTimeout(deadline);
  }

  return { drain };
}

function peerOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}
