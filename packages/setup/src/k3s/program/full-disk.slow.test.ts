/**
 * A node whose disk is full: which images kubelet removes, and how they return. Kubelet and containerd are real, with the limits of
 * k3s (its `defaultKubeletConfig`). The disk is a file with ext4.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onlyLong } from '@skolo/base/durable/fault-injection';
import { run } from '@skolo/base/testing';
import {
  type ControlPlane,
  type ImageRegistry,
  nodePrograms,
  peer,
  startControlPlane,
  startImageRegistry,
  whyNoRealNodes,
} from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const name = 'n1';
const mostUsed = (percent: string) => ({
  'nodefs.available': percent,
  'imagefs.available': percent,
});
const kubelet = {
  evictionHard: mostUsed('5%'),
  evictionMinimumReclaim: mostUsed('10%'),
  // Kubelet's default is 5 min, during which no pod is scheduled there.
  evictionPressureTransitionPeriod: '10s',
};

// Kubelet removes no image in the first five minutes after its start, so the first test alone takes longer than a push may.
describe.skipIf(onlyLong ?? whyNoRealNodes())('a node whose disk is full', () => {
  let dir: string;
  let plane: ControlPlane;
  /** Images of a critical pod, of another pod, and of no pod any more. */
  let critical: ImageRegistry;
  let usual: ImageRegistry;
  let previous: ImageRegistry;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'skolo-full-disk-'));
    const disk = join(dir, 'disk.img');
    await run('truncate', ['-s', '600M', disk]);
    await run('mkfs.ext4', ['-q', '-m', '0', disk]);
    const size = { layers: 2, files: 10, fileBytes: 1_000_000 };
    [critical, usual, previous] = await Promise.all([
      startImageRegistry(size),
      startImageRegistry(size),
      startImageRegistry(size),
    ]);
    plane = await startControlPlane(peer('control-plane') ?? '', peer('kubectl') ?? '', {
      folder: join(dir, 'plane'),
      realNodes: [{ name, address: '192.168.1.8', data: disk, kubelet }],
    });
    await connect();
    await createPod('critical', critical.image, 'system-cluster-critical');
    await createPod('usual', usual.image);
    await inNode(`ctr -n k8s.io images pull --plain-http ${previous.image} > /dev/null
ctr -n k8s.io images export /var/previous.tar ${previous.image}`);
    await untilReady('critical');
    await untilReady('usual');
  });
  afterAll(async () => {
    await plane?.close();
    for (const each of [critical, usual, previous]) await each?.close();
    await rm(dir, { recursive: true, force: true });
  });

  const inNode = (script: string) => plane.realNode(name).run('sh', '-euc', script);
  const images = () => inNode('ctr -n k8s.io images ls -q');
  /** Until then the node reaches no registry. */
  async function connect() {
    for (const { image } of [critical, usual, previous]) {
      await plane.realNode(name).forward(Number(/:(\d+)/.exec(image)?.[1]));
    }
  }
  const fill = (percent: number) =>
    inNode(`set -- $(df -k --output=size,used /var | tail -n 1)
[ -e /var/filler ] && used=$(($2 - $(stat -c %b /var/filler) / 2)) || used=$2
fallocate -l $(($1 * ${percent} / 100 - used))K /var/filler`);
  const hasPressure = () =>
    plane.kubectl([
      ...['get', 'node', name],
      '-o=jsonpath={.status.conditions[?(@.type=="DiskPressure")].status}',
    ]);
  const untilReady = (pod: string) =>
    plane.kubectl(['wait', '--for=condition=Ready', `pod/${pod}`, '--timeout=900s']);

  async function createPod(pod: string, image: string, priorityClassName?: string) {
    const command = ['/usr/bin/sleep', '100000'];
    const { volumeMounts, volumes } = nodePrograms;
    await plane.kubectl(['create', '--validate=false', '-f', '-'], {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: pod, namespace: 'default' },
      spec: {
        nodeName: name,
        terminationGracePeriodSeconds: 0,
        ...(priorityClassName && { priorityClassName }),
        containers: [{ name: pod, image, imagePullPolicy: 'IfNotPresent', command, volumeMounts }],
        volumes,
      },
    });
  }

  /** Kubelet counts the age of an image from its own start, and removes unused ones five minutes later (`image_gc_manager.go`). */
  it('starts its pods without a connection after a week, and then removes unused images alone', async () => {
    await fill(88);
    await plane.realNode(name).stop();
    await plane.startRealNode({
      name,
      address: '192.168.1.8',
      data: join(dir, 'disk.img'),
      kubelet,
    });

    await untilReady('critical');
    await untilReady('usual');
    await expect.poll(images, { interval: 5000 }).not.toContain(previous.image);
    expect(await images()).toContain(critical.image);
    expect(await images()).toContain(usual.image);
    expect(await images()).not.toContain('test.skolo/pause');
    expect(await hasPressure()).toBe('False');
  });

  it('evicts pods that are not critical, and keeps the image of the one that is', async () => {
    await fill(97);

    await expect.poll(hasPressure, { interval: 1000 }).toBe('True');
    const reason = ['get', 'pod', 'usual', '-o=jsonpath={.status.reason}'];
    await expect.poll(() => plane.kubectl(reason), { interval: 1000 }).toBe('Evicted');
    await expect.poll(images, { interval: 1000 }).not.toContain(usual.image);
    expect(await images()).toContain(critical.image);
    await untilReady('critical');
  });

  it('gets removed images from their registry or an archive when there is space again', async () => {
    await inNode('rm /var/filler');
    await expect.poll(hasPressure, { interval: 1000 }).toBe('False');
    await connect();

    // containerd 1.6 does not pin the image of all pods' sandboxes, so that one was unused, too.
    await inNode('/opt/real-node pause-image | ctr -n k8s.io images import - > /dev/null');
    await plane.kubectl(['delete', 'pod', 'usual']);
    await createPod('usual', usual.image);
    await untilReady('usual');
    await inNode('ctr -n k8s.io images import /var/previous.tar > /dev/null');

    expect(await images()).toContain(usual.image);
    expect(await images()).toContain(previous.image);
  });
});
