import { once } from 'node:events';
import { Agent, createServer as createWebServer, request } from 'node:http';
import { connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { errorCode } from '@skolo/base';
import { listen } from '@skolo/base/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type NetworkFault, startRelay } from './relay.ts';

/** Behind a relay, a server that answers each packet with ten bytes. */
async function start() {
  const received: string[] = [];
  const server = createServer((socket) => {
    socket
      .on('error', () => {})
      .on('data', (bytes) => {
        received.push(bytes.toString());
        socket.write('0123456789');
      });
  });
  const relay = await startRelay({ port: await listen(server) });
  onTestFinished(() => relay.close());
  return { relay, received };
}

/** What becomes of a connection on which a client says this. */
function say(what: string, port: number) {
  const socket = connect(port, '127.0.0.1');
  let [heard, packets, end] = ['', 0, 'open'];
  socket.on('data', (bytes) => {
    heard += bytes.toString('latin1');
    packets += 1;
  });
  socket.on('error', ({ code = '' }: NodeJS.ErrnoException) => {
    end = code;
  });
  socket.on('end', () => {
    end = 'ended';
  });
  socket.write(what);
  return { socket, heard: () => heard, packets: () => packets, end: () => end };
}

const garbage = Buffer.from(Array.from({ length: 256 }, (_, i) => 255 - i)).toString('latin1');

describe('a relay', () => {
  it.each<[NetworkFault, heard: string, end: string, received: string]>([
    [{ effect: 'reset' }, '', 'ECONNRESET', ''],
    [{ effect: 'end' }, '', 'ended', ''],
    [{ effect: 'silence' }, '', 'open', ''],
    [{ effect: 'garbage' }, garbage, 'ended', ''],
    [{ after: { sent: 3 }, effect: 'reset' }, '', 'ECONNRESET', 'ask'],
    [{ after: { sent: 3 }, effect: 'silence' }, '', 'open', 'ask'],
    [{ after: { answered: 0 }, effect: 'silence' }, '', 'open', 'ask me'],
    [{ after: { answered: 0 }, effect: 'garbage' }, garbage, 'ended', 'ask me'],
    [{ after: { answered: 4 }, effect: 'reset' }, '0123', 'ECONNRESET', 'ask me'],
    [{ after: { answered: 4 }, effect: 'end' }, '0123', 'ended', 'ask me'],
    [{ after: { answered: 4 }, effect: 'silence' }, '0123', 'open', 'ask me'],
    [{ after: { answered: 4 }, effect: 'drip' }, '0123456789', 'open', 'ask me'],
    [{ effect: 'wait', milliseconds: 1 }, '0123456789', 'open', 'ask me'],
  ])('injects %o', async (data, heard, end, received) => {
    const { relay, received: got } = await start();
    const fault = relay.inject(data);

    const client = say('ask me', relay.port);
    await fault.struck();
    await expect.poll(client.heard).toBe(heard);
    await expect.poll(client.end).toBe(end);
    client.socket.destroy();
    await fault.givenUp();

    expect(client.heard()).toBe(heard);
    if (data.effect === 'drip') expect(client.packets()).toBeGreaterThan(1);
    await expect.poll(() => got.join('')).toBe(received);
    expect(fault.hits).toBe(1);
  });

  it('delays what is sent until the fault ends, and nothing afterwards', async () => {
    const { relay, received } = await start();
    const fault = relay.inject({ effect: 'wait', times: 1 });
    const client = say('ask me', relay.port);
    await fault.struck();
    const other = say('!', relay.port);
    await expect.poll(other.heard).toBe('0123456789');
    expect([client.heard(), received]).toEqual(['', ['!']]);

    relay.mend();
    await expect.poll(client.heard).toBe('0123456789');
    client.socket.write('again');

    await expect.poll(() => received).toEqual(['!', 'ask me', 'again']);
    for (const { socket } of [client, other]) socket.destroy();
  });

  it.each([{ effect: 'wait', milliseconds: 20 }, { effect: 'drip' }] as const)(
    'passes all of an answer with which the connection ends: %o',
    async (fault) => {
      const server = createServer((socket) => socket.on('error', () => {}).end('0123456789'));
      const relay = await startRelay({ port: await listen(server) });
      relay.inject(fault);

      const client = say('', relay.port);

      await expect.poll(client.end).toBe('ended');
      expect(client.heard()).toBe('0123456789');
      await relay.close();
    },
  );

  it('stays silent when the counterpart ends the connection, and keeps none when it is closed', async () => {
    const ends: Promise<unknown>[] = [];
    const server = createServer((socket) => {
      ends.push(once(socket.on('error', () => {}).resume(), 'close'));
      if (ends.length === 1) socket.end('0123456789');
    });
    const relay = await startRelay({ port: await listen(server) });
    const silence = relay.inject({ after: { answered: 0 }, effect: 'silence', times: 1 });
    const client = say('ask me', relay.port);
    await silence.struck();
    await ends[0];
    const wait = relay.inject({ effect: 'wait' });
    const other = say('ask me', relay.port);
    await wait.struck();
    await expect.poll(() => ends.length).toBe(2);
    expect([client.end(), other.end()]).toEqual(['open', 'open']);

    await relay.close();

    await ends[1];
    await expect.poll(client.end).toBe('ended');
  });

  it('does not strike once the fault has ended', async () => {
    const { relay } = await start();
    relay.inject({ after: { answered: 15 }, effect: 'reset' });
    const client = say('ask me', relay.port);
    await expect.poll(client.heard).toBe('0123456789');

    relay.mend();
    client.socket.write('again');

    await expect.poll(client.heard).toBe('01234567890123456789');
    client.socket.destroy();
  });

  it('affects certain requests of a connection, so many of them, the oldest fault first', async () => {
    const server = createWebServer(({ url }, response) => response.end(url));
    const relay = await startRelay({ port: await listen(server) });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const asked = async (path: string) => {
      const sent = request(relay.url + path, { agent }).end();
      try {
        const [response] = await once(sent, 'response');
        return await text(response);
      } catch (error) {
        return errorCode(error);
      }
    };
    expect(await asked('/b')).toBe('/b');
    relay.inject({ at: /GET \/b/, effect: 'reset', times: 1 });
    relay.inject({ at: /GET \/[bc]/, after: { answered: 20 }, effect: 'end', times: 2 });

    const answers = [];
    for (const path of ['/a', '/b', '/b', '/a', '/c', '/c']) answers.push(await asked(path));

    expect(answers).toEqual(['/a', 'ECONNRESET', 'ECONNRESET', '/a', 'ECONNRESET', '/c']);
    await relay.close();
  });

  it('refuses connections while it is closed, and resets those of a counterpart that is not there', async () => {
    const counterpart = { port: 1 };
    const relay = await startRelay(counterpart);
    const { port } = relay;
    const end = (client: ReturnType<typeof say>) => expect.poll(client.end);
    await end(say('', port)).toBe('ECONNRESET');
    counterpart.port = await listen(createServer());
    const client = say('', port);
    await once(client.socket, 'connect');

    expect(relay.cut()).toBe(1);
    await end(client).toBe('ECONNRESET');
    await relay.close();
    await end(say('', port)).toBe('ECONNREFUSED');
    await relay.open();

    const last = say('', port);
    await once(last.socket, 'connect');
    expect(relay.port).toBe(port);
    await relay.close();
    await end(last).toBe('ended');
  });
});
