import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Download } from '@skolo/setup/engine';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { ClusterPlan } from '../distribution.ts';
import { removeNodes } from '../reset.ts';
import { isDone, type MemberResult, type SetUpDeps, setUp } from '../set-up.ts';
import {
  type KubeadmHosts,
  startKubeadmHosts,
  whyNoKubeadmHosts,
} from '../testing/kubeadm-hosts.ts';
import { kubeadm } from './index.ts';
import { flannelOn } from './server.ts';
import { isKeyOf, kubeadmVersion, minorOf } from './versions.ts';

const { signal } = new AbortController();
const manifest = `kind: Namespace
---
kind: DaemonSet
spec:
  template:
    spec:
      containers:
      - name: kube-flannel
        args: [--ip-masq]
        env: []
`;
/** Made by gpg for this test; nobody has its secret part. */
const key = `-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEawMa5BYJKwYBBAHaRw8BAQdAqzEv3kFZw4hIiP9ZGHAUPxoO8istJ9B8HMzd
V0Wd6B20CnNrb2xvIHRlc3SIkAQTFggAOBYhBJ15TVgam412jjuwLMqz4Qv/LXw1
BQJrAxrkAhsDBQsJCAcCBhUKCQgLAgQWAgMBAh4BAheAAAoJEMqz4Qv/LXw1EPQB
AMQ0Suajtv8nTm/nvzmPNrbdNWL0dhf+vLZn16Ex8tQnAQCfs2uz/bJpwoYHS89Q
to2yMEzvaooN3AWLU78UBO8OCw==
=aiX6
-----END PGP PUBLIC KEY BLOCK-----
`;
const fingerprint = '9D794D581A9B8D768E3BB02CCAB3E10BFF2D7C35';

describe('files of publishers', () => {
  it('are accepted with one key, the right one, and no other', () => {
    const isOurs = isKeyOf(fingerprint);

    expect(isOurs(Buffer.from(key))).toBeUndefined();
    expect(isOurs(Buffer.from(key + key))).toMatch(/instead of only [0-9A-F]+$/);
    expect(isOurs(Buffer.from('<html>'))).toMatch(/^the file contains the keys \(none\)/);
    expect(isKeyOf('00')(Buffer.from(key))).toContain(fingerprint);
  });

  it('are those of a version of kubeadm that skolo knows', () => {
    expect(minorOf(kubeadmVersion)).toBe('v1.34');
    for (const wrong of ['1.34.8', 'v1.34', 'v1.30.2', 'v1.32.5+k3s1', 'host01']) {
      expect(() => minorOf(wrong)).toThrow(
        `${wrong}: skolo does not support this version of kubeadm`,
      );
    }
  });

  it('lead flannel to the address of each node', () => {
    const [, daemon] = parseAllDocuments(flannelOn(manifest)).map((each) => each.toJS());
    const [container] = daemon.spec.template.spec.containers;

    expect(container.args).toEqual(['--ip-masq', '--iface=$(NODE_ADDRESS)']);
    expect(container.env).toEqual([
      { name: 'NODE_ADDRESS', valueFrom: { fieldRef: { fieldPath: 'status.hostIP' } } },
    ]);
  });
});

describe.skipIf(whyNoKubeadmHosts())('computers with fake programs of Debian and kubeadm', () => {
  let hosts: KubeadmHosts;
  let folder: string;
  beforeAll(async () => {
    hosts = await startKubeadmHosts();
    folder = await mkdtemp(join(tmpdir(), 'skolo-files-'));
    for (const [name, content] of files) await writeFile(join(folder, name), content);
    for (const name of ['host01', 'host02']) await hosts.add(name);
    await hosts.add('host04', 'armhf');
  });
  afterAll(async () => {
    await hosts.close();
    await rm(folder, { recursive: true });
  });

  const plan: ClusterPlan = {
    distribution: kubeadm,
    version: kubeadmVersion,
    server: { name: 'host01', address: '192.0.2.1' },
    agents: [
      { name: 'host02', address: '192.0.2.2' },
      { name: 'host04', address: '192.0.2.4' },
    ],
  };
  const files = new Map([
    ['Release.key', 'a key'],
    ['kube-flannel.yml', manifest],
  ]);
  /** Writes nothing: other computers may read the same file. */
  const download: Download = async (_, name) => {
    const content = files.get(name) ?? expect.unreachable(name);
    return {
      file: join(folder, name),
      sha256: createHash('sha256').update(content).digest('hex'),
    };
  };
  const go = (more: Partial<SetUpDeps> = {}) =>
    setUp(plan, {
      isCheck: false,
      report() {},
      by: 'a test',
      signal,
      now: Date.now,
      readyMs: 600_000,
      open: hosts.open,
      download,
      accounts: async () => 'kind: Namespace\n',
      ...more,
    });
  const changed = ({ steps }: MemberResult) =>
    steps.filter(({ state }) => state === 'changed').map(({ name }) => name);

  it('become a cluster, but for one of 32 bits', async () => {
    const results = await go();

    const [server, agent, arm] = results;
    expect(
      results.map((each) => [
        each.name,
        isDone(each),
        each.steps.find((s) => s.state === 'failed')?.text,
      ]),
    ).toEqual([
      ['host01', true, undefined],
      ['host02', true, undefined],
      [
        'host04',
        false,
        expect.stringMatching(
          /^the architecture is armhf, .*use k3s, which also supports 32-bit nodes/,
        ),
      ],
    ]);
    const programs = ['swap', 'kernel', 'packages', 'containerd', 'source', 'programs'];
    expect(server && changed(server)).toEqual([...programs, 'kubeadm', 'network', 'accounts']);
    expect(agent && changed(agent)).toEqual([...programs, 'kubeadm-join']);
    expect(arm && changed(arm)).toEqual([]);
    const calls = await hosts.calls();
    expect(calls.filter((line) => line.startsWith('host01'))).toMatchInlineSnapshot(`
        [
          "host01 modprobe -a overlay br_netfilter",
          "host01 apt-get install --no-install-recommends ca-certificates conntrack containerd ethtool iptables",
          "host01 apt-get install --allow-change-held-packages --allow-downgrades --no-install-recommends kubelet=1.34.8-* kubeadm=1.34.8-* kubectl=1.34.8-* cri-tools kubernetes-cni",
          "host01 apt-mark hold kubelet kubeadm kubectl cri-tools kubernetes-cni",
          "host01 kubeadm init --skip-token-print --config /run/skolo-kubeadm.yaml",
          "host01 kubectl apply --server-side --force-conflicts --validate=ignore --field-manager=skolo -f -",
          "host01 kubectl apply --server-side --force-conflicts --validate=ignore --field-manager=skolo -f -",
          "host01 kubeadm token create --kubeconfig /etc/kubernetes/admin.conf --ttl 15m0s --description host02 joins",
        ]
      `);
    expect(calls.filter((line) => line.startsWith('host02'))).toMatchInlineSnapshot(`
        [
          "host02 modprobe -a overlay br_netfilter",
          "host02 apt-get install --no-install-recommends ca-certificates conntrack containerd ethtool iptables",
          "host02 apt-get install --allow-change-held-packages --allow-downgrades --no-install-recommends kubelet=1.34.8-* kubeadm=1.34.8-* kubectl=1.34.8-* cri-tools kubernetes-cni",
          "host02 apt-mark hold kubelet kubeadm kubectl cri-tools kubernetes-cni",
          "host02 kubeadm join --config /run/skolo-kubeadm.yaml",
        ]
      `);
    expect(calls.join('\n')).not.toContain('abcdef.');
  });

  it('are given files that name no secret but where it is needed', async () => {
    const read = (name: string) => hosts.shell('host01', `cat /opt/cluster/${name}`);
    expect(await read('init-host01.yaml')).toMatchInlineSnapshot(`
        "apiVersion: kubeadm.k8s.io/v1beta4
        kind: InitConfiguration
        localAPIEndpoint:
          advertiseAddress: 192.0.2.1
          bindPort: 6443
        nodeRegistration:
          name: host01
          criSocket: unix:///run/containerd/containerd.sock
          kubeletExtraArgs:
            - name: node-ip
              value: 192.0.2.1
          taints: []
        bootstrapTokens:
          - ttl: 15m0s
        ---
        apiVersion: kubeadm.k8s.io/v1beta4
        kind: ClusterConfiguration
        kubernetesVersion: v1.34.8
        networking:
          podSubnet: 10.244.0.0/16
        apiServer:
          certSANs:
            - host01
            - 192.0.2.1
            - localhost
            - 127.0.0.1
          extraArgs:
            - name: encryption-provider-config
              value: /etc/kubernetes/encryption.yaml
          extraVolumes:
            - name: encryption
              hostPath: /etc/kubernetes/encryption.yaml
              mountPath: /etc/kubernetes/encryption.yaml
              readOnly: true
              pathType: File
        ---
        apiVersion: kubelet.config.k8s.io/v1beta1
        kind: KubeletConfiguration
        cgroupDriver: systemd
        "
      `);
    const join = await read('join-host02.yaml');
    expect(
      join.replace(/sha256:\w{64}/, 'sha256:X').replace(/abcdef\.\w+/, 'TOKEN'),
    ).toMatchInlineSnapshot(`
        "apiVersion: kubeadm.k8s.io/v1beta4
        kind: JoinConfiguration
        discovery:
          bootstrapToken:
            apiServerEndpoint: 192.0.2.1:6443
            token: TOKEN
            caCertHashes:
              - sha256:X
        nodeRegistration:
          name: host02
          criSocket: unix:///run/containerd/containerd.sock
          kubeletExtraArgs:
            - name: node-ip
              value: 192.0.2.2
        "
      `);
    expect(await hosts.shell('host02', 'ls -A /run | grep skolo-kubeadm')).not.toContain('yaml');
    expect(await hosts.shell('host01', 'stat -c %a /etc/kubernetes/encryption.yaml')).toBe('600\n');
  });

  it('stay as they are in a second run', async () => {
    const before = await Promise.all(['host01', 'host02'].map(hosts.files));

    const results = await go();

    expect(results.flatMap(changed)).toEqual([]);
    expect((await hosts.calls()).filter((line) => !line.startsWith('host04'))).toEqual([]);
    expect(await Promise.all(['host01', 'host02'].map(hosts.files))).toEqual(before);
  });

  it('take a dead node back with a new card, and no second one that is alive', async () => {
    await hosts.shell('host02', 'kubeadm reset -f; rm -f /opt/state/active-*');
    const [, alive] = await go();
    await hosts.shell('host01', 'echo dead > /opt/cluster/node-host02');
    const [, back] = await go();

    expect(alive?.steps.at(-3)?.text).toMatch(
      /^another computer is running as node host02; rename one of the computers, or remove the other computer with /,
    );
    expect(back && isDone(back)).toBe(true);
  });

  it('go on where kubeadm init failed', async () => {
    await hosts.shell('host01', 'kubeadm reset -f; rm -f /opt/cluster/node-host0*; touch /opt/cut');
    const [failed] = await go();
    await hosts.calls();
    const [server, agent] = await go();

    expect(failed?.steps.find(({ state }) => state === 'failed')).toMatchObject({
      name: 'kubeadm',
      text: expect.stringMatching(/timed out waiting for the condition; kubeadm init failed/),
    });
    expect(server && changed(server)).toEqual(['kubeadm']);
    expect(agent && changed(agent)).toEqual(['old-cluster', 'kubeadm-join']);
    expect((await hosts.calls()).slice(0, 2)).toEqual([
      'host01 kubeadm reset -f',
      'host01 kubeadm init --skip-token-print --config /run/skolo-kubeadm.yaml',
    ]);
  });

  it('are taken apart', async () => {
    const server = await hosts.open('host01');
    const how = { server, distribution: kubeadm, open: hosts.open, isWhole: true, signal };
    await expect(kubeadm.uninstall(server, 'server', true)).rejects.toThrow('--keep-data');

    const removed = await removeNodes(['host02'], {
      ...how,
      keepsData: false,
      report() {},
    });
    await kubeadm.uninstall(server, 'server', false);

    expect(removed.map(({ isGone, text }) => ({ isGone, text }))).toEqual([
      { isGone: true, text: '' },
    ]);
    for (const name of ['host01', 'host02']) {
      expect(
        await hosts.shell(
          name,
          'ls -d /etc/kubernetes /etc/apt/sources.list.d/kub* /opt/state/held* /opt/state/package-kub* 2>/dev/null; true',
        ),
      ).toBe('');
    }
  });
});
