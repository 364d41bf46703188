/** `skolo pi setup` on Debians in namespaces, some of which resemble Pis in a small rack. */

import { type AddressInfo, createServer } from 'node:net';
import { run } from '@skolo/base/testing';
import { network, whyNoJumphost } from '@skolo/setup/k3s/testing';
import { afterEach, describe, expect, it } from 'vitest';
import type { Io } from './io.ts';
import { complete } from './program.ts';
import {
  type Oddity,
  outside,
  type RunningPis,
  restartAsTold,
  startPis,
} from './testing/running-pis.ts';
import { testIo } from './testing/test-io.ts';

const why = whyNoJumphost();

describe.skipIf(why)('Pis of a small rack', () => {
  let pis: RunningPis | undefined;
  afterEach(async () => {
    await pis?.close();
    pis = undefined;
  });

  async function start(...oddities: (Oddity | undefined)[]) {
    const started = await startPis(oddities);
    pis = started;
    const names = `host[01-${String(oddities.length).padStart(2, '0')}]`;
    const common = ['--accept-new-keys', '--sign-in-as', 'pi', '--password-file'];
    return async (
      words: readonly string[] = [],
      onLine: (line: string) => void = () => {},
      which = names,
      onSignal: Io['onSignal'] = () => () => {},
    ) => {
      let out = '';
      const io = testIo({
        env: started.env,
        onSignal,
        out(text) {
          out += `${text}\n`;
        },
        err: onLine,
        canAsk: false,
      });
      const args = ['pi', 'setup', which, ...common, started.passwordFile, ...words];
      const exitCode = await complete(['--rack', started.rack, ...args], io);
      const [table = ''] = out.split('\n\n');
      const rows = table.trimEnd().split('\n').slice(1);
      const states = Object.fromEntries(rows.map((row) => row.split(/\s+/, 2)));
      return { exitCode, states, out };
    };
  }

  it('are set up, and once more without a change; one without internet and one with another password are named', async () => {
    const setup = await start(undefined, 'other-password', 'offline');
    const lines: string[] = [];

    const one = await setup([], (line) => lines.push(line));

    expect(one.exitCode).toBe(1);
    expect(one.states).toEqual({ host01: 'differs', host02: 'failed', host03: 'failed' });
    expect(lines.join('\n')).toMatch(
      /^host03: time: changing: .*; waits for an NTP client, which apt installs if it is missing/m,
    );
    expect(one.out).toMatch(
      /^host03: time: .*package sources did not respond \(.*deb\.debian\.org.*\); check the internet connection$/m,
    );
    expect(one.out).toContain('restart: the firmware has not loaded its new settings');
    expect(one.out).toContain('SSH sign-in failed with your keys and with the password');
    const pi = pis?.computers.get('host01');
    expect(await pi?.read('/boot/firmware/cmdline.txt')).toBe(
      'console=tty1 root=PARTUUID=6c586e13-02 rootwait cgroup_memory=1 cgroup_enable=memory\n',
    );
    const hosts = (await pi?.read('/etc/hosts')) ?? '';
    expect(hosts).toMatch(/host02\.lan host02\n.*printer/s);
    const effective = await pi?.run('sh', '-c', 'sshd -T; date +%Z; hostname');
    expect(effective?.text).toMatch(/^passwordauthentication no$/m);
    expect(effective?.text).toMatch(/^CET\nhost01$/m);

    const changes: string[] = [];
    const two = await setup([], (line) => changes.push(line));

    expect(two.states).toEqual(one.states);
    expect(
      changes.filter((line) => line.startsWith('host01') && !/: restart: /.test(line)),
    ).toEqual([]);
  });

  it('that were interrupted are in the table, with what was done', async () => {
    const setup = await start(undefined, undefined);
    let interrupt: (() => void) | undefined;

    const { exitCode, out } = await setup(
      [],
      (line) => {
        if (line.startsWith('host01: swap: changing')) interrupt?.();
      },
      'host01',
      (listener) => {
        interrupt = () => listener('SIGINT');
        return () => {};
      },
    );

    expect(exitCode).toBe(130);
    expect(out).toMatch(/^host01 +interrupted +.*name,hosts,user/m);
    expect(out).toMatch(/^host01: at swap: .*; run the command again$/m);
  });

  it('get addresses, names and a way out from a master with Wi-Fi', async () => {
    const setup = await start('wifi', 'dhcp');
    const { computers } = pis as RunningPis;
    await run('ip', ['address', 'replace', `${outside.ours}/24`, 'dev', outside.device]);
    await run('ip', ['link', 'set', outside.device, 'up']);
    const server = createServer((socket) => void socket.end(`${socket.remoteAddress}\n`));
    await new Promise<void>((resolve) => server.listen(0, outside.ours, resolve));

    const one = await setup(['--limit', '3m'], undefined, 'host01');

    expect(one.out).toMatch(/^host01 +differs +restart /m);
    const host02 = computers.get('host02');
    await host02?.run('systemctl', 'start', 'systemd-networkd');
    const said = async (command: string) => (await host02?.run('bash', '-c', command))?.text.trim();
    await expect
      .poll(() => said('ip -4 -o address show dev host0 | grep -o "inet [^/]*"'))
      .toBe(`inet ${network}.12`);
    await said(`echo 'nameserver ${network}.11' > /etc/resolv.conf`);
    expect(await said('getent hosts host01.lan')).toMatch(/^\S+\.11 +host01\.lan/);
    const { port } = server.address() as AddressInfo;
    expect(await said(`cat < /dev/tcp/${outside.ours}/${port}`)).toBe(outside.theirs);
    server.close();

    const lines: string[] = [];
    const two = await setup([], (line) => lines.push(line));

    expect(lines.filter((line) => line.startsWith('host01') && !/: restart: /.test(line))).toEqual(
      [],
    );
    expect(two.states).toEqual({ host01: 'differs', host02: 'differs' });
  });

  it('of which each fails by itself are done in five runs', async () => {
    const setup = await start(
      ...[undefined, undefined, undefined, undefined, undefined, undefined],
      ...(['slow', 'other-password', 'full-disk', 'in-1970'] as const),
    );
    const good = ['host01', 'host02', 'host04', 'host05', 'host06', 'host07', 'host10'];
    const all = (state: string) => Object.fromEntries(good.map((name) => [name, state]));

    let isCut = false;
    const one = await setup([], (line) => {
      if (isCut || !line.startsWith('host03: swap: changing')) return;
      isCut = true;
      void pis?.computers.get('host03')?.cutPower();
    });

    expect(one.states).toEqual({
      ...all('differs'),
      host03: 'failed',
      host08: 'failed',
      host09: 'failed',
    });
    expect(one.exitCode).toBe(1);
    expect(one.out).toMatch(/^host03: swap: the SSH connection failed/m);
    expect(one.out).toMatch(
      /^host09: system: the disk has \d+ MiB free, but 64 MiB are required; free disk space/m,
    );

    await pis?.computers.get('host03')?.boot();
    const stop = new AbortController();
    const restarts = pis && restartAsTold(pis, stop.signal);
    const two = await setup(['--restart']);
    stop.abort();
    await restarts;

    const failed = { host08: 'failed', host09: 'failed' };
    expect(two.states).toEqual({ ...all('changed'), host03: 'changed', ...failed });
    expect(two.exitCode).toBe(3);
    expect(two.out).toMatch(/^host01 +changed +restart +not a/m);

    const lines: string[] = [];
    const three = await setup(['--restart'], (line) => lines.push(line));

    expect(three.states).toEqual({ ...all('ok'), host03: 'ok', ...failed });
    expect(lines.filter((line) => !line.startsWith('host09: system: failed'))).toEqual([]);

    await pis?.computers.get('host08')?.run('sh', '-c', 'echo pi:raspberry | chpasswd');
    await pis?.computers.get('host09')?.run('rm', '/var/full');
    const four = await setup();

    expect(four.states).toEqual({
      ...all('ok'),
      host03: 'ok',
      host08: 'differs',
      host09: 'differs',
    });

    for (const name of ['host08', 'host09']) {
      await pis?.computers.get(name)?.cutPower();
      await pis?.computers.get(name)?.boot();
    }
    const five = await setup(['--check']);

    expect(new Set(Object.values(five.states))).toEqual(new Set(['ok']));
    expect(five.exitCode).toBe(0);
  });
});
