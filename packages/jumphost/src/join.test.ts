/**
 * Machines that join and leave: the cluster is a real API server, and the machine a booted Debian, on which a program with the files of
 * k3s stands in for its agent.
 */
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isLong } from '@skolo/durable/campaign';
import { type ControlPlane, peer, startControlPlane } from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { downloader } from './downloads.ts';
import { prepare } from './engine.ts';
import { type Host, openHost } from './host.ts';
import { clusterOn, type JoinCluster } from './join-cluster.ts';
import { machineTaint } from './steps/agent-files.ts';
import { joinSteps, removeAgent } from './steps/k3s-agent.ts';
import { k3sVersion } from './steps/versions.ts';
import { type BareJumphost, startBareJumphost, whyNoJumphost } from './testing/bare-jumphost.ts';
import { address, type OpenHost, openTestHost, ours } from './testing/test-steps.ts';

const run = promisify(execFile);
const name = 'rpi-1';
const { signal } = new AbortController();

const absent =
  process.getuid?.() === 0 && peer('kubectl') && peer('control-plane')
    ? undefined
    : 'not root, or no control plane';
describe.skipIf(absent)('a machine and its cluster', { timeout: 300_000 }, () => {
  let server: ControlPlane;
  let cluster: JoinCluster;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'skolo-join-'));
    server = await startControlPlane(peer('control-plane') ?? '', peer('kubectl') ?? '', {
      controllers: false,
    });
    // The jumphost is this computer, with this k3s.
    const k3s = `#!/bin/sh
case $1 in
  kubectl) shift; exec '${peer('kubectl')}' --kubeconfig '${server.kubeconfig}' "$@" ;;
  token) echo 'K10abc::id.secret'; echo "$*" >> '${folder}/asked' ;;
esac
`;
    await writeFile(join(folder, 'k3s'), k3s, { mode: 0o755 });
    const env = { PATH: `${folder}:${process.env.PATH}`, HOME: folder };
    const start = async (command: string) => spawn('sh', ['-c', command], { env });
    const jumphost = await openHost({ name: 'jumphost', start, signal });
    cluster = { ...clusterOn(jumphost), version: async () => k3sVersion };
  }, 120_000);
  afterAll(async () => {
    await server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('is known by its node, its taints and its password', async () => {
    expect(await cluster.node(name)).toBeUndefined();
    expect(await cluster.hasPassword(name)).toBe(false);

    await register(server, { isReady: true });
    await cluster.taint(name, machineTaint);

    expect(await cluster.node(name)).toMatchObject({ isReady: true });
    expect((await cluster.node(name))?.taints).toContain(machineTaint);
    expect(await cluster.hasPassword(name)).toBe(true);
    expect(await cluster.newToken('15m', `${name} joins`)).toBe('K10abc::id.secret');

    await cluster.forget(name);
    await cluster.forget(name);

    expect(await cluster.node(name)).toBeUndefined();
    expect(await cluster.hasPassword(name)).toBe(false);
  });

  describe.skipIf(!isLong || whyNoJumphost() !== undefined)('on a bare Debian', () => {
    let machine: BareJumphost;
    let host: OpenHost;
    beforeAll(async () => {
      machine = await startBareJumphost();
      host = await openTestHost(machine.desk, signal);
    }, 120_000);
    afterAll(async () => {
      await host?.close();
      await machine?.close();
    });

    const go = async (to = cluster) => {
      const steps = joinSteps({
        ...{ machine: { name, address }, server: ours, cluster: to },
        download: downloader({ folder: machine.desk.files, fetch, signal }),
        now: Date.now,
        readyMs: 60_000,
      });
      const found = await prepare(host, steps, { isCheck: false, signal, report() {} });
      return Object.fromEntries(
        found.map(({ name, state, text }) => [name, state === 'failed' ? text : state]),
      );
    };

    it('is refused while a node of its name lives, joins when that is dead, and leaves', async () => {
      await register(server, { isReady: true });

      expect(await go()).toMatchObject({
        'former-node': expect.stringContaining('the node rpi-1 is alive, on another computer'),
        'k3s-agent': 'waiting',
      });

      await register(server, { isReady: false });
      const [states] = await Promise.all([go(), registerWhenJoined(host, server)]);

      expect(states).toEqual({
        ...{ system: 'ok', 'former-cluster': 'ok', 'former-node': 'changed' },
        ...{ 'k3s-config': 'changed' },
        ...{ 'k3s-agent': 'changed', node: 'changed' },
      });
      expect((await cluster.node(name))?.taints).toContain(machineTaint);
      expect(await host.need('stat -c %a /etc/rancher/k3s/token')).toBe('600\n');
      expect(new Set(Object.values(await go()))).toEqual(new Set(['ok']));

      await removeAgent(host);
      await removeAgent(host);

      const { stdout } = await host.run('ls -A /etc/rancher/k3s; systemctl is-active k3s-agent');
      expect(stdout).toBe('inactive\n');
    });

    it('leaves a cluster that was made anew, and joins again', async () => {
      await cluster.forget(name);
      await Promise.all([go(), registerWhenJoined(host, server)]);
      // As the agent of k3s keeps it; its server has forgotten the node.
      const path = '/var/lib/rancher/k3s/agent/server-ca.crt';
      await host.write({ path, content: 'of the former cluster\n' });
      await cluster.forget(name);
      const anew = { ...cluster, ca: async () => 'of the new cluster\n' };
      const joined = host.need(`while [ -e ${path} ]; do sleep 1; done`);

      const [states] = await Promise.all([
        go(anew),
        joined.then(() => registerWhenJoined(host, server)),
      ]);

      expect(states).toMatchObject({
        ...{ 'former-cluster': 'changed', 'former-node': 'ok' },
        ...{ 'k3s-agent': 'changed', node: 'changed' },
      });
      expect(new Set(Object.values(await go(anew)))).toEqual(new Set(['ok']));
    });

    it('joins with programs for arm/v7 where its Debian says so', async () => {
      await host.need(`rm /usr/local/bin/k3s
printf '#!/bin/sh\\necho armhf\\n' > /usr/local/bin/dpkg; chmod 755 /usr/local/bin/dpkg`);
      await rm(join(machine.desk.files, `k3s-${k3sVersion}`, 'k3s'));
      await cluster.forget(name);

      const [states] = await Promise.all([go(), registerWhenJoined(host, server)]);

      expect(states).toMatchObject({ system: 'ok', 'k3s-agent': 'changed', node: 'changed' });
    });
  });
});

/** As a kubelet and the server of k3s do. */
async function register(server: ControlPlane, { isReady }: { isReady: boolean }): Promise<void> {
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name } };
  const secret = {
    ...{ apiVersion: 'v1', kind: 'Secret' },
    metadata: { name: `${name}.node-password.k3s`, namespace: 'kube-system' },
    stringData: { hash: 'of another password' },
  };
  const condition = { type: 'Ready', status: isReady ? 'True' : 'Unknown' };
  await kubectl(server, ['apply', '-f', '-'], {
    kind: 'List',
    apiVersion: 'v1',
    items: [node, secret],
  });
  const patch = JSON.stringify({ status: { conditions: [condition] } });
  await kubectl(server, ['patch', 'node', name, '--subresource=status', '-p', patch]);
}

async function registerWhenJoined(host: Host, server: ControlPlane): Promise<void> {
  await host.need('until [ -e /var/lib/rancher/k3s/agent/client-kubelet.crt ]; do sleep 1; done');
  await register(server, { isReady: true });
}

async function kubectl(server: ControlPlane, args: string[], input?: object): Promise<void> {
  const child = run(peer('kubectl') ?? '', ['--kubeconfig', server.kubeconfig, ...args]);
  child.child.stdin?.end(input === undefined ? '' : JSON.stringify(input));
  await child;
}
