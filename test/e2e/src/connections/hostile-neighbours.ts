/**
 * Connections from many addresses, each with an endless header. Prints `open` once all of them have been opened, or closed by the server,
 * and holds the rest until it is killed.
 *
 * @example node hostile-neighbours.ts '{"ports":[80],"from":["127.0.3.1"],"count":1000,"bytes":14000}'
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { z } from 'zod';

const Attack = z.object({
  ports: z.array(z.int()),
  from: z.array(z.string()),
  /** Connections per port. */
  count: z.int(),
  /** Initial bytes of the header; 0: nothing is sent. */
  bytes: z.int(),
});
export type Attack = z.output<typeof Attack>;

const atOnce = 200;

async function open(port: number, localAddress: string, header: string): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  socket.on('error', () => undefined);
  // Without a reader, the end of a connection would go unnoticed.
  socket.resume();
  if (header !== '') socket.write(header);
  await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => undefined);
}

const { ports, from, count, bytes } = Attack.parse(JSON.parse(process.argv[2] ?? ''));
const header = bytes === 0 ? '' : `GET / HTTP/1.1\r\nHost: x\r\nLong: ${'x'.repeat(bytes)}`;
for (let done = 0; done < count; done += atOnce) {
  const batch = Array.from({ length: Math.min(atOnce, count - done) }, (_, i) => done + i);
  await Promise.all(
    batch.flatMap((i) => ports.map((port) => open(port, from[i % from.length] ?? '', header))),
  );
}
process.stdout.write('open\n');
