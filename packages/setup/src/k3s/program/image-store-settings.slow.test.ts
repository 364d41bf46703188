/** Images of a node that loses its power while it pulls them, or right after: real containerds on a disk that is cut. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pause } from '@skolo/base';
import { countRounds, seeded } from '@skolo/base/durable/fault-injection';
import { run, testSeed } from '@skolo/base/testing';
import {
  type ImageRegistry,
  lacks,
  PowerCutNode,
  peer,
  startImageRegistry,
} from '@skolo/simulators';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { imageStoreFiles } from './image-store-settings.ts';

const [debian, containerd2] = [peer('containerd'), peer('containerd-2')];
const layers = 3;
const files = 40;

const usual = { debian: 'version = 2\n', two: 'version = 3\n' };
const images = `[plugins.'io.containerd.cri.v1.images']\n`;
const syncPulls = `${images}image_pull_with_sync_fs = true\n`;
const clientPulls = `${images}use_local_image_pull = true\n`;
const syncFs = `[plugins.'io.containerd.service.v1.diff-service']\nsync_fs = true\n`;

describe.skipIf(lacks('debian', 'containerd-2', 'xfsprogs'))('a node that loses its power', () => {
  let registry: ImageRegistry;
  let node: PowerCutNode | undefined;

  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'skolo-image-store-'));
    registry = await startImageRegistry({ layers, files, fileBytes: 50_000 });
  });
  afterEach(() => node?.close());
  afterAll(async () => {
    await registry?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('has both settings, and those of k3s, with the files of skolo', async () => {
    const file = join(folder, 'config');
    await writeFile(file, await k3sConfiguration());

    const { stdout } = await run(containerd2 ?? '', ['--config', file, 'config', 'dump']);

    expect(stdout).toContain('image_pull_with_sync_fs = true');
    expect(stdout).toContain('sync_fs = true\n');
    expect(stdout).toContain(`config_path = '${folder}/certs.d'`);
    expect(stdout).toContain("snapshotter = 'overlayfs'");
  });

  /** What k3s renders from our files, and from a base template like its own. */
  async function k3sConfiguration(): Promise<string> {
    const [template, dropIn] = imageStoreFiles;
    await writeFile(join(folder, 'drop-in.toml'), dropIn?.content ?? '');
    const base = `version = 3
imports = ["${folder}/*.toml"]
[plugins.'io.containerd.cri.v1.images']
  snapshotter = "overlayfs"
  disable_snapshot_annotations = true
  use_local_image_pull = true
[plugins.'io.containerd.cri.v1.images'.registry]
  config_path = "${folder}/certs.d"
`;
    return template?.content.replace('{{ template "base" . }}', base) ?? '';
  }

  async function startNode(containerd: string | undefined, settings: string) {
    node = await PowerCutNode.start({
      containerd: containerd ?? '',
      settings,
      debian: debian ?? '',
      puller: containerd2 ?? '',
    });
    return node;
  }

  async function damagedAfterCut(which: string | undefined, settings: string): Promise<number> {
    const cut = await startNode(which, settings);
    await cut.pull(registry.image);
    await cut.cutPower();
    await cut.boot();
    expect(await cut.has(registry.image)).toBe(true);
    return (await cut.damaged(registry.image, registry.sums)).length;
  }

  /**
   * A sync(2) of any program on this computer writes the node's disk as well, and so does the kernel half a minute after a file is written,
   * so a cut that does not damage all files is repeated.
   */
  async function damagedInOneOf(cuts: number, which: string | undefined, settings: string) {
    for (let count = 1; ; count += 1) {
      const damaged = await damagedAfterCut(which, settings);
      if (damaged === layers * files || count === cuts) return damaged;
      await node?.close();
    }
  }

  it.each([
    ['Debian 12', debian, usual.debian],
    ['version 2', containerd2, usual.two],
    // A kubelet's pulls do not use the diff service.
    ['version 2 with sync_fs alone', containerd2, usual.two + syncFs],
  ])(
    'has empty files in an image that containerd of %s lists as whole',
    async (_, which, settings) => {
      expect(await damagedInOneOf(20, which, settings)).toBe(layers * files);

      await node?.removeImages();
      await node?.pull(registry.image);
      expect(await node?.damaged(registry.image, registry.sums)).toEqual([]);
    },
  );

  it.each([
    ['image_pull_with_sync_fs', syncPulls],
    ['sync_fs, if pulls do not use the transfer service', clientPulls + syncFs],
  ])('has whole images with %s', async (_, settings) => {
    expect(await damagedAfterCut(containerd2, usual.two + settings)).toBe(0);
  });

  it(`has whole images after cuts at random moments`, async () => {
    const random = seeded(testSeed());
    const cut = await startNode(containerd2, await k3sConfiguration());
    await cut.pull(registry.image);
    await cut.removeImages();
    // The first pull takes longer.
    const begin = performance.now();
    await cut.pull(registry.image);
    const pullMs = performance.now() - begin;
    for (let round = 0; round < countRounds(3, 60); round += 1) {
      await cut.removeImages();
      const pulled = cut.pull(registry.image).catch(() => {});
      await pause(random() * pullMs * 1.1);
      await cut.cutPower();
      await pulled;
      await cut.boot();
      // A kubelet pulls what is not there.
      if (!(await cut.has(registry.image))) await cut.pull(registry.image);
      expect(await cut.damaged(registry.image, registry.sums), `cut ${round}`).toEqual([]);
    }
  });
});
