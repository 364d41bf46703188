import { type Credentials, Secret } from '@skolo/base/secrets';
import { lacks, type SshEndpoint } from '@skolo/simulators';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { DeviceRejected, DeviceTimeout, DeviceUnreachable } from '../errors.ts';
import { openCli, openExec } from '../session/open.ts';
import type { SessionDeps, Target } from '../session.ts';
import { linuxShell } from '../testing/dialects.ts';
import { startSwitch } from '../testing/edge-switch.ts';
import { failsWith, openCommands, openServer } from '../testing/sessions.ts';
import { newKeyPair } from '../testing/ssh-server.ts';
import { shareSshd, startSshd } from '../testing/sshd.ts';
import { deps, soon, target } from '../testing/targets.ts';

const signal = soon();

function hostOf(
  { port, username, privateKey }: SshEndpoint,
  more: Partial<Credentials> = {},
): Target {
  const credentials = { username, privateKey: new Secret(privateKey), legacySsh: false, ...more };
  return { name: 'host-1', address: '127.0.0.1', port, credentials };
}

const shared = shareSshd();

async function openSshd(lines?: readonly string[], sessionDeps?: SessionDeps) {
  const sshd = await (lines ? startSshd(lines) : shared());
  return { sshd, session: await openCommands(hostOf(sshd), sessionDeps) };
}

describe.skipIf(lacks('sshd'))("commands, to OpenSSH's server", () => {
  it('have output, errors and a status of their own', async () => {
    const { session } = await openSshd();

    const results = [];
    for (const command of ['echo one; echo two', 'echo no >&2; exit 3', 'printf "Z\\374rich"']) {
      results.push(await session.exec(command, { signal }));
    }

    expect(results).toEqual([
      { stdout: 'one\ntwo\n', stderr: '', status: 0 },
      { stdout: '', stderr: 'no\n', status: 3 },
      { stdout: 'Zürich', stderr: '', status: 0 },
    ]);
  });

  it('have no status where a signal ended them', async () => {
    const { session } = await openSshd();

    const { status } = await session.exec('kill -9 $$', { signal });

    expect(status).toBeUndefined();
  });

  it('may run side by side', async () => {
    const { session } = await openSshd();

    const all = await Promise.all(
      ['a', 'b', 'c'].map((text) => session.exec(`echo ${text}`, { signal })),
    );

    expect(all.map(({ stdout }) => stdout)).toEqual(['a\n', 'b\n', 'c\n']);
  });

  it('may answer at length', async () => {
    const { session } = await openSshd();

    const { stdout } = await session.execBytes('yes $(printf %0100d 0) | head -c 3000000', {
      signal,
    });

    expect(stdout).toHaveLength(3_000_000);
  });

  it('are ended with the session where they take too long', async () => {
    const { session } = await openSshd();

    const asked = session.exec('sleep 60', { signal, timeoutMs: 300 });

    await expect(asked).rejects.toBeInstanceOf(DeviceTimeout);
    expect(session.isOpen()).toBe(false);
  });

  it('find the forced command in their place', async () => {
    const { session } = await openSshd(['ForceCommand echo forced: $SSH_ORIGINAL_COMMAND']);

    const { stdout } = await session.exec('reboot', { signal });

    expect(stdout).toBe('forced: reboot\n');
  });

  it('find the host key as OpenSSH has it', async () => {
    const sessionDeps = await deps();
    const { sshd } = await openSshd(undefined, sessionDeps);

    expect(sessionDeps.hostKeys.get('host-1')).toBe(sshd.hostKey);
  });

  it.each([
    ['old', 'diffie-hellman-group1-sha1', 'aes128-cbc', 'hmac-sha1'],
    ['less old', 'diffie-hellman-group14-sha1', 'aes256-cbc', 'hmac-md5'],
    ['differently old', 'diffie-hellman-group-exchange-sha1', '3des-cbc', 'hmac-sha1-96'],
  ])('reach a server that is %s, where the login says so', async (_how, kex, cipher, mac) => {
    const sshd = await startSshd([`KexAlgorithms ${kex}`, `Ciphers ${cipher}`, `MACs ${mac}`]);
    const connected = vi.fn();

    const modern = openExec(hostOf(sshd), await deps(), signal);
    await expect(modern).rejects.toThrow('set legacySsh: true in its login');
    const legacy = hostOf(sshd, { legacySsh: true });
    const session = await openCommands(legacy, await deps({ onConnected: connected }));

    expect((await session.exec('echo old', { signal })).stdout).toBe('old\n');
    expect(connected).toHaveBeenCalledWith(
      expect.objectContaining({ device: 'host-1', kex, cipher, legacy: true }),
    );
  });

  it('may be typed into a shell as well', async () => {
    const sshd = await startSshd(['ForceCommand env PS1="test$ " HOME=/ bash --norc']);

    const cli = await openCli(hostOf(sshd), 'ssh', linuxShell, await deps(), signal);
    onTestFinished(() => cli.close());

    expect(await cli.run('echo $((6 * 7)); echo done', { signal })).toBe('42\ndone');
    expect(await cli.run(`echo ${'long '.repeat(60)}| wc -w`, { signal })).toBe('60');
    expect(await cli.run('printf "no end"', { signal })).toBe('no end');
    await expect(cli.run('nonsense', { signal })).rejects.toThrow('command not found');
  });

  it('are rejected without the key', async () => {
    const other = { ...(await shared()), privateKey: newKeyPair().private };

    const opened = openExec(hostOf(other), await deps(), signal);

    await expect(opened).rejects.toThrow('offered the privateKey; accepted methods: publickey');
  });
});

describe('a command that fails', () => {
  it('is told with its last words, without secrets', async () => {
    const { session } = await openServer((channel) => {
      channel.write('begun\npassword: hunter2\n');
    });

    const asked = session.exec('show it', { signal, timeoutMs: 500 });

    await expect(asked).rejects.toThrow(
      String.raw`switch-1: the output of "show it" did not end within 0.5 s; received: "begun\npassword: <secret>"`,
    );
  });

  it('is not a short answer when the connection dies', async () => {
    const { session, server } = await openServer((channel) => {
      channel.write('half of i', () => {
        for (const socket of server.sockets) socket.destroySoon();
      });
    });

    const asked = session.exec('show it', { signal });

    await failsWith(asked, DeviceUnreachable, 'during "show it"');
    expect(session.isOpen()).toBe(false);
  });

  it.each([0, 1])('has status %s, also where it is told at once', async (code) => {
    const { session } = await openServer((channel) => {
      channel.exit(code);
      channel.end();
    });

    const results = await Promise.all(
      Array.from({ length: 5 }, () => session.exec('set it', { signal })),
    );

    expect(results.map(({ status }) => status)).toEqual(Array.from({ length: 5 }, () => code));
  });

  it('has no status when the channel is cut', async () => {
    const { session } = await openServer((channel) => {
      channel.write('half of i', () => channel.close());
    });

    const { status } = await session.exec('show it', { signal });

    expect(status).toBeUndefined();
    expect(session.isOpen()).toBe(true);
  });

  it('may come from a device that gives no status', async () => {
    const { session } = await openServer((channel) => channel.end('all of it'));

    expect(await session.exec('show it', { signal })).toEqual({
      stdout: 'all of it',
      stderr: '',
      status: undefined,
    });
  });

  it('has an answer without end', async () => {
    const { session } = await openServer((channel) => {
      const more = () => {
        while (channel.writable && channel.write('x'.repeat(65_536)));
      };
      channel.on('drain', more);
      more();
    });

    const asked = session.exec('show it', { signal, timeoutMs: 50_000 });

    await expect(asked).rejects.toThrow('exceeds 1 MiB');
    expect(session.isOpen()).toBe(false);
  });

  it('is not possible where there is only a terminal', async () => {
    const device = await startSwitch();
    const session = await openCommands(target(device.port));

    const asked = session.exec('show it', { signal });

    await failsWith(asked, DeviceRejected, 'does not accept commands over SSH, only a terminal');
  });

  it('is given up when somebody says so', async () => {
    const { session } = await openServer(() => undefined);
    const stop = new AbortController();

    const asked = session.exec('show it', { signal: stop.signal });
    stop.abort(new Error('enough'));

    await expect(asked).rejects.toThrow('enough');
    expect(session.isOpen()).toBe(false);
  });
});
