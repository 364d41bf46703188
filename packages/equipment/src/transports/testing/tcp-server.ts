/** A TCP server whose connections are handled by a test. */
import { createServer, type Socket } from 'node:net';
import { listen } from '@skolo/base/testing';
import { onTestFinished } from 'vitest';

interface TcpServer {
  port: number;
  sockets: Set<Socket>;
}

/** Closed at the end of the test. */
export async function startTcpServer(serve: (socket: Socket) => void): Promise<TcpServer> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    serve(socket);
  });
  const port = await listen(server);
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  return { port, sockets };
}
