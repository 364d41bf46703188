import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, connect as dial } from 'node:net';
import { join } from 'node:path';
import { type Login, readCredentials, SecretError } from '@skolo/base/secrets';
import { listen, tempDir } from '@skolo/base/testing';
import { type EdgeSwitchOptions, lacks, type RealSshd } from '@skolo/simulators';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  DeviceError,
  DeviceRejected,
  DeviceTimeout,
  DeviceUnreachable,
  HostKeyChanged,
  OutputNotStored,
  SignInRejected,
} from '../errors.ts';
import { HostKeys } from '../host-keys.ts';
import { fastpath, linuxShell } from '../testing/dialects.ts';
import { startSwitch } from '../testing/edge-switch.ts';
import { failsWith } from '../testing/sessions.ts';
import { startSshd } from '../testing/sshd.ts';
import { type ConnectedDevice, type ConnectionDeps, openConnection } from './connection.ts';

const password = 'canary-7f3a';
const noSshd = lacks('sshd');

interface How {
  device?: Partial<ConnectedDevice>;
  login?: Partial<Login>;
  deps?: Partial<ConnectionDeps>;
  hasAddress?: boolean;
}

async function connect({ device, login, deps, hasAddress = true }: How) {
  const dir = await tempDir();
  await writeFile(join(dir, 'password'), `${password}\n`, { mode: 0o600 });
  const whole: ConnectedDevice = {
    name: 'switch-1',
    ...(hasAddress && { address: '127.0.0.1' }),
    ports: {},
    transport: 'ssh',
    ...device,
  };
  const logins = new Map<string, Login>([
    [
      'switches',
      {
        name: 'switches',
        username: 'ubnt',
        password: { file: join(dir, 'password') },
        legacySsh: false,
        ...login,
      },
    ],
  ]);
  const transcript: string[] = [];
  const hostKeys = new HostKeys(join(dir, 'host-keys.json'));
  const connection = openConnection(whole, {
    credentials: () => readCredentials({ dir, logins }, 'switches'),
    hostKeys,
    signal: new AbortController().signal,
    idleMs: 20_000,
    deadlineMs: 60_000,
    scratch: dir,
    onTranscript: (from, text) => transcript.push(`${from}: ${text}`),
    ...deps,
  });
  onTestFinished(() => connection.close());
  return { connection, dir, hostKeys, transcript };
}

async function openSwitch(how: How = {}, options: Partial<EdgeSwitchOptions> = {}) {
  const device = await startSwitch({ password, ...options });
  const ports = { ssh: device.port, ...(device.telnetPort && { telnet: device.telnetPort }) };
  return { device, ...(await connect({ ...how, device: { ports, ...how.device } })) };
}

/** A host behind OpenSSH's server. */
async function openHost(how: How = {}) {
  return await connect(toHost(await startSshd([], 'sh -c "$SSH_ORIGINAL_COMMAND"'), how));
}

function toHost(host: Pick<RealSshd, 'port' | 'username' | 'privateKeyFile'>, how: How): How {
  const { port, username, privateKeyFile } = host;
  return {
    ...how,
    device: { ports: { ssh: port }, ...how.device },
    login: { username, privateKey: { file: privateKeyFile } },
  };
}

const shellOrCommand =
  'if [ -n "$SSH_ORIGINAL_COMMAND" ]; then sh -c "$SSH_ORIGINAL_COMMAND"; else PS1="router# " HOME=/ bash --norc; fi';

/** Forwards connections, and counts them. */
async function countConnections(to: number) {
  const counter = { port: 0, opened: 0, now: 0, most: 0 };
  const server = createServer((socket) => {
    counter.opened += 1;
    counter.now += 1;
    counter.most = Math.max(counter.most, counter.now);
    const onward = dial(to, '127.0.0.1');
    for (const each of [socket, onward]) each.on('error', () => undefined);
    socket.pipe(onward).pipe(socket);
    socket.on('close', () => {
      counter.now -= 1;
      onward.destroy();
    });
    onward.on('close', () => socket.destroy());
  });
  counter.port = await listen(server);
  return counter;
}

describe('a connection', () => {
  it('is not opened before it is used', async () => {
    const { device, connection } = await openSwitch();

    await connection.close();

    expect(device.sessions.opened).toBe(0);
  });

  it.each(['ssh', 'telnet'] as const)('gives a command line over %s', async (transport) => {
    const { connection, transcript } = await openSwitch(
      { device: { transport } },
      { telnetPort: 0 },
    );

    const cli = await connection.cli(fastpath);
    const [ran, configuration] = [
      await cli.run('show poe status 0/1'),
      await cli.read('show running-config'),
    ];

    expect(ran.toString()).toMatch(/^0\/1 /m);
    expect(configuration.toString()).toMatch(/^\n!Current Configuration:\n(?:.*\n)+$/);
    expect(transcript.join('')).toContain('us: show running-config\r');
    expect(transcript.join('')).not.toContain(password);
  });

  it('gives the same session for the same dialect, another one for another', async () => {
    const { device, connection } = await openSwitch();

    const first = await connection.cli(fastpath);
    const same = await connection.cli(fastpath);
    const other = await connection.cli({ ...fastpath });

    expect(same).toBe(first);
    expect((await other.run('show poe status 0/1')).toString()).toContain('0/1');
    await expect(first.run('show poe status 0/1')).rejects.toBeInstanceOf(DeviceUnreachable);
    expect(device.sessions).toMatchObject({ opened: 2, most: 1 });
  });

  it('opens a new session in place of one that was lost', async () => {
    const { device, connection } = await openSwitch();
    const lost = await connection.cli(fastpath);
    await device.reboot();
    await expect(lost.run('show poe status 0/1')).rejects.toBeInstanceOf(DeviceUnreachable);

    const cli = await connection.cli(fastpath);

    expect((await cli.run('show poe status 0/1')).toString()).toContain('0/1');
  });

  it('signs out, and is of no use then', async () => {
    const { device, connection } = await openSwitch();
    const cli = await connection.cli(fastpath);

    await connection.close();
    await connection.close();

    expect(device.received.at(-1)?.text).toBe('logout');
    await expect.poll(() => device.sessions.now).toBe(0);
    for (const late of [
      cli.run('show poe status 0/1'),
      connection.cli(fastpath),
      connection.exec('x'),
    ]) {
      await expect(late).rejects.toThrow('switch-1: the connection is closed');
    }
  });

  it.skipIf(noSshd)(
    'has one session with the device at a time, whatever is asked for',
    async () => {
      const host = await startSshd([], shellOrCommand);
      const counter = await countConnections(host.port);
      const { connection } = await connect(toHost({ ...host, port: counter.port }, {}));

      const seen = [
        await connection.exec('echo 1'),
        await (await connection.cli(linuxShell)).run('echo 2'),
        ...(await Promise.all([connection.exec('echo 3'), connection.exec('echo 4')])),
        await (await connection.cli(linuxShell)).read('echo 5'),
      ];

      expect(seen.map((bytes) => bytes.toString().trim())).toEqual(['1', '2', '3', '4', '5']);
      expect(counter).toMatchObject({ opened: 4, most: 1 });
    },
  );

  it('does not exist without an address', async () => {
    const { connection } = await connect({ device: {}, hasAddress: false });

    await failsWith(
      connection.cli(fastpath),
      DeviceRejected,
      'switch-1: rack.yaml does not specify its address',
    );
  });

  it('is rejected where a secret is missing', async () => {
    const { connection } = await openSwitch({ login: { password: { file: '/nowhere/secret' } } });

    await failsWith(connection.cli(fastpath), SecretError, /^\/nowhere\/secret: /);
  });

  it('is rejected with the wrong password', async () => {
    const { connection } = await openSwitch({}, { password: 'other' });

    await expect(connection.cli(fastpath)).rejects.toBeInstanceOf(SignInRejected);
  });

  it('holds rack.yaml to its host key, and pins the first one else', async () => {
    const wrong = `SHA256:${'A'.repeat(43)}`;
    const pinned = await openSwitch({ device: { hostKey: wrong } });
    const { connection, hostKeys, device } = await openSwitch();

    await expect(pinned.connection.cli(fastpath)).rejects.toBeInstanceOf(HostKeyChanged);
    await connection.cli(fastpath);

    expect(hostKeys.get('switch-1')).toBe(device.hostKey);
  });

  it.skipIf(noSshd)('is by ssh where the device is usually spoken to in another way', async () => {
    const { connection } = await openHost({ device: { transport: 'snmp' } });

    expect((await connection.exec('echo it')).toString()).toBe('it\n');
  });

  it('has no single commands over telnet', async () => {
    const { connection, device } = await openSwitch(
      { device: { transport: 'telnet' } },
      { telnetPort: 0 },
    );

    await failsWith(connection.exec('show it'), DeviceRejected, 'transport: telnet');
    expect(device.sessions.opened).toBe(0);
  });
});

describe('the time of a connection', () => {
  it('ends while nothing is heard at sign-in', async () => {
    const silence = createServer((socket) => socket.on('error', () => undefined));
    const ports = { ssh: await listen(silence) };
    const { connection } = await connect({ device: { ports }, deps: { deadlineMs: 3000 } });

    // It has been running since before the login's password was read.
    await failsWith(
      connection.cli(fastpath),
      DeviceTimeout,
      /^switch-1: no ssh handshake within (?:2\.\d+|3) s/,
    );
  });

  it('ends where nothing is heard, in an answer', async () => {
    const { connection, device } = await openSwitch({ deps: { idleMs: 2500 } });
    const cli = await connection.cli(fastpath);
    device.faults.set('wedged');

    await failsWith(
      cli.read('show running-config'),
      DeviceTimeout,
      'no echo of "show running-config": no data for 2.5 s; nothing was received',
    );
  });

  it('ends altogether, also where something is heard all the time', async () => {
    const { connection, device } = await openSwitch({ deps: { deadlineMs: 5000 } });
    const cli = await connection.cli(fastpath);
    device.faults.set('trickles');

    await failsWith(
      cli.read('show running-config'),
      DeviceTimeout,
      /no prompt after "show running-config" within [\d.]+ s; last output/,
    );
    await expect(connection.cli(fastpath)).rejects.toThrow(
      'switch-1: the time limit of 5 s was exceeded',
    );
  });

  it('is left for the rest where a command that is asked briefly never ends', async () => {
    const { connection, device } = await openSwitch({ deps: { deadlineMs: 10_000 } });
    const cli = await connection.cli(fastpath);
    device.faults.set('trickles');
    const asked = connection.briefly(() => cli.read('show running-config'));
    await failsWith(asked, DeviceTimeout, /no prompt after .* within [\d.]+ s; last output/);
    device.faults.clear();

    const again = await connection.cli(fastpath);

    expect((await again.run('show poe status 0/1')).toString()).toContain('0/1');
  });

  it('ends with the signal, and with it the session', async () => {
    const stop = new AbortController();
    const { connection, device } = await openSwitch({ deps: { signal: stop.signal } });
    const cli = await connection.cli(fastpath);
    device.faults.set('wedged');

    const ended = Promise.all(
      [cli.read('show running-config'), cli.run('show poe status 0/1'), connection.exec('x')].map(
        (asked) => expect(asked).rejects.toThrow('a power cycle comes first'),
      ),
    );
    stop.abort(new Error('a power cycle comes first'));

    await ended;
  });

  it('ends with the connection, whatever is under way', async () => {
    const { connection, device } = await openSwitch();
    const cli = await connection.cli(fastpath);
    device.faults.set('wedged');

    const ended = expect(cli.read('show running-config')).rejects.toThrow(
      'switch-1: the connection is closed',
    );
    await connection.close();

    await ended;
    await expect.poll(() => device.sessions.now).toBe(0);
  });
});

describe.skipIf(noSshd)('a command of its own', () => {
  it('gives its output, with its input', async () => {
    const { connection } = await openHost();

    const output = await connection.exec('tr a-z A-Z; printf "\\377"', {
      input: Buffer.from('text '),
    });

    expect(output).toEqual(Buffer.from('TEXT \xff', 'latin1'));
  });

  it.for([
    [
      'fails',
      'echo "no such thing" >&2; exit 3',
      DeviceRejected,
      'failed with exit status 3: no such thing',
    ],
    [
      'fails, and says so elsewhere',
      'echo "% Error"; exit 1',
      DeviceRejected,
      'failed with exit status 1: % Error',
    ],
    ['says nothing', 'exit 1', DeviceRejected, 'failed with exit status 1'],
    [
      'tells a password',
      `echo "password: hunter2"; exit 1`,
      DeviceRejected,
      'exit status 1: password: <secret>',
    ],
    [
      'tells our own',
      `echo it is ${password}; exit 1`,
      DeviceRejected,
      'exit status 1: it is <secret>',
    ],
    [
      'is killed',
      'echo half; kill -9 $$',
      DeviceUnreachable,
      'ended without an exit status, so its output may be incomplete',
    ],
  ] as const)('is none where it %s', async ([, command, kind, message]) => {
    const { connection } = await openHost();

    await failsWith(connection.exec(command), kind, message);
  });

  it('may have another status, where that is said to be good', async () => {
    const { connection } = await openHost();

    expect((await connection.exec('echo some; exit 1', { accept: [1, 2] })).toString()).toBe(
      'some\n',
    );
    await expect(connection.exec('exit 3', { accept: [1, 2] })).rejects.toThrow('exit status 3');
    await expect(connection.exec('kill -9 $$', { accept: [1] })).rejects.toThrow('without an exit');
  });

  it('may be large, and goes to a file that only we may read', async () => {
    const { connection } = await openHost();

    const { file, size } = await connection.execToFile('yes | head -c 40000000');

    expect(size).toBe(40_000_000);
    const { size: onDisk, mode } = await stat(file);
    expect({ onDisk, mode: mode & 0o777 }).toEqual({ onDisk: 40_000_000, mode: 0o600 });
    expect((await readFile(file)).equals(Buffer.alloc(40_000_000, 'y\n'))).toBe(true);
  });

  it('leaves no file where it fails', async () => {
    const { connection, dir } = await openHost();
    const before = await readdir(dir);

    for (const command of ['yes | head -c 10000; exit 1', 'yes | head -c 10000; kill -9 $$']) {
      await expect(connection.execToFile(command)).rejects.toBeInstanceOf(DeviceError);
    }

    expect((await readdir(dir)).filter((name) => name !== 'host-keys.json')).toEqual(before);
  });

  it('is limited for all commands together, whether they succeed or not', async () => {
    const { connection } = await openHost({ deps: { diskBytes: 2 ** 20 } });
    const take = (bytes: number, end = '') =>
      connection.execToFile(`yes | head -c ${bytes}; exit ${end}`);
    await take(400_000);
    await expect(take(400_000, '1')).rejects.toThrow('exit status 1');

    const why = 'more than 1 MiB would be written to disk for one reading';
    await expect(take(400_000)).rejects.toThrow(why);
    expect(() => connection.countDisk(1)).toThrow(why);
  });

  it('is not the fault of the device where the disk takes nothing', async () => {
    const file = join(await tempDir(), 'file');
    await writeFile(file, '');
    const scratch = join(file, 'scratch');
    const { connection } = await openHost({ deps: { scratch } });

    await failsWith(
      connection.execToFile('echo it'),
      OutputNotStored,
      `switch-1: the output cannot be stored in ${scratch}: ENOTDIR`,
    );
  });

  it('copies files', async () => {
    const { connection, dir } = await openHost();
    const content = Buffer.from('a\0b\xff', 'latin1');

    await connection.upload(join(dir, 'copy'), content);

    expect(await connection.download(join(dir, 'copy'))).toEqual(content);
    expect((await stat(join(dir, 'copy'))).mode & 0o777).toBe(0o600);
    await expect(connection.download(join(dir, 'missing'))).rejects.toBeInstanceOf(DeviceRejected);
  });
});
