/**
 * Runs in a container: networks of tests have no way to the computer, so connections go through sockets in a folder
 * that both see.
 *
 *   node relay-main.js FOLDER [PORT…]
 *
 * FOLDER/in.sock takes the test's connections to containers; their first line is `HOST PORT`.
 * What containers connect to, one of the PORTs here, goes to the test, which listens at FOLDER/PORT.sock.
 */
import { chmodSync } from 'node:fs';
import { connect, createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream';

const [folder = '', ...ports] = process.argv.slice(2);
const allowHalfOpen = true;

/** Until both have ended, or one is broken. */
function tie(one: Socket, other: Socket): void {
  pipeline(one, other, one, () => {
    one.destroy();
    other.destroy();
  });
}

function inward(socket: Socket): void {
  let head = Buffer.alloc(0);
  socket.on('error', () => socket.destroy());
  socket.on('data', function read(data: Buffer) {
    head = Buffer.concat([head, data]);
    const end = head.indexOf('\n');
    if (end < 0) return;
    socket.off('data', read).pause();
    const [host = '', port] = head.subarray(0, end).toString().split(' ');
    socket.unshift(head.subarray(end + 1));
    tie(socket, connect({ host, port: Number(port), allowHalfOpen }));
  });
}

function outward(socket: Socket, port: string): void {
  tie(socket, connect({ path: join(folder, `${port}.sock`), allowHalfOpen }));
}

function listening(server: Server, where: ListenOptions): Promise<void> {
  return new Promise((resolve) => server.listen(where, resolve));
}

for (const port of ports) {
  const server = createServer({ allowHalfOpen }, (socket) => outward(socket, port));
  await listening(server, { port: Number(port), host: '0.0.0.0' });
}
// The last one: who sees it knows that all are there.
const socketPath = join(folder, 'in.sock');
await listening(createServer({ allowHalfOpen }, inward), { path: socketPath });
// The test need not be root.
chmodSync(socketPath, 0o666);
process.on('SIGTERM', () => process.exit(0));
