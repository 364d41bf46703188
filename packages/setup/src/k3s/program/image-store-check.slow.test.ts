/** Nodes whose images a power cut has damaged, because containerd lacks the settings: the script of the unit, then a kubelet's pull. */

import { readFileSync } from 'node:fs';
import { pause } from '@skolo/base';
import { countRounds, seeded } from '@skolo/base/durable/fault-injection';
import { testSeed } from '@skolo/base/testing';
import {
  type ImageRegistry,
  lacks,
  PowerCutNode,
  peer,
  startImageRegistry,
} from '@skolo/simulators';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { debianPlace, k3sPlace, nodeCheckFiles } from './image-store-check.ts';

const [debian = '', containerd2 = ''] = [peer('containerd'), peer('containerd-2')];

const page = readFileSync(
  new URL('../../../../../docs/adopt/pi-cluster.md', import.meta.url),
  'utf8',
);
/** Without sudo, and without the restart. */
const remedy = /`sudo (skolo-image-store repair)`/.exec(page)?.[1];

const usual = { interval: 200 };
const why = lacks('debian', 'containerd-2', 'xfsprogs');
const ofK3s = { place: k3sPlace, containerd: containerd2, settings: 'version = 3\n' };
const ofDebian = { place: debianPlace, containerd: debian, settings: 'version = 2\n' };
const nodes = [
  { of: 'a node of k3s', ...ofK3s },
  { of: 'a node of Debian 12', ...ofDebian },
];

describe.skipIf(why).each(nodes)('$of, after a power cut', ({ place, containerd, settings }) => {
  let registry: ImageRegistry;
  let node: PowerCutNode;

  beforeAll(async () => {
    registry = await startImageRegistry({ layers: 3, files: 40, fileBytes: 20_000 });
    node = await PowerCutNode.start({
      containerd,
      settings,
      store: place.store,
      debian,
      puller: containerd2,
    });
    await node.writeFile('check', nodeCheckFiles(place)[0]?.content ?? '');
    await node.sh(`bin=disk${place.programs}; mkdir -p $bin
ln -s '${containerd}' $bin/containerd; sync -f disk`);
  });
  afterAll(async () => {
    await node?.close();
    await registry?.close();
  });
  beforeEach(async () => {
    await node.removeImages();
    await node.sh('rm -rf disk/var/lib/skolo/image-store/repaired; sync -f disk');
  });

  /** Its disk from now on, as the unit leaves it before k3s starts. */
  async function cutAndCheck(): Promise<string> {
    await node.cutPower();
    return await start();
  }
  async function start(): Promise<string> {
    const said = await node.sh(
      `rm -rf disk/run; mkdir disk/run; SKOLO_ROOT=$PWD/disk sh check check 2>&1 || true`,
    );
    await node.boot();
    return said;
  }
  /** As a power cut may leave an image. On a busy computer, the kernel has written all files before the cut: half a minute is enough. */
  async function damage() {
    await node.sh(`truncate -s 0 "$(find disk${place.store}/io.containerd.snapshotter.v1.overlayfs/snapshots/*/fs -type f | head -n 1)"
sync -f disk`);
  }
  async function expectWhole() {
    // Like a kubelet it tries again: see expectUnpackedWhole.
    const pulls = async () => (await node.has(registry.image)) || (await node.pull(registry.image));
    await expect.poll(() => pulls().then(() => true), usual).toBe(true);
    await expectUnpackedWhole();
  }

  /** Like a kubelet it tries again: containerd's garbage collector may remove a layer on which the next is about to be unpacked. */
  async function expectUnpackedWhole() {
    await expect.poll(() => node.damaged(registry.image, registry.sums), usual).toEqual([]);
  }

  it('removes layers with empty files, and their containers, so that they are unpacked again without a pull', async () => {
    await node.pull(registry.image);
    await node.ctr(`containers create '${registry.image}' pod-1`);
    const [layer] = /^sha256:\w+/m.exec(await node.ctr('snapshots ls')) ?? [];
    // As while it is unpacked.
    await node.ctr(`snapshots prepare 'extract-1 ${layer}' ${layer}`);
    await damage();

    expect(await cutAndCheck()).toContain(`damaged: ${registry.image}`);

    expect(await node.ctr('containers ls -q')).toBe('');
    expect(await node.ctr('images ls -q')).toContain(registry.image);
    await expectUnpackedWhole();
  });

  it('unpacks a layer again whose folder is not on the disk', async () => {
    await node.pull(registry.image);
    await node.sh(`sync -f disk
rm -r "$(ls -d disk${place.store}/io.containerd.snapshotter.v1.overlayfs/snapshots/*/fs | tail -n 1)"; sync -f disk`);

    expect(await cutAndCheck()).toContain(`damaged: ${registry.image}`);

    await expectUnpackedWhole();
  });

  it('repairs an image at each start, and syncs what it has unpacked again', async () => {
    await node.pull(registry.image);
    await damage();

    expect(await cutAndCheck()).toContain('damaged');
    expect(await node.has(registry.image)).toBe(true);
    expect(await cutAndCheck()).not.toContain('damaged');
    await expectUnpackedWhole();
  });

  it('repairs an image three times an hour, and again after the remedy of the page', async () => {
    for (let cut = 0; cut < 3; cut += 1) {
      await node.removeImages();
      await node.pull(registry.image);
      await damage();
      await cutAndCheck();
    }
    await node.removeImages();
    await node.pull(registry.image);
    await damage();
    expect(await cutAndCheck()).toContain('was repaired three times within an hour');

    await node.sh(`mkdir programs; cat > programs/skolo-image-store << 'END'
#!/bin/sh
SKOLO_ROOT=$PWD/disk exec sh check "$@"
END
chmod a+x programs/skolo-image-store; PATH=$PWD/programs:$PATH; ${remedy}`);
    await node.stop();
    await node.sh('SKOLO_ROOT=$PWD/disk sh check clean');
    expect(await start()).toContain(`damaged: ${registry.image}`);
    await expectWhole();
  });

  it('removes an image if a blob is damaged, so that kubelet pulls it again', async () => {
    await node.pull(registry.image);
    await node.sh(`cd disk${place.store}/io.containerd.content.v1.content/blobs/sha256
truncate -s -1 "$(ls -S | head -n 1)"; sync -f .`);

    await cutAndCheck();

    expect(await node.ctr('images ls -q')).toBe('');
    await expectWhole();
  });

  it('removes an image of which containerd cannot remove a layer, because garbage collection has removed a child of it', async () => {
    await node.pull(registry.image);
    const layers = (await node.ctr('snapshots ls')).matchAll(/^(sha256:\w+)/gm);
    for (const [layer] of layers) {
      await node.ctr(`snapshots prepare child-${layer} ${layer}`);
      await node.ctr(`snapshots label child-${layer} containerd.io/gc.root=`);
    }
    await node.ctr('leases create --id unused');
    await node.ctr('leases rm --sync unused');
    expect(await node.ctr('snapshots ls')).not.toContain('child');
    await damage();

    expect(await cutAndCheck()).toContain('cannot remove snapshot with child');

    expect(await node.ctr('images ls -q')).toBe('');
    await expectWhole();
  });

  it('removes the state of pod networks, because a pod with an empty file there never starts again', async () => {
    const cni = 'disk/var/lib/cni';
    await node.sh(`mkdir -p ${cni}/results ${cni}/networks/cbr0
touch ${cni}/results/cbr0-pod-1-eth0 ${cni}/networks/cbr0/10.42.0.2; sync -f disk`);

    await cutAndCheck();

    expect(await node.sh(`find ${cni} -type f`)).toBe('');
  });

  it('keeps an image that is whole, and compares each of its layers once', async () => {
    await node.pull(registry.image);
    await node.sh('sync -f disk');

    expect(await cutAndCheck()).not.toContain('damaged');
    expect(await node.has(registry.image)).toBe(true);
    await expectWhole();
    const verified = await node.sh(`cat disk${place.store}/skolo-verified`);
    expect(await cutAndCheck()).not.toContain('damaged');
    expect(await node.sh(`cat disk${place.store}/skolo-verified`)).toBe(verified);
  });

  it('says so when containerd ends meanwhile, and checks at the next start', async () => {
    await node.pull(registry.image);
    await damage();
    const program = `disk${place.programs}/ctr`;
    await node.sh(`cat > ${program} << 'END'
#!/bin/sh
case "$*" in *'images check'*) touch "$SKOLO_ROOT/run/ended" ;; esac
[ ! -e "$SKOLO_ROOT/run/ended" ] && exec /usr/bin/ctr "$@"
END
chmod +x ${program}; sync -f disk`);

    expect(await cutAndCheck()).toContain('not checked: containerd ended meanwhile');

    await node.sh(`rm ${program}; sync -f disk`);
    expect(await cutAndCheck()).toContain(`damaged: ${registry.image}`);
  });

  it('looks at nothing after an orderly shutdown, or beside containers', async () => {
    await node.pull(registry.image);
    await node.stop();
    await node.sh('SKOLO_ROOT=$PWD/disk sh check clean');
    expect(await start()).toBe('');
    await node.cutPower();
    await node.sh(`mkdir -p disk${place.state}/io.containerd.runtime.v2.task/k8s.io/pod-1`);

    expect(await node.sh('SKOLO_ROOT=$PWD/disk sh check check')).toBe('');
    await node.boot();
    expect(await node.has(registry.image)).toBe(true);
  });

  it(`has whole images again after cuts at random moments of a pull`, async () => {
    const random = seeded(testSeed());
    const begin = performance.now();
    await node.pull(registry.image);
    const pullMs = performance.now() - begin;
    for (let round = 0; round < countRounds(3, 60); round += 1) {
      await node.removeImages();
      await node.sh('rm -rf disk/var/lib/skolo/image-store/repaired');
      const pulled = node.pull(registry.image).catch(() => {});
      await pause(random() * pullMs * 1.1);
      await cutAndCheck();
      await pulled;
      await expectWhole();
    }
  });
});
