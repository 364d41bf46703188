/** A cluster is verified: its API server is real, its nodes pretend, and the probes of its pods run in a real network. */

import type { Finding } from '@skolo/base';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PodNetwork, startPodNetwork, whyNoPodNetwork } from '../testing/pod-network.ts';
import { verify } from './index.ts';

const { signal } = new AbortController();
const names = ['host01', 'host02', 'host03'];

function statesOf(findings: readonly Finding[]): Record<string, string> {
  return Object.fromEntries(findings.map(({ thing, state }) => [thing, state]));
}

describe.skipIf(whyNoPodNetwork())('a cluster of a test', () => {
  let network: PodNetwork;
  beforeAll(async () => {
    network = await startPodNetwork(names);
  });
  afterAll(() => network?.close());

  const go = (more = {}) =>
    verify({
      server: network.server,
      withPods: true,
      now: Date.now,
      signal,
      readyMs: 600_000,
      // Every node is this computer.
      open: async () => network.server,
      report() {},
      ...more,
    });

  it('is verified from a pod on each node, and nothing is left', async () => {
    const findings = await go();

    expect(statesOf(findings)).toMatchObject({
      'API server': 'ok',
      node: 'ok',
      version: 'ok',
      clock: 'ok',
      'system pods': 'ok',
      'probe pods': 'ok',
      DNS: 'ok',
      'pod to pod': 'ok',
      service: 'ok',
      ingress: 'skipped',
      storage: 'skipped',
    });
    expect(findings.find(({ thing }) => thing === 'pod to pod')?.found).toBe('6 pairs');
    await expect
      .poll(() => network.plane.kubectl(['get', 'namespace', 'skolo-verify', '--ignore-not-found']))
      .toBe('');
  });

  it('is verified with an ingress and a volume, where it has classes of them', async () => {
    const metadata = (name: string) => ({ name });
    const annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' };
    await network.plane.kubectl(['apply', '-f', '-'], {
      apiVersion: 'v1',
      kind: 'List',
      items: [
        {
          apiVersion: 'networking.k8s.io/v1',
          kind: 'IngressClass',
          metadata: metadata('traefik'),
          spec: { controller: 'traefik.io/ingress-controller' },
        },
        {
          apiVersion: 'storage.k8s.io/v1',
          kind: 'StorageClass',
          metadata: { ...metadata('local'), annotations },
          provisioner: 'kubernetes.io/no-provisioner',
          volumeBindingMode: 'Immediate',
        },
        {
          apiVersion: 'v1',
          kind: 'PersistentVolume',
          metadata: metadata('one'),
          spec: {
            capacity: { storage: '16Mi' },
            accessModes: ['ReadWriteOnce'],
            storageClassName: 'local',
            hostPath: { path: '/tmp/none' },
          },
        },
      ],
    });

    expect(statesOf(await go())).toMatchObject({ ingress: 'ok', storage: 'ok' });
  });

  it('names pods that do not start', async () => {
    const image = 'docker.io/library/busybox:1.37.0-unpullable';

    const findings = await go({ image, readyMs: 30_000 });

    expect(findings.find(({ thing }) => thing === 'probe pods')).toMatchObject({
      state: 'differs',
      where: ['host01'],
      found: expect.stringContaining('ImagePull'),
    });
  });

  it('names nodes that are not ready or not reached, and goes on', async () => {
    await network.plane.kubectl(['annotate', 'node', 'host03', 'test.skolo/node=dead']);
    await expect.poll(() => network.plane.kubectl(['get', 'nodes'])).toContain('NotReady');

    const findings = await go({
      async open({ name }: { name: string }) {
        if (name === 'host03') throw new Error('host03: is off');
        return network.server;
      },
    });
    await network.plane.kubectl(['annotate', 'node', 'host03', 'test.skolo/node-']);

    const wrong = findings.filter(({ state }) => state === 'differs' || state === 'unchecked');
    expect(wrong.map(({ thing, where }) => `${thing} ${where}`)).toEqual(
      expect.arrayContaining(['node host03', 'ssh host03']),
    );
    expect(findings.find(({ thing }) => thing === 'pod to pod')?.found).toBe('2 pairs');
  });

  it('names an API server that kubelet kills by its probe, as the seed of 2018 had it', async () => {
    await crashLoop(network);

    const findings = await go({ withPods: false });

    expect(findings.find(({ thing }) => thing === 'system pods')).toMatchObject({
      state: 'differs',
      where: ['no node'],
      found: expect.stringMatching(
        /kube-apiserver-host01: restarted 12 times, probably because its liveness probe took longer than 15 s/,
      ),
      advice: expect.stringMatching(/^increase timeoutSeconds/),
    });
  });

  it('says that the API server is down, and nothing else', async () => {
    await network.plane.killApiServer();

    const findings = await go();
    await network.plane.startApiServer();

    expect(findings[0]).toMatchObject({
      thing: 'API server',
      state: 'differs',
      where: ['host01'],
    });
    expect(statesOf(findings)).not.toHaveProperty('DNS');
  });
});

/** A static pod of kubeadm, in the state that a kubelet reports. */
async function crashLoop({ plane }: PodNetwork): Promise<void> {
  const name = 'kube-apiserver-host01';
  const httpGet = { path: '/livez', port: 6443 };
  // Not on a fake node: its kubelet would report another state.
  await plane.kubectl(['apply', '-f', '-'], {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'kube-system' },
    spec: {
      schedulerName: 'none',
      containers: [
        {
          name: 'kube-apiserver',
          image: 'registry.k8s.io/kube-apiserver:v1.32.5',
          livenessProbe: { httpGet, timeoutSeconds: 15 },
        },
      ],
    },
  });
  const status = {
    phase: 'Running',
    containerStatuses: [
      {
        name: 'kube-apiserver',
        ready: false,
        restartCount: 12,
        image: '',
        imageID: '',
        state: { waiting: { reason: 'CrashLoopBackOff' } },
        lastState: { terminated: { exitCode: 137, reason: 'Error' } },
      },
    ],
  };
  await plane.kubectl([
    ...['patch', 'pod', name, '-n', 'kube-system', '--subresource=status', '--type=merge'],
    ...['-p', JSON.stringify({ status })],
  ]);
}
