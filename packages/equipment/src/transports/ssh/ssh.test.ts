import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { freeTcpPort } from '@skolo/simulators/free-port';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { DeviceBusy, DeviceRejected, DeviceTimeout, DeviceUnreachable } from '../errors.ts';
import { openCli } from '../session/open.ts';
import { limitOf } from '../stream/limit.ts';
import { fastpath } from '../testing/dialects.ts';
import { openSsh, startSwitch } from '../testing/edge-switch.ts';
import { failsWith } from '../testing/sessions.ts';
import { startSshServer } from '../testing/ssh-server.ts';
import { deps, soon, target } from '../testing/targets.ts';
import { startTcpServer } from '../testing/tcp-server.ts';
import { connectSsh } from './ssh.ts';

describe('a device with old ssh', () => {
  it('is reached where its login says legacySsh', async () => {
    const device = await startSwitch({ legacyOnly: true });
    const connected = vi.fn();
    const sessionDeps = await deps({ onConnected: connected });

    await openSsh(device.port, { credentials: { legacySsh: true }, deps: sessionDeps });

    expect(connected.mock.calls).toEqual([
      [
        {
          device: 'switch-1',
          kex: 'diffie-hellman-group14-sha1',
          cipher: 'aes128-cbc',
          legacy: true,
          legacyAlgorithms: ['diffie-hellman-group14-sha1', 'ssh-rsa', 'aes128-cbc', 'hmac-sha1'],
        },
      ],
    ]);
  });

  it('is told about where it does not', async () => {
    const device = await startSwitch({ legacyOnly: true });

    const opened = openSsh(device.port);

    await failsWith(
      opened,
      DeviceRejected,
      'switch-1: offers only outdated key exchanges; set legacySsh: true in its login',
    );
  });

  it.each([
    ['host keys', { serverHostKey: ['ssh-rsa' as const] }],
    ['ciphers', { cipher: ['aes128-cbc' as const] }],
    ['message authentication', { hmac: ['hmac-md5' as const], cipher: ['aes128-ctr' as const] }],
  ])('is told about where only its %s are old', async (what, algorithms) => {
    const server = await startSshServer({ algorithms });

    await expect(openSsh(server.port)).rejects.toThrow(`offers only outdated ${what}`);
  });

  it('is spoken to with new algorithms where it has them', async () => {
    const device = await startSwitch();
    const connected = vi.fn();
    const sessionDeps = await deps({ onConnected: connected });

    await openSsh(device.port, { credentials: { legacySsh: true }, deps: sessionDeps });

    expect(connected.mock.calls[0]?.[0]).toMatchObject({ legacy: false, legacyAlgorithms: [] });
  });
});

/** The name-lists of a client's first SSH_MSG_KEXINIT (RFC 4253, section 7.1). */
function offersIn(received: Buffer): string[][] {
  const packet = received.subarray(received.indexOf('\r\n') + 2);
  let at = 4 + 1 + 1 + 16;
  return Array.from({ length: 10 }, () => {
    const end = at + 4 + packet.readUInt32BE(at);
    const list = packet.toString('latin1', at + 4, end);
    at = end;
    return list.split(',');
  });
}

describe('compression', () => {
  it.each([true, false])('is never offered, with legacySsh: %s', async (legacySsh) => {
    const received: Buffer[] = [];
    const server = await startTcpServer((socket) => {
      socket.write('SSH-2.0-switch\r\n');
      socket.on('data', (bytes) => {
        received.push(bytes);
        if (Buffer.concat(received).length > 500) socket.destroy();
      });
    });

    await expect(openSsh(server.port, { credentials: { legacySsh } })).rejects.toThrow();

    const [toServer, toClient] = offersIn(Buffer.concat(received)).slice(6);
    expect([toServer, toClient]).toEqual([['none'], ['none']]);
  });

  it('is not there for a device that offers nothing else', async () => {
    const server = await startSshServer({ algorithms: { compress: ['zlib@openssh.com', 'zlib'] } });

    await failsWith(openSsh(server.port), DeviceRejected, 'requires compression; turn it off');
  });
});

describe('a device that cannot be reached over ssh', () => {
  it('has nothing that listens', async () => {
    const port = await freeTcpPort();

    const opened = openSsh(port);

    await failsWith(
      opened,
      DeviceUnreachable,
      `switch-1: 127.0.0.1:${port}: nothing is listening there (connection refused)`,
    );
  });

  it('cuts the connection', async () => {
    const device = await startSwitch();
    device.faults.set('down');

    await expect(openSsh(device.port)).rejects.toThrow(DeviceUnreachable);
  });

  it('hangs up before its handshake', async () => {
    const server = await startTcpServer((socket) => socket.end());

    const opened = openSsh(server.port);

    await failsWith(opened, DeviceBusy, 'too many open sessions');
  });

  it('never says a word', async () => {
    const device = await startSwitch();
    device.faults.set('wedged');

    const opened = openSsh(device.port, { deps: await deps({ signInMs: 200 }) });

    await failsWith(opened, DeviceTimeout, 'switch-1: no ssh handshake within 0.2 s');
  });

  it('wedges after its handshake', async () => {
    const server = await startSshServer({ auth: () => undefined });

    const opened = openSsh(server.port, { deps: await deps({ signInMs: 3000 }) });

    await expect(opened).rejects.toThrow('switch-1: no response to the sign-in within 3 s');
    await vi.waitFor(() => expect(server.sockets.size).toBe(0));
  });

  it.each(['220 ftp ready\r\n', 'SSH-1.5-old\r\n', 'SSH-2.0-x\r\n\xff\xff\xff\xff garbage'])(
    'speaks something else: %j',
    async (text) => {
      const server = await startTcpServer((socket) => {
        socket.resume();
        socket.write(text, 'latin1');
      });

      const opened = openSsh(server.port, { deps: await deps({ signInMs: 500 }) });

      await expect(opened).rejects.toThrow(/^switch-1: /);
      await vi.waitFor(() => expect(server.sockets.size).toBe(0));
    },
  );

  it.each(['SSH-2.0-\r\n', 'SSH-2.0-\n', 'SSH-2.0- 1.2 \r\n', 'SSH-1.5-old\r\n', 'SSH-2.0\r\n'])(
    'identifies itself as %j',
    async (text) => {
      const server = await startTcpServer((socket) => {
        socket.resume();
        socket.write(text, 'latin1');
      });

      const opened = openSsh(server.port);

      await failsWith(opened, DeviceRejected, 'update its firmware, or set `transport: telnet`');
      await vi.waitFor(() => expect(server.sockets.size).toBe(0));
    },
  );

  it.each(['HTTP/1.1 400 Bad Request\r\n'.repeat(2000), 'x'.repeat(10_000), 'a\rb\n'])(
    'says what is no SSH (%#)',
    async (text) => {
      const server = await startTcpServer((socket) => void socket.resume().write(text, 'latin1'));

      await failsWith(openSsh(server.port), DeviceRejected, 'does not respond as SSH does');
    },
  );

  it('receives nothing while nobody asks, because some do not answer keepalives of SSH', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const server = await startSshServer({ shell: (channel) => channel.write('(switch) #') });
    const connection = await connectSsh(target(server.port), await deps(), limitOf(soon(), 5000));
    const [socket] = server.sockets;
    const before = socket?.bytesRead;

    await vi.advanceTimersByTimeAsync(12_000);
    await new Promise((resolve) => setTimeout(resolve, 50));

    expect(before).toBeGreaterThan(0);
    expect(socket?.bytesRead).toBe(before);
    connection.close();
  });

  it('has no session left', async () => {
    const server = await startSshServer({
      connection: (client) => client.on('session', (_accept, reject) => reject()),
    });

    const opened = openSsh(server.port);

    await expect(opened).rejects.toBeInstanceOf(DeviceBusy);
    await vi.waitFor(() => expect(server.sockets.size).toBe(0));
  });

  it('is given up when somebody says so', async () => {
    const server = await startTcpServer((socket) => socket.resume());
    const stop = new AbortController();

    const opened = openCli(target(server.port), 'ssh', fastpath, await deps(), stop.signal);
    await vi.waitFor(() => expect(server.sockets.size).toBe(1));
    stop.abort(new Error('enough'));

    await expect(opened).rejects.toThrow('enough');
    await vi.waitFor(() => expect(server.sockets.size).toBe(0));
  });

  it('can go away in any state, and nothing is thrown elsewhere', async () => {
    const thrown: unknown[] = [];
    const note = (error: unknown) => thrown.push(error);
    process.on('uncaughtException', note);
    onTestFinished(() => void process.off('uncaughtException', note));
    const bytes = [0, 1, 20, 40, 300, 600, 900, 1200, 1500, 1800, 2100, 2400];

    for (const limit of bytes) {
      const device = await startSwitch();
      const relay = await startTcpServer((socket) => void relayAtMost(socket, device.port, limit));
      await openSsh(relay.port).catch(() => undefined);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));

    expect(thrown).toEqual([]);
  });
});

/** Forwards that many bytes from the device, then cuts both connections. */
async function relayAtMost(client: Socket, port: number, limit: number) {
  const device = connect(port, '127.0.0.1');
  device.on('error', () => undefined);
  let left = limit;
  client.on('data', (bytes) => device.write(bytes));
  client.on('close', () => device.destroy());
  device.on('data', (bytes) => {
    client.write(bytes.subarray(0, left));
    left -= bytes.length;
    if (left <= 0) {
      client.destroySoon();
      device.destroy();
    }
  });
  await once(device, 'close');
}
