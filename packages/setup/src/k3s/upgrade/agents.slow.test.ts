/**
 * Agents of k3s get another version: the cluster is a real API server, and one machine a booted Debian, on which a program with the
 * files of k3s stands in for its agent. The test says of its node what a kubelet would.
 */

import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorText } from '@skolo/base';
import { feed, run } from '@skolo/base/testing';
import { downloader, type Host, openHost, prepare } from '@skolo/setup/engine';
import { type ControlPlane, peer, startControlPlane } from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { joinSteps } from '../agent/agent.ts';
import { clusterOn } from '../cluster/cluster.ts';
import { k3sVersion } from '../program/version.ts';
import { type BareJumphost, startBareJumphost, whyNoJumphost } from '../testing/bare-jumphost.ts';
import { address, type OpenHost, openTestHost, ours } from '../testing/test-host.ts';
import { addK3s } from '../testing/test-workstation.ts';
import type { AgentMachine } from './agent.ts';
import { agentsStep } from './agents.ts';

const next = 'v1.37.1+k3s1';
const crashing = 'v1.37.2+k3s1';
const { signal } = new AbortController();

describe.skipIf(whyNoJumphost())('an upgrade of agents', () => {
  let server: ControlPlane;
  let folder: string;
  let jumphost: Host;
  let machine: BareJumphost;
  let own: OpenHost;
  let kubelet: NodeJS.Timeout;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'skolo-agents-'));
    const kubectl = peer('kubectl') ?? '';
    server = await startControlPlane(peer('control-plane') ?? '', kubectl, { controllers: false });
    await writeFile(
      join(folder, 'k3s'),
      `#!/bin/sh
case $1 in
  kubectl) shift; exec '${kubectl}' --kubeconfig '${server.kubeconfig}' "$@" ;;
  token) echo 'K10abc::id.secret' ;;
esac
`,
      { mode: 0o755 },
    );
    const env = { PATH: `${folder}:${process.env.PATH}`, HOME: folder };
    const start = async (command: string) => spawn('sh', ['-c', command], { env });
    jumphost = await openHost({ name: 'jumphost', start, signal });
    for (const name of ['rpi-1', 'rpi-2', 'rpi-3', 'rpi-4', 'rpi-5']) {
      await register(name, k3sVersion, name !== 'rpi-2');
    }

    machine = await startBareJumphost();
    await addK3s(machine.workstation.files, next);
    await addK3s(machine.workstation.files, crashing, 'crash');
    own = await openTestHost(machine.workstation, signal);
    kubelet = setInterval(() => void sayVersion().catch(() => undefined), 1000);
    const cluster = { ...clusterOn(jumphost), version: async () => k3sVersion };
    const needs = {
      machine: { name: 'rpi-1', address },
      server: ours,
      cluster,
      now: Date.now,
      download: downloader({
        folder: machine.workstation.files,
        fetch,
        signal,
        confirm: async () => false,
      }),
      readyMs: 120_000,
    };
    const given = { isCheck: false, signal, report() {} };
    const joined = await prepare(own, joinSteps(needs), given);
    expect(joined.filter(({ state }) => state === 'failed')).toEqual([]);
  });
  afterAll(async () => {
    clearInterval(kubelet);
    await own?.close();
    await machine?.close();
    await server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const said: { version?: string | undefined } = {};

  /** As the kubelet on the machine does, where its agent runs. */
  async function sayVersion(): Promise<void> {
    const { code, stdout } = await own.run(
      'systemctl is-active -q k3s-agent && cat /run/k3s-test-agent',
    );
    const version = code === 0 ? stdout : undefined;
    if (version === said.version) return;
    await register('rpi-1', version ?? (await versionOf('rpi-1')), version !== undefined);
    said.version = version;
  }

  async function register(name: string, kubeletVersion: string, isReady: boolean): Promise<void> {
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name } };
    const child = run(peer('kubectl') ?? '', [
      '--kubeconfig',
      server.kubeconfig,
      'apply',
      '-f',
      '-',
    ]);
    feed(child.child, JSON.stringify(node));
    await child;
    const condition = { type: 'Ready', status: isReady ? 'True' : 'Unknown' };
    const status = { nodeInfo: { kubeletVersion }, conditions: [condition] };
    await kubectl('patch', 'node', name, '--subresource=status', '-p', JSON.stringify({ status }));
  }

  const versionOf = (name: string) =>
    kubectl('get', 'node', name, '-o', 'jsonpath={.status.nodeInfo.kubeletVersion}');

  const isReady = async (name: string) => {
    const path = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}';
    return (await kubectl('get', 'node', name, '-o', path)) === 'True';
  };

  async function kubectl(...args: string[]): Promise<string> {
    const all = ['--kubeconfig', server.kubeconfig, ...args];
    return (await run(peer('kubectl') ?? '', all)).stdout;
  }

  const idle: AgentMachine = {
    open: async () => own,
    readState: async () => ({ isRunning: false, accepts: false }),
    job: async () => undefined,
    hold: async () => ({ isHeld: true, release: async () => void done.push('released') }),
  };
  const done: string[] = [];

  /** @param readyMs for a version that does not run, all of it passes */
  async function upgrade(
    version: string,
    machines: Record<string, AgentMachine>,
    readyMs = 120_000,
  ) {
    done.length = 0;
    const left: string[] = [];
    const report = (text: string) => void done.push(text);
    const step = agentsStep({
      // All are one computer.
      version,
      server: 'jumphost',
      atOnce: 1,
      report,
      machines: new Map(Object.entries(machines)),
      download: downloader({
        folder: machine.workstation.files,
        fetch,
        signal,
        confirm: async () => false,
      }),
      // The task of one machine ends after a few looks, and that of another one never.
      times: { taskMs: 20_000, readyMs, heldMs: 2000, pollMs: 200 },
      health: {
        services: [],
        report,
        signal,
        times: { soakMs: 0, wellMs: 120_000, pollMs: 200 },
      },
      underLease: (work) => work(signal),
      left: (name, text) => void left.push(`${name}: ${text}`),
    });
    const { differs } = await step.check(jumphost);
    if (differs.length === 0) return { state: 'ok', left: left.sort() };
    try {
      await step.apply?.(jumphost);
    } catch (error) {
      return { state: 'failed', text: errorText(error), left: left.sort() };
    }
    const after = await step.check(jumphost);
    return { state: after.differs.length === 0 ? 'changed' : 'differs', left: left.sort() };
  }

  it('changes one when its task has ended, and names those that are dead, busy, unreachable or unknown', async () => {
    let looks = 0;
    const endsItsTask = async () => {
      looks += 1;
      return { isRunning: looks < 4, accepts: looks < 6 };
    };
    const machines: Record<string, AgentMachine> = {
      'rpi-1': { ...idle, readState: endsItsTask },
      'rpi-2': idle,
      'rpi-3': { ...idle, readState: async () => ({ isRunning: true, accepts: false }) },
      'rpi-4': {
        ...idle,
        open: async () => {
          throw new Error('no route to host');
        },
      },
    };

    // As an earlier skolo wrote it.
    const unit = '/etc/systemd/system/k3s-agent.service';
    await own.need(`sed -i -e '/skolo-node-network/d' -e 's/ --flannel-iface .*//' ${unit}`);

    const { state, text, left } = await upgrade(next, machines);

    expect(text).toBeUndefined();
    expect(await own.need(`cat ${unit}`)).toContain(' --flannel-iface ');
    expect(left).toEqual([
      `rpi-2: the node is not ready; it runs ${k3sVersion}`,
      'rpi-3: still running tasks after 0 min',
      'rpi-4: no route to host',
      `rpi-5: not in rack.yaml, and runs ${k3sVersion}`,
    ]);
    expect(state).toBe('changed');
    expect(await versionOf('rpi-1')).toBe(next);
    expect(await own.need('ls -A /usr/local/bin')).not.toContain('skolo');
    expect(done).toEqual(expect.arrayContaining(['rpi-1: waiting for the task', 'released']));
  });

  it('returns one whose new version does not run, and begins no other', async () => {
    const { state, text } = await upgrade(crashing, { 'rpi-1': idle, 'rpi-3': idle }, 20_000);

    expect(state).toBe('failed');
    expect(text).toMatch(
      /rpi-1: the node .*this version has a fault.*was rolled back to the previous version/,
    );
    expect(done.some((line) => line.startsWith('rpi-3'))).toBe(false);
    await expect.poll(() => versionOf('rpi-1')).toBe(next);
  });

  it('returns one that was cut off before, and is not well', async () => {
    await own.need(`cp -a /usr/local/bin/k3s /usr/local/bin/.k3s.skolo-old
sed 's/K3S_TEST_VERSION=\\S*/K3S_TEST_VERSION=${crashing} K3S_TEST_FAULT=crash/' /usr/local/bin/k3s > /usr/local/bin/next
chmod 755 /usr/local/bin/next && mv /usr/local/bin/next /usr/local/bin/k3s && systemctl restart k3s-agent`);
    await expect.poll(() => isReady('rpi-1')).toBe(false);

    const { text } = await upgrade(crashing, { 'rpi-1': idle }, 20_000);

    expect(text).toContain('the agent was rolled back to the previous version');
    await expect.poll(() => isReady('rpi-1')).toBe(true);
  });

  it('renews certificates that expire soon', async () => {
    const file = '/var/lib/rancher/k3s/agent/client-kubelet.crt';
    const started = 'systemctl show --value --property=ExecMainStartTimestampMonotonic k3s-agent';
    const before = await own.need(started);
    await own.need(
      `openssl req -x509 -nodes -newkey ed25519 -keyout /dev/null -subj /CN=a -days 80 -out ${file}`,
    );

    const { state } = await upgrade(next, { 'rpi-1': idle });

    expect(state).toBe('changed');
    expect(await own.need(started)).not.toBe(before);
  });
});
