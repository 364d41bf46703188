import { createHash, createPrivateKey, sign } from 'node:crypto';
import { getActiveResourcesInfo } from 'node:process';
import { run } from '@skolo/base/testing';
import { beforeEach, describe, expect, it, onTestFinished, type TestContext, vi } from 'vitest';
import { z } from 'zod';
import { makeSshKey } from '../equipment/cli/host-key.ts';
import { execOn, openSsh } from '../equipment/cli/testing.ts';
import { OutletBoard } from '../equipment/device.ts';
import { peer } from '../peer.ts';
import {
  type SimulatedMachine,
  type SimulatedMachineOptions,
  startSimulatedMachine,
} from './machine.ts';

const account = { username: 'pi', password: 'raspberry' };

let board: OutletBoard;
beforeEach(() => {
  board = new OutletBoard(['1', '2'].map((outlet) => [outlet, { on: true, watts: 4.5 }]));
});

async function start(options: Partial<SimulatedMachineOptions> = {}) {
  const machine = await startSimulatedMachine({
    ...account,
    feeds: [[board, '1']],
    bootSeconds: 0.01,
    ...options,
  });
  onTestFinished(() => machine.close());
  return machine;
}

function ssh({ host, sshPort }: SimulatedMachine, command: string, login = {}) {
  const user = { user: 'pi', password: 'raspberry', ...login };
  return execOn({ host, port: sshPort }, user, command);
}

/** Status and body, `refused`, or `silent`. */
async function curl(machine: SimulatedMachine, path: string, ...args: string[]) {
  const url = `${machine.agentUrl}${path}`;
  const all = ['--silent', '--max-time', '1', '--write-out', '\n%{http_code}', ...args, url];
  try {
    const { stdout } = await run(peer('curl') ?? 'curl', all);
    const [, body = '', status] = /^(.*)\n(\d+)$/s.exec(stdout) ?? [];
    return { status: Number(status), body: body === '' ? undefined : JSON.parse(body) };
  } catch (error) {
    const { code } = error as { code?: number };
    return { 7: 'refused', 28: 'silent' }[code ?? 0] ?? `curl ${code}`;
  }
}

function needsCurl(context: TestContext) {
  if (!peer('curl')) context.skip('curl is not installed');
}

const put = (on: boolean) => ['--request', 'PUT', '--json', JSON.stringify({ on, why: 'a test' })];

describe('a machine and its power', () => {
  beforeEach(needsCurl);

  it('is up while any of its outlets is on, and boots anew after none was', async () => {
    const machine = await start({
      feeds: [
        [board, '1'],
        [board, '2'],
      ],
    });
    const first = machine.bootId;
    expect([machine.isUp(), machine.boots]).toEqual([true, 1]);

    board.set('1', false);
    expect(machine.isUp()).toBe(true);
    board.set('2', false);
    expect(machine.isUp()).toBe(false);
    board.set('1', true);
    await machine.whenUp();

    expect(machine.boots).toBe(2);
    expect(machine.bootId).not.toBe(first);
  });

  it('is not there until it has power', async () => {
    board.set('1', false);
    const machine = await start();
    expect([machine.isUp(), machine.boots]).toEqual([false, 0]);
    expect(await curl(machine, '/v1/status')).toBe('refused');

    board.set('1', true);
    await machine.whenBooted(1);

    expect(await curl(machine, '/v1/status')).toMatchObject({ status: 200 });
  });

  it('starts its boot again when the power fails during it', async () => {
    const machine = await start({ bootSeconds: 30 });

    board.set('1', false);
    board.set('1', true);
    board.set('1', false);

    expect(machine.boots).toBe(1);
    expect(machine.isUp()).toBe(false);
  });

  it('gives up waiting when told to', async () => {
    const machine = await start();

    const waiting = machine.whenDown(AbortSignal.abort());

    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('ends its connections when the power goes', async (context) => {
    if (!peer('ssh')) return context.skip('ssh is not installed');
    const machine = await start();
    const client = await openSsh(
      { host: machine.host, port: machine.sshPort },
      { user: 'pi', password: 'raspberry', options: ['-T'], command: 'echo here; sleep 3600' },
    );
    await client.see('here');

    board.set('1', false);

    expect(await client.ended).toBe(255);
  });

  it('costs nothing but sockets, however many there are', async () => {
    const timers = () => getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();

    const machines = await Promise.all(Array.from({ length: 300 }, () => start()));

    expect(timers()).toBeLessThanOrEqual(before);
    expect(new Set(machines.map(({ hostKey }) => hostKey)).size).toBe(1);
  });
});

describe('a machine that misbehaves', () => {
  beforeEach(needsCurl);

  it('never boots, until a later power cycle finds it well', async () => {
    const machine = await start();
    const neighbour = await start();
    await machine.misbehave('never-boots');

    board.set('1', false);
    board.set('1', true);
    await neighbour.whenBooted(2);
    expect(machine.isUp()).toBe(false);
    await machine.behave('never-boots');
    board.set('1', false);
    board.set('1', true);
    await machine.whenBooted(2);

    expect(machine.isUp()).toBe(true);
  });

  it('is dead until a power cycle', async () => {
    const machine = await start();

    await machine.misbehave('dead');
    expect(await curl(machine, '/v1/status')).toBe('refused');
    board.set('1', false);
    board.set('1', true);
    await machine.whenUp();

    expect(await curl(machine, '/v1/status')).toMatchObject({ status: 200 });
  });
});

describe('a machine over ssh', () => {
  beforeEach((context) => {
    if (!peer('ssh')) context.skip('ssh is not installed');
  });

  it('tells its boot, to whoever has the key', async () => {
    const { private: key, public: authorized } = makeSshKey();
    const machine = await start({ username: 'pi', authorizedKeys: [authorized] });

    const { status, output } = await ssh(machine, 'cat /proc/sys/kernel/random/boot_id', { key });

    expect(status).toBe(0);
    expect(output).toContain(machine.bootId);
  });

  it.each([
    'sudo -n reboot',
    'sudo -n /sbin/reboot',
    'sudo -n systemctl reboot || sudo -n /sbin/reboot',
  ])('reboots by %s', async (command) => {
    const machine = await start();
    const { bootId } = machine;

    expect(await ssh(machine, command)).toMatchObject({ status: 0 });
    await machine.whenBooted(2);

    expect(machine.bootId).not.toBe(bootId);
    expect(machine.received.map(({ text }) => text)).toEqual([command]);
  });

  it.each([
    { command: 'systemctl reboot', says: 'Interactive authentication required', status: 1 },
    { command: 'sudo -n systemctl reboot', says: '', status: 0 },
  ])('does not reboot while it hangs, or without sudo: $command', async (given) => {
    const machine = await start();
    await machine.misbehave('hangs-at-reboot');

    const { status, output } = await ssh(machine, given.command);

    expect(status).toBe(given.status);
    expect(output).toContain(given.says);
    expect(machine.boots).toBe(1);
  });

  it('does not know other programs', async () => {
    const machine = await start();

    expect(await ssh(machine, 'sudo -n poweroff')).toMatchObject({
      status: 1,
      output: expect.stringContaining('sudo: poweroff: command not found'),
    });
  });
});

/** RFC 8037, appendix A. */
const rfcKey = {
  kty: 'OKP',
  crv: 'Ed25519',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
  d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
};

describe('a machine’s agent', () => {
  beforeEach(needsCurl);

  it('tells task and phones, and needs no signature for that', async () => {
    const machine = await start({
      agentKey: rfcKey.x,
      phones: [{ name: 'device', port: 'usb/1-1.2' }, { name: 'other' }],
    });
    machine.task = { running: true, id: '4711' };
    machine.usb.set('usb/1-1.2', false);

    expect(await curl(machine, '/v1/status')).toMatchObject({
      status: 200,
      body: {
        machine: 'rpi-1',
        bootId: machine.bootId,
        task: { running: true, id: '4711' },
        devices: [
          { name: 'device', state: 'missing' },
          { name: 'other', state: 'present' },
        ],
      },
    });
  });

  it('answers who waits for a change once there is one, and not for readings', async () => {
    const machine = await start({ phones: [{ name: 'device' }] });
    const report = { reasons: [], phones: {}, repairs: [] };
    machine.report = report;
    const Found = z.object({ body: z.object({ revision: z.string() }) });
    const { body } = Found.parse(await curl(machine, '/v1/status'));

    const path = `/v1/status?after=${body.revision}&waitSeconds=60`;
    const answer = curl(machine, path, '--max-time', '60');
    await vi.waitFor(() => expect(machine.received).toHaveLength(2));
    machine.report = {
      ...report,
      phones: { device: { batteryPercent: 50, temperaturesCelsius: {} } },
    };
    machine.task = { running: true, id: '4712' };

    expect(await answer).toMatchObject({ body: { task: { id: '4712' } } });
  });

  it('reboots the machine for whoever signs it, once', async () => {
    const machine = await start({ agentKey: rfcKey.x });
    const json = '{"why":"a test"}';
    const digest = createHash('sha256').update(json).digest('base64');
    const first = await fetch(`${machine.agentUrl}/v1/reboot`, { method: 'POST', body: json });
    const accept = `${first.headers.get('accept-signature')}`;
    const parameters = accept.replace(/^skolo=/, '');
    // By hand, from RFC 9421, section 2.5.
    const base = `"@method": POST
"@path": /v1/reboot
"@query": ?
"x-skolo-rack": rack4
"x-skolo-machine": rpi-1
"content-digest": sha-256=:${digest}:
"@signature-params": ${parameters}`;
    const key = createPrivateKey({ key: rfcKey, format: 'jwk' });
    const headers = [
      ...['x-skolo-rack: rack4', 'x-skolo-machine: rpi-1', `content-digest: sha-256=:${digest}:`],
      `signature-input: ${accept}`,
      `signature: skolo=:${sign(null, Buffer.from(base), key).toString('base64')}:`,
    ].flatMap((header) => ['--header', header]);

    expect(first.status).toBe(401);
    const signed = ['--json', json, ...headers];
    expect(await curl(machine, '/v1/reboot', ...signed)).toMatchObject({ status: 202 });

    await machine.whenBooted(2);
    expect(await curl(machine, '/v1/reboot', ...signed)).toMatchObject({ status: 401 });
  });

  it('repairs phones, ends what it gave up, and shows its log and screens', async () => {
    const machine = await start({ phones: [{ name: 'device', port: 'usb/1-1.2' }] });
    const since = new Date().toISOString();
    const gaveUp = { verdict: 'quarantined', code: 'gave-up', text: 'gave up', since } as const;
    machine.report = { reasons: [gaveUp], phones: {}, repairs: [] };
    const post = (path: string, body: unknown) =>
      curl(machine, path, '--json', JSON.stringify(body), '--output', '/dev/null');
    const step = { step: 'adb-reconnect', why: 'a test' };

    expect(await post('/v1/repair', { ...step, step: 'dance' })).toMatchObject({ status: 404 });
    expect(await post('/v1/repair', step)).toMatchObject({ status: 202 });
    expect(await post('/v1/screen', {})).toMatchObject({ status: 404 });
    expect(await post('/v1/screen', { fresh: true })).toMatchObject({ status: 200 });
    machine.task = { running: true, id: 't1' };
    expect(await post('/v1/screen', { fresh: true })).toMatchObject({ status: 409 });
    expect(await post('/v1/repair', step)).toMatchObject({ status: 409 });
    expect(await post('/v1/quarantine/clear', { why: 'a test' })).toMatchObject({ status: 200 });

    const { body } = (await curl(machine, '/v1/status')) as { body: unknown };
    expect(body).toMatchObject({
      health: { verdict: 'recovering' },
      repairs: [{ device: 'device', step: 'adb-reconnect', outcome: 'done' }],
    });
    expect(await curl(machine, '/v1/log?lines=2')).toMatchObject({
      body: { lines: [{ text: 'task t1 started' }, { text: 'quarantine cleared: a test' }] },
    });
  });

  it('switches USB ports, which are on again after a boot', async () => {
    const machine = await start();

    expect(await curl(machine, '/v1/usb/1-1/2', ...put(false))).toEqual({
      status: 200,
      body: { hub: '1-1', port: 2, on: false },
    });
    expect(machine.usb.isOn('usb/1-1.2')).toBe(false);
    board.set('1', false);
    expect(machine.usb.isOn('usb/1-1.1')).toBe(false);
    board.set('1', true);
    await machine.whenUp();

    expect(await curl(machine, '/v1/usb/1-1/2')).toMatchObject({ body: { on: true } });
  });

  it.each([
    { path: '/v1/usb/1-1/9', status: 404 },
    { path: '/v1/usb/1-2/1', status: 404 },
    { path: '/v1/else', status: 404 },
    { path: '/v1/reboot', args: ['--json', '{}'], status: 400 },
  ])('refuses $path', async ({ path, args = [], status }) => {
    const machine = await start();

    expect(await curl(machine, path, ...args)).toMatchObject({ status, body: { status } });
  });
});

it('that cannot have one of its ports keeps none', async () => {
  const first = await start();
  const { sshPort, agentPort = 0 } = first;
  await first.close();
  const taker = await start({ agentPort });

  await expect(start({ sshPort, agentPort })).rejects.toThrow('EADDRINUSE');

  const again = await start({ sshPort });
  expect([taker.agentPort, again.sshPort]).toEqual([agentPort, sshPort]);
});
