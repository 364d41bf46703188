/** Pods of a node that loses its power: kubelet and containerd with their data on a disk that is cut, and the script of the unit. */

import { pause } from '@skolo/base';
import { countRounds, seeded } from '@skolo/base/durable/fault-injection';
import { testSeed } from '@skolo/base/testing';
import {
  type ControlPlane,
  type ImageRegistry,
  nodePrograms,
  PowerCutDisk,
  peer,
  startControlPlane,
  startImageRegistry,
  whyNoRealNodes,
} from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { debianPlace, nodeCheckFiles } from './image-store-check.ts';

const why = whyNoRealNodes('xfsprogs');
const [script] = nodeCheckFiles(debianPlace);
const usual = { interval: 200 };

describe.skipIf(why)('a node that loses its power while a pod starts', () => {
  let registry: ImageRegistry;
  let disk: PowerCutDisk;
  let plane: ControlPlane;
  const node = () => ({
    name: 'n1',
    address: '192.168.1.8',
    data: disk,
    forwards: [Number(new URL(`http://${registry.image}`).port)],
  });

  beforeAll(async () => {
    registry = await startImageRegistry({ layers: 3, files: 40, fileBytes: 20_000 });
    disk = await PowerCutDisk.make();
    plane = await startControlPlane(peer('control-plane') ?? '', peer('kubectl') ?? '', {
      realNodes: [node()],
    });
  });
  afterAll(async () => {
    await plane?.close();
    await disk?.close();
    await registry?.close();
  });

  /** It runs a program of the node, beside the files of its image. */
  function podObject(): object {
    const container = {
      name: 'main',
      image: registry.image,
      imagePullPolicy: 'IfNotPresent',
      command: ['/usr/bin/sleep', 'infinity'],
      volumeMounts: nodePrograms.volumeMounts,
    };
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'pod' },
      spec: {
        nodeName: 'n1',
        automountServiceAccountToken: false,
        terminationGracePeriodSeconds: 0,
        containers: [container],
        volumes: nodePrograms.volumes,
      },
    };
  }

  async function createPod() {
    await plane.kubectl(['create', '-f', '-'], podObject());
  }

  /** So that the next one pulls its image. */
  async function removePod() {
    await plane.kubectl(['delete', 'pod', 'pod', '--wait']);
    const ctr = `ctr -n k8s.io images ls -q 'name==${registry.image}'`;
    await plane.realNode('n1').run('sh', '-c', `ctr -n k8s.io images rm --sync $(${ctr})`);
  }

  /** What it says of the files of its image that are damaged. Only a container that runs now says something. */
  function filesInPod(): Promise<string> {
    const check = `cd /; sha256sum --check --quiet 2>&1 << END; echo read
${registry.sums}END`;
    const exec = ['exec', 'pod', '--', '/usr/bin/sh', '-c', check];
    return plane.kubectl(exec).catch(({ stderr }) => stderr);
  }

  /** Until the node runs again. It was not repaired before, because the script repairs an image three times an hour. */
  async function cutPower() {
    await disk.cutPower(() => plane.realNode('n1').stop());
    await disk.sh(`rm -rf root/run; mkdir -p root/run root/var; mount -o loop outer/disk.img root/var
rm -rf root/var/lib/skolo/image-store/repaired
SKOLO_ROOT=$PWD/root sh check check
umount root/var`);
    await plane.startRealNode(node());
  }

  it(`runs the pod from whole files after cuts at random moments`, async () => {
    await disk.sh(`cat > check << 'END'
${script?.content}END`);
    const random = seeded(testSeed());
    const begin = performance.now();
    await createPod();
    await expect.poll(filesInPod, usual).toBe('read\n');
    const startMs = performance.now() - begin;
    for (let round = 0; round < countRounds(2, 60); round += 1) {
      await removePod();
      await createPod();
      await pause(random() * startMs * 1.1);
      await cutPower();

      await expect.poll(filesInPod, { ...usual, message: `cut ${round}` }).toBe('read\n');
    }
  });
});
