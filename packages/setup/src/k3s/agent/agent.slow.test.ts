/**
 * Machines that join and leave: the cluster is a real API server, and the machine a booted Debian, on which a program with the files of
 * k3s stands in for its agent.
 */

import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { downloader, type Host, openHost, prepare } from '@skolo/setup/engine';
import { type ControlPlane, peer, startControlPlane } from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clusterOn, type JoinCluster } from '../cluster/cluster.ts';
import { k3sVersion } from '../program/version.ts';
import { type BareJumphost, startBareJumphost, whyNoJumphost } from '../testing/bare-jumphost.ts';
import { address, type OpenHost, openTestHost, ours, register } from '../testing/test-host.ts';
import { joinSteps, removeAgent } from './agent.ts';
import { machineTaint } from './agent-files.ts';

const name = 'rpi-1';
const { signal } = new AbortController();

// What the cluster says of machines is in prepare.slow.test.ts.
describe.skipIf(whyNoJumphost())('a machine and its cluster', () => {
  let server: ControlPlane;
  let jumphost: Host;
  let cluster: JoinCluster;
  let folder: string;
  let machine: BareJumphost;
  let host: OpenHost;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'skolo-join-'));
    server = await startControlPlane(peer('control-plane') ?? '', peer('kubectl') ?? '', {
      controllers: false,
    });
    // The jumphost is this computer, with this k3s.
    const k3s = `#!/bin/sh
case $1 in
  kubectl) shift; exec '${peer('kubectl')}' --kubeconfig '${server.kubeconfig}' "$@" ;;
  token) echo 'K10abc::id.secret' ;;
esac
`;
    await writeFile(join(folder, 'k3s'), k3s, { mode: 0o755 });
    const env = { PATH: `${folder}:${process.env.PATH}`, HOME: folder };
    const start = async (command: string) => spawn('sh', ['-c', command], { env });
    jumphost = await openHost({ name: 'jumphost', start, signal });
    cluster = { ...clusterOn(jumphost), version: async () => k3sVersion };
    machine = await startBareJumphost();
    host = await openTestHost(machine.workstation, signal);
  });
  afterAll(async () => {
    await host?.close();
    await machine?.close();
    await server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const go = async (to = cluster) => {
    const steps = joinSteps({
      machine: { name, address },
      server: ours,
      cluster: to,
      download: downloader({
        folder: machine.workstation.files,
        fetch,
        signal,
        confirm: async () => false,
      }),
      now: Date.now,
      readyMs: 120_000,
    });
    const found = await prepare(host, steps, { isCheck: false, signal, report() {} });
    return Object.fromEntries(
      found.map(({ name, state, text }) => [name, state === 'failed' ? text : state]),
    );
  };

  it('is rejected while a node of its name lives, joins when that is dead, and leaves', async () => {
    await register(jumphost, name, { isReady: true });

    expect(await go()).toMatchObject({
      'old-node': expect.stringContaining(
        'another computer is running as node rpi-1; rename one of the computers',
      ),
      'k3s-agent': 'waiting',
    });

    await register(jumphost, name, { isReady: false });
    const [states] = await Promise.all([go(), registerWhenJoined(host, jumphost)]);

    expect(states).toEqual({
      system: 'ok',
      'old-cluster': 'ok',
      'old-node': 'changed',
      'k3s-config': 'changed',
      'image-store': 'changed',
      'k3s-agent': 'changed',
      node: 'changed',
    });
    expect((await cluster.node(name))?.taints).toContain(machineTaint);
    expect(await host.need('stat -c %a /etc/rancher/k3s/token')).toBe('600\n');
    const pid = '$(systemctl show --value --property=MainPID k3s-agent)';
    expect(await host.need(`tr '\\0' ' ' < /proc/${pid}/cmdline`)).toContain(
      ' agent --flannel-iface host0',
    );
    expect(new Set(Object.values(await go()))).toEqual(new Set(['ok']));

    await removeAgent(host);
    await removeAgent(host);

    const { stdout } = await host.run('ls -A /etc/rancher/k3s; systemctl is-active k3s-agent');
    expect(stdout).toBe('inactive\n');
  });

  it('leaves a cluster that was made anew, and joins again', async () => {
    await cluster.forget(name);
    await Promise.all([go(), registerWhenJoined(host, jumphost)]);
    // As the agent of k3s keeps it; its server has forgotten the node.
    const path = '/var/lib/rancher/k3s/agent/server-ca.crt';
    await host.write({ path, content: 'of the old cluster\n' });
    await cluster.forget(name);
    const anew = { ...cluster, ca: async () => 'of the new cluster\n' };
    const joined = host.need(`while [ -e ${path} ]; do sleep 1; done`);

    const [states] = await Promise.all([
      go(anew),
      joined.then(() => registerWhenJoined(host, jumphost)),
    ]);

    expect(states).toMatchObject({
      'old-cluster': 'changed',
      'old-node': 'ok',
      'k3s-agent': 'changed',
      node: 'changed',
    });
    expect(new Set(Object.values(await go(anew)))).toEqual(new Set(['ok']));
  });

  it('joins with programs for arm/v7 where its Debian says so', async () => {
    await host.need(`rm /usr/local/bin/k3s
printf '#!/bin/sh\\necho armhf\\n' > /usr/local/bin/dpkg; chmod 755 /usr/local/bin/dpkg`);
    await rm(join(machine.workstation.files, `k3s-${k3sVersion}`, 'k3s'));
    await cluster.forget(name);

    const [states] = await Promise.all([go(), registerWhenJoined(host, jumphost)]);

    expect(states).toMatchObject({ system: 'ok', 'k3s-agent': 'changed', node: 'changed' });
  });
});

async function registerWhenJoined(host: Host, jumphost: Host): Promise<void> {
  await host.need('until [ -e /var/lib/rancher/k3s/agent/client-kubelet.crt ]; do sleep 1; done');
  await register(jumphost, name, { isReady: true });
}
