/**
 * kube/connections.yaml with packets, on a real node with enforced NetworkPolicies: each workload of a rack with all components
 * is a pod with its labels and ports and without its program. What policies allow between all of them is compared, too.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type ControlPlane, peer, startControlPlane, whyNoRealNodes } from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { connections } from './connections.ts';
import {
  build,
  componentNames,
  copyWithComponents,
  noKubectl,
  rackNames,
  usableKubectl,
} from './kustomize.ts';
import { type Manifest, type Workload, workloadsOf } from './manifest.ts';
import { isOpen } from './policies/network.ts';

const kubectl = usableKubectl();
const why = noKubectl ?? whyNoRealNodes();
const [rack = ''] = rackNames();
const outside = { machine: '192.168.1.101', internet: '198.51.100.7' };
const places = new Map(Object.entries({ ...outside, jumphost: '192.168.1.8' }));
const ofPods = connections.filter(
  ({ from, to }) => from.startsWith('pod/') && to !== 'jumphost-other',
);
const nameOf = (end: string) => end.replace(/^pod\//, '');
const addresses = new Map<string, string>();
let objects: Manifest[] = [];
let plane: ControlPlane;

const Pods = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      status: z.object({ podIP: z.string() }),
    }),
  ),
});

/** Those with a network of their own. */
function podNames(): string[] {
  const ends = ofPods.flatMap(({ from, to }) => [from, to]).filter((end) => end.startsWith('pod/'));
  const own = workloadsOf(objects).filter(({ pod }) => !pod.hostNetwork);
  return [...new Set(ends.map(nameOf))].filter((name) => own.some((one) => one.name === name));
}

function podObject({ name, namespace, labels, pod }: Workload): object {
  const ports = pod.containers.flatMap((container) =>
    container.ports.map(({ name, containerPort, protocol }) => ({ name, containerPort, protocol })),
  );
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels },
    spec: {
      nodeName: 'jumphost',
      automountServiceAccountToken: false,
      containers: [
        {
          name: 'pause',
          image: 'test.skolo/pause:1',
          ports,
          // Pod Security of the namespace.
          securityContext: {
            allowPrivilegeEscalation: false,
            runAsNonRoot: true,
            runAsUser: 10_001,
            capabilities: { drop: ['ALL'] },
            seccompProfile: { type: 'RuntimeDefault' },
          },
        },
      ],
    },
  };
}

describe.skipIf(why)('connections.yaml, with packets', () => {
  beforeAll(async () => {
    const components = componentNames().filter((name) => name !== 'traefik-on-80');
    const copy = copyWithComponents(rack, components);
    objects = build(kubectl ?? '', join(copy, 'racks', rack));
    rmSync(copy, { recursive: true });
    plane = await startControlPlane(peer('control-plane') ?? '', kubectl ?? '', {
      realNodes: [{ name: 'jumphost', address: '192.168.1.8' }],
    });
    await plane.network().addAddresses(...Object.values(outside));
    const names = podNames();
    const pods = workloadsOf(objects).filter(({ name }) => names.includes(name));
    const ofKind = (kind: string) => objects.filter((object) => object.kind === kind);
    const items = [...ofKind('Namespace'), ...ofKind('NetworkPolicy'), ...pods.map(podObject)];
    await plane.kubectl(['create', '-f', '-'], { apiVersion: 'v1', kind: 'List', items });
    await plane.kubectl(['wait', '--for=condition=Ready', 'pod', '--all', '-A', '--timeout=1h']);
    const text = await plane.kubectl(['get', 'pods', '-A', '-o', 'json']);
    for (const { metadata, status } of Pods.parse(JSON.parse(text)).items) {
      addresses.set(metadata.name, status.podIP);
    }
  });
  afterAll(() => plane?.close());

  it('has each pair as it says, and policies have between all pods what they are taken for', async () => {
    const names = podNames();
    const targets = [...new Set(ofPods.map(({ to, port }) => `${nameOf(to)}:${port}`))]
      .map((text) => {
        const [to = '', port] = text.split(':');
        return { to, port: Number(port), address: places.get(to) ?? addresses.get(to) };
      })
      .flatMap(({ address, ...target }) => (address ? [{ ...target, address }] : []));
    const flows = names.flatMap((from) =>
      targets.filter(({ to }) => to !== from).map((target) => ({ from, ...target })),
    );
    const open = (flow: (typeof flows)[number]) => {
      const { from, to, port, address } = flow;
      return isOpen(objects, { from, to: places.has(to) ? { address } : to, port });
    };
    const titled = (is: (flow: (typeof flows)[number], at: number) => boolean) =>
      flows.filter(is).map(({ from, to, port }) => `${from} > ${to}:${port}`);
    const expected = titled(open);
    expect(expected.length).toBeGreaterThan(20);
    expect(flows.length - expected.length).toBeGreaterThan(20);

    await expect
      .poll(
        async () => {
          const results = await plane.network().reach(
            targets,
            flows.map(({ from, address, port }) => ({
              from: addresses.get(from) ?? '',
              to: { address, port },
            })),
          );
          return titled((_, at) => results[at] === 'open');
        },
        { interval: 500 },
      )
      .toEqual(expected);

    const wrong = ofPods.filter(({ from, to, port, open }) => {
      return expected.includes(`${nameOf(from)} > ${nameOf(to)}:${port}`) !== open;
    });
    expect(wrong).toEqual([]);
    expect(ofPods.filter(({ from }) => !names.includes(nameOf(from)))).toEqual([]);
  });
});
