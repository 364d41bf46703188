/** The way to a rack through a real sshd, to a real API server, with real kubectl. */

import { once } from 'node:events';
import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { untilTestEnds } from '@skolo/base/testing';
import type { ControlPlane } from '@skolo/simulators';
import { makeSshKey } from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { FleetRack } from '../racks/clusters.ts';
import { provesSecrets } from '../testing/secret-places.ts';
import { provesRoles } from '../testing/token-attempts.ts';
import {
  missing,
  startCluster,
  startWorkstation,
  type Workstation,
} from '../testing/workstation.ts';
import { openRack } from './open-rack.ts';
import type { OpenOptions, OpenRack } from './way.ts';

const absent = missing();
let cluster: ControlPlane | undefined;

describe.skipIf(absent)('with a real API server', () => {
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster?.close());

  provesRoles(() => cluster);
  provesSecrets(() => cluster);

  it('has a kubeconfig of its own, for this user only, and leaves nothing behind', async () => {
    const workstation = await newWorkstation();

    const open = await openAt(workstation);
    const { stdout } = await kubectl(open, 'get', 'namespaces', '-o', 'name');

    expect(stdout).toContain('namespace/skolo');
    expect((await stat(open.folder)).mode & 0o777).toBe(0o700);
    expect((await stat(open.kubeconfig)).mode & 0o777).toBe(0o600);
    const kubeconfig = await readFile(open.kubeconfig, 'utf8');
    expect(kubeconfig).not.toContain('client-key');
    await open.close();
    expect(await workstation.left()).toEqual([]);
    expect(await connects(proxyOf(kubeconfig).port)).toBe(false);
  });

  it('shows other users of this computer a closed door', async () => {
    const open = await openAt(await newWorkstation());
    const kubeconfig = await readFile(open.kubeconfig, 'utf8');
    const { port, username, password } = proxyOf(kubeconfig);

    expect(await ask(port, 'CONNECT rack4:1 HTTP/1.1')).toContain('407');
    expect(await ask(port, 'CONNECT rack4:1 HTTP/1.1', 'skolo:wrong')).toContain('407');
    expect(await ask(port, 'CONNECT 10.0.0.1:22 HTTP/1.1', `${username}:${password}`)).toContain(
      '403',
    );
    expect(await ask(port, 'GET http://rack4/ HTTP/1.1', `${username}:${password}`)).toContain(
      '405',
    );
  });

  it('keeps its port while the tunnel is cut, and kubectl waits for the next one', async () => {
    const workstation = await newWorkstation();
    const lost: string[] = [];
    const open = await openAt(workstation, { onTrouble: ({ message }) => lost.push(message) });
    const before = await readFile(open.kubeconfig, 'utf8');

    for (let round = 0; round < 3; round++) {
      expect(workstation.jumphost.relay.cut()).toBeGreaterThan(0);
      expect((await kubectl(open, 'get', 'namespace', 'skolo')).code).toBe(0);
    }

    expect(lost.length).toBeGreaterThanOrEqual(3);
    expect(await readFile(open.kubeconfig, 'utf8')).toBe(before);
  });

  it('comes back when the jumphost does', async () => {
    const workstation = await newWorkstation();
    const open = await openAt(workstation);
    await workstation.jumphost.relay.close();

    expect((await kubectl(open, 'get', '--raw=/version', '--request-timeout=1s')).code).not.toBe(0);
    await workstation.jumphost.relay.open();

    expect((await kubectl(open, 'get', '--raw=/version')).code).toBe(0);
  });

  it('replaces a connection on which nothing arrives any more', async () => {
    const workstation = await newWorkstation();
    const lost: string[] = [];
    const open = await openAt(workstation, { onTrouble: ({ message }) => lost.push(message) });
    const wait = workstation.jumphost.relay.inject({ effect: 'wait' });
    const asked = kubectl(open, 'get', '--raw=/version');

    await expect.poll(() => lost).not.toEqual([]);
    wait.end();

    await asked;
    await expect.poll(async () => (await kubectl(open, 'get', '--raw=/version')).code).toBe(0);
  });

  it('tries the ways in order', async () => {
    const workstation = await newWorkstation();
    const rack = {
      ...workstation.rack,
      ways: [{ host: 'gone.invalid' }, { host: 'jumphost-rack4' }],
    };

    const tried: string[] = [];

    const open = await openAt(
      workstation,
      { onNextWay: ({ message }) => tried.push(message) },
      rack,
    );

    expect((await kubectl(open, 'get', 'namespaces')).code).toBe(0);
    expect(tried).toEqual([
      'rack4: gone.invalid: no such host name; check your VPN and DNS; trying jumphost-rack4',
    ]);
  });

  it('runs commands on the jumphost', async () => {
    const workstation = await newWorkstation();
    const open = await openAt(workstation);

    expect(await open.onJumphost('echo "a b"; echo c >&2; exit 7', soon())).toEqual({
      code: 7,
      stdout: 'a b\n',
      stderr: 'c',
    });
  });

  describe('says what to do', () => {
    it('about a role that sudo does not allow', async () => {
      const workstation = await newWorkstation();
      await workstation.jumphost.program('sudo', 'echo "sudo: a password is required" >&2; exit 1');

      await expect(openAt(workstation)).rejects.toMatchObject({
        message: expect.stringContaining('denies you the view role'),
      });
      expect(await workstation.left()).toEqual([]);
    });

    it('about a cluster without our accounts', async () => {
      const workstation = await newWorkstation();
      await workstation.jumphost.program(
        'sudo',
        'echo \'error: failed to create token: serviceaccounts "skolo-view" not found\' >&2; exit 1',
      );

      await expect(openAt(workstation)).rejects.toThrow('ask an admin to apply kube/base/access');
    });

    it('about an API server that is down', async () => {
      const workstation = await newWorkstation();
      const rack = { ...workstation.rack, apiPort: 1 };

      await expect(openAt(workstation, {}, rack)).rejects.toMatchObject({
        message: expect.stringContaining('systemctl status k3s'),
      });
    });

    it('about a rejected token', async () => {
      const workstation = await newWorkstation();
      await workstation.jumphost.program(
        'sudo',
        `shift
case "$*" in
*token*) echo '{"status":{"token":"abc","expirationTimestamp":"2020-01-01T00:00:00Z"}}' ;;
*) exec "$@" ;;
esac`,
      );

      await expect(openAt(workstation)).rejects.toMatchObject({
        message: expect.stringMatching(/the API server's clock is \d+ min behind/),
      });
    });

    it('about a host key that has changed', async () => {
      const workstation = await newWorkstation();
      await writeFile(workstation.jumphost.knownHosts, `jumphost-rack4 ${makeSshKey().public}\n`);

      await expect(openAt(workstation)).rejects.toMatchObject({
        message: expect.stringContaining('ssh-keygen -R jumphost-rack4'),
      });
    });

    it('about a host key that is not known', async () => {
      const workstation = await newWorkstation();
      await replaceIn(workstation.jumphost.sshConfig, 'accept-new', 'yes');

      await expect(openAt(workstation)).rejects.toMatchObject({
        message: expect.stringContaining('run ssh jumphost-rack4 once'),
      });
    });

    it('about a missing key', async () => {
      const workstation = await newWorkstation();
      await replaceIn(workstation.jumphost.sshConfig, /IdentityFile .*/, 'IdentityFile /dev/null');

      await expect(openAt(workstation)).rejects.toMatchObject({
        message: expect.stringContaining('ssh-add'),
      });
    });

    it('about a jumphost that rejects', async () => {
      const workstation = await newWorkstation();
      await replaceIn(workstation.jumphost.sshConfig, /Port .*/, 'Port 1');

      await expect(openAt(workstation)).rejects.toThrow('jumphost-rack4: connection refused');
    });

    it('about each of several ways', async () => {
      const workstation = await newWorkstation();
      const rack = {
        ...workstation.rack,
        ways: [{ host: 'a.invalid' }, { host: 'b.invalid', user: 'me' }],
      };

      await expect(openAt(workstation, {}, rack)).rejects.toThrow(
        /rack4: a\.invalid: .*me@b\.invalid: /s,
      );
    });

    it('about a missing ssh', async () => {
      const workstation = await newWorkstation();
      const bin = join(workstation.env.HOME ?? '', 'bin');
      await mkdir(bin);
      for (const name of ['sh', 'mktemp', 'rm']) await symlink(`/usr/bin/${name}`, join(bin, name));

      await expect(
        openAt({ ...workstation, env: { ...workstation.env, PATH: bin } }),
      ).rejects.toMatchObject({
        message: expect.stringContaining('ssh: not installed'),
      });
    });
  });

  it('can be aborted while it opens, and leaves nothing behind', async () => {
    const workstation = await newWorkstation();
    workstation.jumphost.relay.inject({ effect: 'wait' });
    const stop = new AbortController();

    const opening = openAt(workstation, { signal: stop.signal });
    stop.abort(new Error('enough'));

    await expect(opening).rejects.toThrow('enough');
    expect(await workstation.left()).toEqual([]);
  });
});

async function newWorkstation(): Promise<Workstation> {
  return untilTestEnds(await startWorkstation(cluster));
}

async function openAt(
  { env, rack }: Workstation,
  options: Partial<OpenOptions> = {},
  as: FleetRack = rack,
): Promise<OpenRack> {
  const signal = soon();
  const open = await openRack(as, { role: 'view', env, mayAsk: false, signal, ...options });
  onTestFinished(open.close);
  return open;
}

function soon(): AbortSignal {
  return new AbortController().signal;
}

async function kubectl(open: OpenRack, ...args: string[]) {
  const child = open.spawn('kubectl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  if (!child.stdout || !child.stderr) throw new Error('no pipes');
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { stdout, stderr, code };
}

function proxyOf(kubeconfig: string) {
  const { port, username, password } = new URL(
    /"proxy-url": "([^"]+)"/.exec(kubeconfig)?.[1] ?? '',
  );
  return { port: Number(port), username, password };
}

async function ask(port: number, line: string, login?: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const sign = login && `Proxy-Authorization: Basic ${Buffer.from(login).toString('base64')}\r\n`;
  socket.write(`${line}\r\nHost: rack4\r\nConnection: close\r\n${sign ?? ''}\r\n`);
  return (await text(socket)).split('\r\n')[0] ?? '';
}

async function connects(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const result = await Promise.race([
    once(socket, 'connect').then(() => true),
    once(socket, 'close').then(() => false),
  ]).catch(() => false);
  socket.destroy();
  return result;
}

async function replaceIn(file: string, from: string | RegExp, to: string): Promise<void> {
  await writeFile(file, (await readFile(file, 'utf8')).replace(from, to));
}
