import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Secret } from '@skolo/rack';
import { type EdgeSwitchOptions, startEdgeSwitch } from '@skolo/simulators';
import type { AuthContext } from 'ssh2';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Credentials } from './credentials.ts';
import { fastpath } from './dialects/fastpath.ts';
import {
  DeviceBusy,
  DeviceRefused,
  DeviceTimeout,
  DeviceUnreachable,
  HostKeyChanged,
  SignInRefused,
} from './errors.ts';
import { openCli, openExec } from './open.ts';
import type { SessionDeps } from './session.ts';
import {
  fingerprintOf,
  newHostKey,
  newKeyPair,
  password,
  startSshServer,
  testHostKey,
  user,
} from './testing/ssh-server.ts';
import { deps, soon, target } from './testing/targets.ts';
import { startTcpServer, unusedPort } from './testing/tcp-server.ts';

const signal = soon();

async function start(options: Partial<EdgeSwitchOptions> = {}) {
  const device = await startEdgeSwitch({
    hostKey: testHostKey(),
    username: user,
    password,
    ports: 8,
    ...options,
  });
  onTestFinished(() => device.close());
  return device;
}

async function open(
  port: number,
  { credentials, ...more }: { credentials?: Partial<Credentials>; deps?: SessionDeps } = {},
) {
  const session = await openCli(
    target(port, credentials),
    'ssh',
    fastpath,
    more.deps ?? (await deps()),
    signal,
  );
  onTestFinished(() => session.close());
  return session;
}

describe('the host key', () => {
  it('is pinned when it is first seen', async () => {
    const device = await start();
    const sessionDeps = await deps();

    await open(device.port, { deps: sessionDeps });
    await open(device.port, { deps: sessionDeps });

    expect(sessionDeps.hostKeys.get('switch-1')).toBe(device.hostKey);
    expect(sessionDeps.hostKeys.problem).toBeUndefined();
  });

  it('is not pinned by a device that does not let us in', async () => {
    const device = await start();
    const sessionDeps = await deps();
    const credentials = { password: new Secret('wrong') };

    await expect(open(device.port, { credentials, deps: sessionDeps })).rejects.toThrow();

    expect(sessionDeps.hostKeys.list()).toEqual([]);
  });

  it('that has changed stops everything until it is forgotten, and no password is said', async () => {
    const auth = vi.fn((context: AuthContext) => context.accept());
    const server = await startSshServer({ auth, exec: (_, channel) => channel.exit(0) });
    const sessionDeps = await deps();
    await sessionDeps.hostKeys.pin('switch-1', fingerprintOf(newHostKey()));

    const opened = openExec(target(server.port), sessionDeps, signal);

    await expect(opened).rejects.toBeInstanceOf(HostKeyChanged);
    await expect(opened).rejects.toThrow(
      `its host key (ssh-rsa) is ${fingerprintOf(server.hostKey)}, not ${sessionDeps.hostKeys.get('switch-1')}: ` +
        'somebody may be in between; if the device was swapped, run: skolo equipment forget switch-1',
    );
    expect(auth).not.toHaveBeenCalled();
    await sessionDeps.hostKeys.forget('switch-1');
    const session = await openExec(target(server.port), sessionDeps, signal);
    await session.close();
    expect(sessionDeps.hostKeys.get('switch-1')).toBe(fingerprintOf(server.hostKey));
  });

  it('of rack.yaml has the last word', async () => {
    const device = await start();
    const sessionDeps = await deps();
    const pinned = { ...target(device.port), hostKey: device.hostKey };
    await sessionDeps.hostKeys.pin('switch-1', 'SHA256:another');

    const cli = await openCli(pinned, 'ssh', fastpath, sessionDeps, signal);
    await cli.close();
    const other = { ...pinned, hostKey: fingerprintOf(newHostKey()) };

    await expect(openCli(other, 'ssh', fastpath, sessionDeps, signal)).rejects.toThrow(
      'correct its hostKey in rack.yaml',
    );
    expect(sessionDeps.hostKeys.get('switch-1')).toBe('SHA256:another');
  });
});

describe('signing in over ssh', () => {
  it.each(['password', 'keyboard-interactive'] as const)('works by %s', async (method) => {
    const device = await start({ signIn: [method] });

    const cli = await open(device.port);

    expect(cli.isOpen()).toBe(true);
  });

  it.each(['password', 'keyboard-interactive'] as const)(
    'is refused with a wrong %s, which is not told',
    async (method) => {
      const device = await start({ signIn: [method] });

      const opened = open(device.port, { credentials: { password: new Secret('not-it') } });

      await expect(opened).rejects.toBeInstanceOf(SignInRefused);
      await expect(opened).rejects.toThrow(
        `switch-1: refuses to let "ubnt" in: offered its password${method === 'password' ? '' : ' in a dialogue'}; it takes ${method}`,
      );
      await expect(opened).rejects.not.toThrow('not-it');
    },
  );

  it('works by key, and the key comes before the password', async () => {
    const key = newKeyPair();
    const device = await start({ authorizedKeys: [key.public] });
    const credentials = { privateKey: new Secret(key.private), password: new Secret('wrong') };

    const cli = await open(device.port, { credentials });

    expect(cli.isOpen()).toBe(true);
  });

  it('works by password where the key is not known', async () => {
    const device = await start();
    const credentials = { privateKey: new Secret(newKeyPair().private) };

    const cli = await open(device.port, { credentials });

    expect(cli.isOpen()).toBe(true);
  });

  it('offers only what the device takes', async () => {
    const offered: string[] = [];
    const server = await startSshServer({
      auth(context) {
        offered.push(context.method);
        context.reject(['keyboard-interactive']);
      },
    });
    const credentials = { privateKey: new Secret(newKeyPair().private) };

    await expect(openExec(target(server.port, credentials), await deps(), signal)).rejects.toThrow(
      SignInRefused,
    );

    expect(offered).toEqual(['none', 'keyboard-interactive']);
  });

  it('says why a key cannot be used', async () => {
    const device = await start();
    const credentials: Credentials = {
      username: user,
      privateKey: new Secret('-----BEGIN nonsense'),
      legacySsh: false,
    };
    const wanted = { ...target(device.port), credentials };

    const opened = openExec(wanted, await deps(), signal);

    await expect(opened).rejects.toBeInstanceOf(SignInRefused);
    await expect(opened).rejects.toThrow(/nothing to offer.*its privateKey cannot be used/);
  });
});

describe('a device with old ssh', () => {
  it('is reached where its login says legacySsh', async () => {
    const device = await start({ legacyOnly: true });
    const connected = vi.fn();
    const sessionDeps = await deps({ onConnected: connected });

    await open(device.port, { credentials: { legacySsh: true }, deps: sessionDeps });

    expect(connected.mock.calls).toEqual([
      [
        {
          device: 'switch-1',
          kex: 'diffie-hellman-group1-sha1',
          cipher: 'aes128-cbc',
          legacy: true,
        },
      ],
    ]);
  });

  it('is told about where it does not', async () => {
    const device = await start({ legacyOnly: true });

    const opened = open(device.port);

    await expect(opened).rejects.toBeInstanceOf(DeviceRefused);
    await expect(opened).rejects.toThrow(
      'switch-1: it offers only old key exchanges; set legacySsh: true in its login',
    );
  });

  it.each([
    ['host keys', { serverHostKey: ['ssh-rsa' as const] }],
    ['ciphers', { cipher: ['aes128-cbc' as const] }],
    ['message authentication', { hmac: ['hmac-md5' as const], cipher: ['aes128-ctr' as const] }],
  ])('is told about where only its %s are old', async (what, algorithms) => {
    const server = await startSshServer({ algorithms });

    await expect(open(server.port)).rejects.toThrow(`it offers only old ${what}`);
  });

  it('is spoken to with new algorithms where it has them', async () => {
    const device = await start();
    const connected = vi.fn();
    const sessionDeps = await deps({ onConnected: connected });

    await open(device.port, { credentials: { legacySsh: true }, deps: sessionDeps });

    expect(connected.mock.calls[0]?.[0]).toMatchObject({ legacy: false });
  });
});

describe('a device that cannot be reached over ssh', () => {
  it('has nothing that listens', async () => {
    const port = await unusedPort();

    const opened = open(port);

    await expect(opened).rejects.toBeInstanceOf(DeviceUnreachable);
    await expect(opened).rejects.toThrow(
      `switch-1: 127.0.0.1:${port}: nothing listens there (connection refused)`,
    );
  });

  it('cuts the connection', async () => {
    const device = await start();
    device.faults.set('down');

    await expect(open(device.port)).rejects.toThrow(DeviceUnreachable);
  });

  it('hangs up before its handshake', async () => {
    const server = await startTcpServer((socket) => socket.end());

    const opened = open(server.port);

    await expect(opened).rejects.toBeInstanceOf(DeviceBusy);
    await expect(opened).rejects.toThrow('too many sessions?');
  });

  it('never says a word', async () => {
    const device = await start();
    device.faults.set('wedged');

    const opened = open(device.port, { deps: await deps({ signInMs: 200 }) });

    await expect(opened).rejects.toBeInstanceOf(DeviceTimeout);
    await expect(opened).rejects.toThrow('waited for its ssh handshake');
  });

  it('wedges after its handshake', async () => {
    const server = await startSshServer({ auth: () => undefined });

    const opened = open(server.port, { deps: await deps({ signInMs: 500 }) });

    await expect(opened).rejects.toThrow('waited for its answer to the sign-in');
    await vi.waitFor(() => expect(server.sockets.size).toBe(0));
  });

  it.each(['220 ftp ready\r\n', 'SSH-1.5-old\r\n', 'SSH-2.0-x\r\n\xff\xff\xff\xff garbage'])(
    'speaks something else: %j',
    async (text) => {
      const server = await startTcpServer((socket) => {
        socket.resume();
        socket.write(text, 'latin1');
      });

      const opened = open(server.port, { deps: await deps({ signInMs: 500 }) });

      await expect(opened).rejects.toThrow(/^switch-1: /);
      await vi.waitFor(() => expect(server.sockets.size).toBe(0));
    },
  );

  it('has no session left', async () => {
    const server = await startSshServer({
      connection: (client) => client.on('session', (_accept, reject) => reject()),
    });

    const opened = open(server.port);

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
      const device = await start();
      const relay = await startTcpServer((socket) => void relayAtMost(socket, device.port, limit));
      await open(relay.port).catch(() => undefined);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));

    expect(thrown).toEqual([]);
  });
});

/** Passes on that many bytes of the device, then cuts both connections. */
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
