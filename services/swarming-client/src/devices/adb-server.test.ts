import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { CommandFailed } from '@skolo/base/run-command';
import { listen, untilTestEnds } from '@skolo/base/testing';
import { type AdbInstallation, startAdbInstallation, startRelay } from '@skolo/simulators';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { z } from 'zod';
import { adbPort, SharedAdbServer } from './adb-server.ts';
import type { AdbServer } from './device.ts';
import { type Lab, never, present, startLab, unreadable } from './testing/lab.ts';

interface Installed extends Lab {
  adb: AdbServer;
  installation: AdbInstallation;
}

const serial = '0A041FDD4003BB';

async function install(context: TestContext): Promise<Installed> {
  const installation = await startAdbInstallation({ phones: [{ serial }] });
  if (installation === undefined) return context.skip('adb is not installed');
  onTestFinished(() => installation.close());
  const lab = await startLab(installation.env);
  return { ...lab, adb: lab.deps.adb, installation };
}

describe('the adb server', () => {
  it('is started where none runs, and ended with the agent', async (context) => {
    const { adb, installation } = await install(context);

    await adb.ensure(never);
    expect(installation.pid()).toBeDefined();

    await adb.stop();
    await expect.poll(() => installation.pid()).toBeUndefined();
  });

  it('is started once, however many want it, and asked without a process then', async (context) => {
    const { adb, installation, ran } = await install(context);

    await Promise.all([adb.ensure(never), adb.ensure(never), adb.ensure(never)]);
    await adb.ensure(never);

    expect(installation.server.starts).toBe(1);
    expect(ran).toEqual(['adb start-server']);
  });

  it('of somebody else is as good, and is left alone', async (context) => {
    const { adb, installation, deps } = await install(context);
    await deps.run('adb', ['start-server'], { timeoutMs: 20_000 });
    const pid = installation.pid();

    await adb.ensure(never);
    await adb.stop();

    expect(pid).toBeDefined();
    expect(installation.pid()).toBe(pid);
  });

  it('is ended by force where it is wedged, and started again', async (context) => {
    const { adb, installation, settings, open, logged } = await install(context);
    const device = open();
    await present(device);
    const pid = installation.pid();
    process.kill(pid ?? 0, 'SIGSTOP');
    settings.commandSeconds = 2;

    expect((await unreadable(device)).why).toMatch(/port \d+ did not respond within 2 s/);
    settings.commandSeconds = 20;
    await Promise.all([adb.restart(never), adb.restart(never)]);

    expect(installation.pid()).toBeDefined();
    expect(installation.pid()).not.toBe(pid);
    expect(logged()).toContainEqual(expect.objectContaining({ msg: 'adb server killed', pid }));
    expect(await present(device)).toMatchObject({ serial });
  });

  it('is started when the socket of one that was ended is closed: it loses its command line first', async () => {
    const socket = createServer();
    const port = await listen(socket);
    const { fd } = z.object({ fd: z.number() }).parse(Reflect.get(socket, '_handle'));
    const old = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)', 'server'], {
      argv0: 'adb',
      stdio: ['ignore', 'ignore', 'ignore', fd],
    });
    onTestFinished(() => void old.kill('SIGKILL'));
    // The next server is that of another client, such as a task.
    const next = createServer((client) => client.end('OKAY0004'));
    socket.once('close', () => next.listen(port, '127.0.0.1'));
    onTestFinished(() => void next.close());
    old.once('exit', () => setTimeout(() => socket.close(), 200));
    const { deps } = await startLab();
    const isListening: boolean[] = [];
    const adb = new SharedAdbServer({
      log: deps.log,
      settings: () => ({ commandSeconds: 3600 }),
      env: { ANDROID_ADB_SERVER_PORT: `${port}` },
      async run(_adb, [command]) {
        if (command === 'start-server') isListening.push(socket.listening);
        return { status: 0, stdout: '', stderr: '' };
      },
    });

    await adb.restart(never);

    expect([old.signalCode, isListening]).toEqual(['SIGKILL', [false]]);
  });

  it('is started by a restart where none ran', async (context) => {
    const { adb, installation } = await install(context);

    await adb.restart(never);

    expect(installation.pid()).toBeDefined();
  });

  it('is back after it was killed', async (context) => {
    const { installation, open } = await install(context);
    const device = open();
    await present(device);
    process.kill(installation.pid() ?? 0, 'SIGKILL');
    await expect.poll(() => installation.pid()).toBeUndefined();

    expect(await present(device)).toMatchObject({ serial });
  });

  it('is no other program that listens there', async (context) => {
    await install(context);
    const other = createServer((socket) => socket.on('error', () => {}).resume());
    const port = await listen(other);
    const { deps, settings } = await startLab({ ANDROID_ADB_SERVER_PORT: String(port) });
    settings.commandSeconds = 1;

    await expect(deps.adb.restart(never)).rejects.toThrow();

    // It is this process, which would not be here any more.
    expect(other.listening).toBe(true);
  });

  it('is not installed: reports what to do', async () => {
    const { deps, open } = await startLab({ PATH: '/nonexistent', ANDROID_ADB_SERVER_PORT: '1' });

    await expect(deps.adb.ensure(never)).rejects.toThrow(CommandFailed);
    expect(await unreadable(open())).toEqual({
      code: 'host-fault',
      why: 'adb is not installed; install package adb',
    });
  });

  it('is not waited for when the agent stops', async () => {
    const relay = untilTestEnds(await startRelay({ port: 1 }));
    const silence = relay.inject({ effect: 'silence' });
    const { deps } = await startLab({ ANDROID_ADB_SERVER_PORT: String(relay.port) });
    const wanted = new AbortController();
    const ensured = deps.adb.ensure(wanted.signal);
    ensured.catch(() => undefined);
    await silence.struck();

    wanted.abort(new Error('the agent is stopping'));

    await expect(ensured).rejects.toThrow('the agent is stopping');
  });
});

describe('its port', () => {
  it.each([
    [{}, 5037],
    [{ ANDROID_ADB_SERVER_PORT: '5040' }, 5040],
    [{ ANDROID_ADB_SERVER_PORT: 'x' }, 5037],
    [{ ANDROID_ADB_SERVER_PORT: '70000' }, 5037],
    [{ ADB_SERVER_SOCKET: 'tcp:5041', ANDROID_ADB_SERVER_PORT: '5040' }, 5041],
    [{ ADB_SERVER_SOCKET: 'tcp:localhost:5042' }, 5042],
  ])('is that of adb itself: %j', (env, port) => {
    expect(adbPort(env)).toBe(port);
  });
});
