/** Relays datagrams between `HOST PORT` and standard input and output, where each has a two-byte length in front. */
import { createSocket } from 'node:dgram';

const [host = '', port] = process.argv.slice(1);
const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
let rest = Buffer.alloc(0);
socket.on('message', (message) => {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(message.length);
  process.stdout.write(Buffer.concat([head, message]));
});
socket.on('error', ({ message }) => {
  console.error(message);
  process.exit(1);
});
socket.connect(Number(port), host, () => {
  process.stdin.on('data', (data) => {
    rest = Buffer.concat([rest, data]);
    while (rest.length > 1 && rest.length >= 2 + rest.readUInt16BE()) {
      const end = 2 + rest.readUInt16BE();
      socket.send(rest.subarray(2, end));
      rest = rest.subarray(end);
    }
  });
  process.stdin.on('end', () => process.exit());
});
