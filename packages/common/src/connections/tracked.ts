/** Tracks the connections of a server, and the progress of their requests. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export interface Connection {
  /** Of TCP: with TLS, requests have another one. */
  readonly socket: Socket;
  /** The last request and its response: earlier ones finish first. */
  request?: IncomingMessage;
  response?: ServerResponse;
  /** The response to the request before. */
  previous?: ServerResponse | undefined;
  /** Requests without a finished response. */
  unanswered: number;
  /** When it was opened, or since then the last request began or was answered; milliseconds of `performance.now()`. */
  since: number;
}

interface Tracked {
  readonly all: ReadonlySet<Connection>;
  /** @param socket of the connection, or of a request */
  of(socket: Socket): Connection | undefined;
}

const servers = new WeakMap<Server, Tracked>();

/** Call it before the server listens; again, it returns the same. */
export function trackConnections(server: Server): Tracked {
  const known = servers.get(server);
  if (known) return known;
  const all = new Set<Connection>();
  const byEnds = new Map<string, Connection>();
  const bySocket = new WeakMap<Socket, Connection>();

  server.prependListener('connection', (socket: Socket) => {
    const ends = endsOf(socket);
    const connection: Connection = { socket, unanswered: 0, since: performance.now() };
    all.add(connection);
    byEnds.set(ends, connection);
    bySocket.set(socket, connection);
    socket.once('close', () => {
      all.delete(connection);
      if (byEnds.get(ends) === connection) byEnds.delete(ends);
    });
  });
  server.prependListener('secureConnection', (socket: Socket) => {
    const connection = byEnds.get(endsOf(socket));
    if (connection) bySocket.set(socket, connection);
  });
  server.prependListener('request', (request, response) => {
    const connection = bySocket.get(request.socket);
    if (connection === undefined) return;
    connection.previous = connection.response;
    connection.request = request;
    connection.response = response;
    connection.unanswered += 1;
    connection.since = performance.now();
    response.once('close', () => {
      connection.unanswered -= 1;
      connection.since = performance.now();
    });
  });

  const tracked = { all, of: (socket: Socket) => bySocket.get(socket) };
  servers.set(server, tracked);
  return tracked;
}

/** A TLS socket has the same as its connection. */
function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
