import type { Server, ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * How long a connection stays open after its last byte. A client does not know that the server stops: requests meanwhile
 * are answered with `Connection: close`. Two servers in turn need less than a second.
 */
const idleForMs = 400;

interface Connection {
  socket: Socket;
  /** The socket of its requests, which with TLS is another one. */
  asked?: Socket;
  /** Bytes that had arrived when it was last inspected. */
  arrived?: number;
}

/**
 * Tracks the connections of a server, so that it can stop without losing a request and without waiting long for idle
 * ones. Call it before the server listens.
 */
export function drainable(
  server: Server,
  { idleMs = idleForMs }: { idleMs?: number } = {},
): { drain(withinMs: number): Promise<void> } {
  // By address and port of the peer: a TLS request has another socket than its connection.
  const connections = new Map<string, Connection>();
  // Only the last response of a connection: earlier ones finish first. So a request costs one look-up.
  const lastAnswers = new Map<Socket, ServerResponse>();
  let accepted = 0;
  let draining = false;

  server.on('connection', (socket: Socket) => {
    accepted += 1;
    const peer = peerOf(socket);
    connections.set(peer, { socket });
    socket.once('close', () => connections.delete(peer));
  });

  server.prependListener('request', ({ socket }, response) => {
    if (!lastAnswers.has(socket)) {
      const connection = connections.get(peerOf(socket));
      if (connection) connection.asked = socket;
      socket.once('close', () => lastAnswers.delete(socket));
    }
    lastAnswers.set(socket, response);
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
    for (const connection of connections.values()) {
      const { socket, asked, arrived } = connection;
      const isRunning = asked !== undefined && lastAnswers.get(asked)?.closed === false;
      if (!isRunning && arrived === socket.bytesRead) socket.destroy();
      connection.arrived = socket.bytesRead;
    }
  }

  /**
   * Stops accepting, answers running requests and, for a moment, new ones on open connections. Then closes these, and all
   * others after `withinMs`.
   */
  async function drain(withinMs: number): Promise<void> {
    await acceptAll();
    // The close of http would close idle connections at once.
    const closed = new Promise<void>((resolve) => {
      NetServer.prototype.close.call(server, () => resolve());
    });
    // Not before: its client would connect again, and the close of the listener would reset that.
    draining = true;
    for (const response of lastAnswers.values()) {
      if (!response.headersSent) response.shouldKeepAlive = false;
    }
    closeIdle();
    // Timers run before the network is polled: closing then would reset a request that has arrived but was not read.
    const idle = setInterval(() => setImmediate(closeIdle), Math.min(idleMs, withinMs));
    const deadline = setTimeout(() => {
      for (const { socket } of connections.values()) socket.destroy();
    }, withinMs);
    await closed;
    clearInterval(idle);
    clearTimeout(deadline);
    // Ends a timer of http, which the other close leaves running.
    server.close();
  }

  return { drain };
}

function peerOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}
