/**
 * Ten computers become a cluster, and some of them fail: each is a bare Debian with systemd and sshd, in namespaces of its own. The
 * programs of k3s are fakes with its files, units, tokens and passwords, before a real API server.
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@skolo/base/testing';
import { addRack, findRack, openRack, readFleet } from '@skolo/fleet';
import { k3sVersion } from '@skolo/setup/k3s';
import { whyNoJumphost } from '@skolo/setup/k3s/testing';
import { peer } from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClusterPlan } from './distribution.ts';
import { k3s } from './k3s.ts';
import { lossOf, removeNodes } from './reset.ts';
import { isDone, type MemberResult, type SetUpDeps, setUp } from './set-up.ts';
import { statesOf } from './testing/states-of.ts';
import { startComputers, type TestComputers } from './testing/ten-computers.ts';

const { signal } = new AbortController();
/** Seconds since 1970, as a Pi without a clock begins. */
const date1970 = `#!/bin/sh
case "$*" in +%s) echo 1000 ;; *) exec /usr/bin/date "$@" ;; esac
`;
const slowDpkg = '#!/bin/sh\nsleep 4\nexec /usr/bin/dpkg "$@"\n';
const dpkg32 = '#!/bin/sh\necho armhf\n';
/** What changes it: all files, but those that programs which run write by themselves. */
const snapshot = `find /etc /usr /opt /var/lib /root -xdev \\( -path /var/lib/rancher/k3s/server -o -path /var/lib/systemd -o -path /opt/test -o -path /root/.kube \\) -prune -o -type f -printf '%p %T@ %m %s\\n' | LC_ALL=C sort`;

describe.skipIf(whyNoJumphost())('ten computers, booted', () => {
  let computers: TestComputers;
  let plan: ClusterPlan;
  beforeAll(async () => {
    computers = await startComputers(10);
    const [server, ...agents] = computers.members.map(({ name, address }) => ({ name, address }));
    if (server === undefined) throw new Error('none');
    plan = { distribution: k3s, server, agents, version: k3sVersion };
  });
  afterAll(() => computers?.close());

  const computer = (name: string) => {
    const found = computers.members.find((each) => each.name === name)?.computer;
    if (found === undefined) throw new Error(name);
    return found;
  };
  const shell = (name: string, script: string) => computer(name).run('sh', '-c', script);
  async function go(more: Partial<SetUpDeps> = {}): Promise<MemberResult[]> {
    const deps = { isCheck: false, report() {}, ...computers.deps(signal), ...more };
    try {
      return await setUp(plan, deps);
    } finally {
      await computers.disconnect();
    }
  }
  const snapshots = () =>
    Promise.all(computers.members.map(async ({ name }) => (await shell(name, snapshot)).text));

  it('are checked, and nothing changes', async () => {
    const before = await snapshots();

    const results = await go({ isCheck: true });

    expect(results.filter(isDone)).toEqual([]);
    expect(await snapshots()).toEqual(before);
  });

  it('become a cluster but for those that fail, each of which says why', async () => {
    await computer('host03').write('/usr/local/bin/dpkg', slowDpkg, 0o755);
    await shell(
      'host04',
      `mount -t tmpfs -o size=64k tmpfs /usr/local/bin
head -c 1M /dev/zero > /usr/local/bin/.full`,
    );
    await computer('host05').write('/usr/local/bin/date', date1970, 0o755);
    await computer('host07').write('/usr/local/bin/dpkg', dpkg32, 0o755);
    await shell('host08', 'mv /root/.ssh/authorized_keys /root/keys');
    let isCut = false;

    const results = await go({
      report({ name, steps }) {
        const isJoining = steps.some(
          (step) => step.name === 'k3s-agent' && step.state === 'changing',
        );
        if (name !== 'host06' || !isJoining || isCut) return;
        isCut = true;
        void computer(name).cutPower();
      },
    });

    expect(statesOf(results)).toEqual({
      ...Object.fromEntries(['01', '02', '03', '07', '09', '10'].map((n) => [`host${n}`, 'ok'])),
      host04: expect.stringContaining('the disk is full; free disk space'),
      host05: expect.stringMatching(/^system: the clock is \d+ s behind your workstation's/),
      host06: expect.stringMatching(/host06: the SSH connection failed|no response within/),
      host08: expect.stringMatching(/host08: SSH accepts none of your keys/),
    });
    const nodes = await shell('host01', 'k3s kubectl get nodes -o wide --no-headers');
    expect(nodes.text.match(/ Ready /g)).toHaveLength(6);
    const arm = 'jsonpath={.status.nodeInfo.architecture}';
    expect((await shell('host01', `k3s kubectl get node host07 -o '${arm}'`)).text).toBe('arm');
  });

  it('are all in it when the faults are gone, and then nothing changes, four times', async () => {
    await shell('host04', 'umount /usr/local/bin');
    await shell('host05', 'rm /usr/local/bin/date');
    await shell('host08', 'mv /root/keys /root/.ssh/authorized_keys');
    await computer('host06').cutPower();
    await computer('host06').boot();

    const results = await go();

    expect(new Set(Object.values(statesOf(results)))).toEqual(new Set(['ok']));
    const before = await snapshots();
    for (let times = 0; times < 3; times += 1) {
      const again = await go();

      const states = again.flatMap(({ steps }) => steps.map(({ state }) => state));
      expect(new Set(states)).toEqual(new Set(['ok']));
      expect(await snapshots()).toEqual(before);
    }
  });

  it('are a cluster in the list of racks, which a workstation opens', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'skolo-clusters-'));
    const file = join(folder, 'config.json');
    const fleet = { gitdir: folder, repo: 'https://git.example.com/racks', clusters: {} };
    await writeFile(file, JSON.stringify(fleet));
    const { name: jumphost, address } = plan.server;
    await addRack(file, 'pis', { type: 'k3s', jumphost, address });
    await addRack(file, 'pis2', { type: 'k3s', jumphost: 'host20' });
    const rack = findRack(await readFleet(file), 'pis');

    const open = await openRack(rack, {
      role: 'view',
      env: computers.env,
      mayAsk: false,
      signal,
    });
    const { stdout } = await run(peer('kubectl') ?? '', ['get', 'nodes', '-o', 'name'], {
      env: { KUBECONFIG: open.kubeconfig, HOME: folder },
    });
    await open.close();
    await rm(folder, { recursive: true });

    expect(stdout.trim().split('\n')).toHaveLength(10);
  });

  it('loses a node that is dead, and takes it back with a new card', async () => {
    await computer('host10').cutPower();
    await expect
      .poll(async () => (await shell('host01', 'k3s kubectl get node host10 --no-headers')).text)
      .toMatch(/NotReady/);

    const removed = await reset(['host09', 'host10'], false);

    expect(removed).toEqual([
      { name: 'host09', isGone: true, text: '' },
      {
        name: 'host10',
        isGone: true,
        text: expect.stringMatching(
          /^removed from the cluster, but its software was not uninstalled: /,
        ),
      },
    ]);
    const left = await shell('host09', 'ls -A /etc/rancher /var/lib/rancher /usr/local/bin/k3s');
    expect(left.text.match(/No such file/g)).toHaveLength(3);
    const { root } = computer('host10');
    // A new card: with the old one, the agent would join again when it boots.
    const units = [
      'k3s-agent.service',
      'k3s-agent.service.env',
      'multi-user.target.wants/k3s-agent.service',
    ];
    const ofK3s = [
      'etc/rancher',
      'var/lib/rancher',
      ...units.map((unit) => `etc/systemd/system/${unit}`),
    ];
    for (const path of ofK3s) await rm(join(root, path), { recursive: true, force: true });
    await computer('host10').boot();
    expect(new Set(Object.values(statesOf(await go())))).toEqual(new Set(['ok']));
  });

  it('are taken apart', async () => {
    const { open } = computers.deps(signal);
    expect((await lossOf(await open('host01'))).nodes).toHaveLength(10);

    const removed = await reset(
      plan.agents.map(({ name }) => name),
      true,
    );
    await k3s.uninstall(await open('host01'), 'server', false);
    await computers.disconnect();

    expect(removed.filter(({ isGone }) => !isGone)).toEqual([]);
    for (const { name } of computers.members) {
      const units = await shell(name, 'systemctl list-units --all --plain --no-legend "k3s*"');
      expect(units.text).toBe('');
    }
  });

  async function reset(names: string[], isWhole: boolean) {
    const { open } = computers.deps(signal);
    try {
      const server = await open('host01');
      const how = { distribution: k3s, server, open, isWhole, keepsData: false, signal };
      return await removeNodes(names, { ...how, report() {} });
    } finally {
      await computers.disconnect();
    }
  }
});
