/** The time server of a rack, which its jumphost has as a source. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** @param address of this computer */
export async function startTimeServer(address: string) {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  socket.on('message', (request, from) =>
    socket.send(timeAnswer(request), from.port, from.address),
  );
  socket.bind(123, address);
  await once(socket, 'listening');
  return socket;
}

/** Of a server that is itself synchronised (RFC 5905, section 7.3). */
function timeAnswer(request: Buffer): Buffer {
  const answer = Buffer.alloc(48);
  answer.set([0x24, 2, 6, 0xec]);
  answer.write('TEST', 12);
  request.copy(answer, 24, 40, 48);
  const now = Date.now();
  for (const at of [16, 32, 40]) {
    answer.writeUInt32BE(Math.floor(now / 1000) + 2_208_988_800, at);
    answer.writeUInt32BE(Math.floor((now % 1000) * 4_294_967.296), at + 4);
  }
  return answer;
}
