/** What a look at a port proves, over real sockets. */
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { listen as listenAt } from '@skolo/base/testing';
import { parseRack } from '@skolo/rack';
import { freeTcpPort } from '@skolo/simulators/free-port';
import { describe, expect, it, onTestFinished } from 'vitest';
import { rackYaml } from '../testing/daemon.ts';
import { isDown, type Look, probeOf, runs } from './probe.ts';
import { seeDown } from './watch.ts';

const host = '127.0.1.1';
const { signal } = new AbortController();
const listen = (server: Server) => listenAt(server, onTestFinished, host);

function probe(seenBack: string) {
  const text = `machines: { m: { kind: host, address: ${host}, seenBack: { ${seenBack} } } }`;
  const rack = parseRack(rackYaml(text), { file: 'rack.yaml' });
  const machine = rack.machines.get('m');
  const found = machine && probeOf(rack, machine);
  if (found === undefined) throw new Error('no probe');
  return found;
}

async function ssh(serve: (socket: Socket) => void) {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    serve(socket);
  });
  return probe(`ssh: ${await listen(server)}`);
}

async function http(respond: RequestListener) {
  return probe(`http: "http://${host}:${await listen(createHttpServer(respond))}/"`);
}

describe('a machine', () => {
  it.each<[string, Look['is'], () => Promise<ReturnType<typeof probe>>]>([
    ['with sshd', 'up', () => ssh((socket) => socket.write('SSH-2.0-OpenSSH_9.8\r\n'))],
    [
      'with lines before the version',
      'up',
      () => ssh((socket) => socket.write('Keep out\r\nSSH-2.0-OpenSSH_9.8\r\n')),
    ],
    [
      'whose sshd penalises us',
      'closed',
      () => ssh((socket) => socket.end('Not allowed at this time\r\n')),
    ],
    ['whose sshd has too many connections', 'closed', () => ssh((socket) => socket.end())],
    ['that resets connections', 'closed', () => ssh((socket) => socket.resetAndDestroy())],
    ['that hangs', 'silent', () => ssh(() => undefined)],
    ['without sshd', 'refused', async () => probe(`ssh: ${await freeTcpPort()}`)],
    ['with a page', 'up', () => http((_request, response) => response.end('fine'))],
    ['with an error page', 'closed', () => http((_, response) => response.writeHead(503).end())],
    ['whose page never arrives', 'silent', () => http(() => undefined)],
    ['that cuts its page', 'silent', () => http((request) => request.socket.destroy())],
    [
      'without a page',
      'refused',
      async () => probe(`http: "http://${host}:${await freeTcpPort()}/"`),
    ],
  ])('%s is %s', async (_what, expected, start) => {
    const look = await (await start())(expected === 'silent' ? 300 : 60_000, signal);

    expect(look).toMatchObject({ is: expected });
    expect(isDown(look)).toBe(expected === 'refused');
    expect(runs(look)).toBe(expected === 'up' || expected === 'closed');
  });

  it('that accepts a connection while this process is paused is not down', async () => {
    const silent = await ssh(() => undefined);

    const look = silent(50, signal);
    // Until it connects.
    await new Promise((resolve) => process.nextTick(resolve));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);

    expect(await look).toMatchObject({ is: 'silent' });
  });

  it('that accepts connections is never seen down, whatever it does with them', async () => {
    let count = 0;
    const watching = new AbortController();
    const rude = await ssh((socket) => {
      count += 1;
      if (count === 12) watching.abort(new Error('enough'));
      if (count % 3 === 0) socket.resetAndDestroy();
      else if (count % 3 === 1) socket.end('Not allowed at this time\r\n');
    });

    const observer = { probe: rude, agent: undefined };
    const tuning = { lookMs: 50, everyMs: 5, downMs: 5 };
    const down = seeDown(observer, 3_600_000, tuning, watching.signal);

    await expect(down).rejects.toThrow('enough');
  });
});
