import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Follows a server's connections from its first one on, so that it can be stopped without waiting for idle ones.
 * Call it before the server listens.
 */
export function drainable(server: Server): { drain(withinMs: number): Promise<void> } {
  const underWay = new Set<ServerResponse>();
  // By the peer's address and port, since a TLS request's socket is not the one that the connection began with.
  const connections = new Map<string, { socket: Socket; asked: boolean }>();
  let draining = false;

  server.on('connection', (socket: Socket) => {
    const peer = peerOf(socket);
    connections.set(peer, { socket, asked: false });
    socket.once('close', () => connections.delete(peer));
  });

  server.prependListener('request', (request, response) => {
    const connection = connections.get(peerOf(request.socket));
    if (connection) connection.asked = true;
    underWay.add(response);
    if (draining) response.shouldKeepAlive = false;
    response.once('close', () => {
      underWay.delete(response);
      // The connection counts as idle only after this event.
      if (draining) setImmediate(() => server.closeIdleConnections());
    });
  });

  /** Stops accepting, closes idle connections at once, finishes what is under way, and cuts off the rest after `withinMs`. */
  async function drain(withinMs: number): Promise<void> {
    draining = true;
    // Answers that have not begun yet then say `connection: close`.
    for (const response of underWay) if (!response.headersSent) response.shouldKeepAlive = false;
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
