import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, tempDir } from '@skolo/base/testing';
import { lacks, peer } from '@skolo/simulators';
import { beforeEach, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const script = join(root, 'deploy/jumphost/save-images');
const kubectl = peer('kubectl');

let folder: string;
beforeEach(async () => {
  folder = await tempDir();
});

/** Programs that are found before all others. */
async function program(name: string, text: string) {
  await writeFile(join(folder, name), `#!/bin/bash\n${text}\n`);
  await chmod(join(folder, name), 0o755);
}

async function saveImages(...args: string[]): Promise<{ exitCode: number; text: string }> {
  const path = [folder, dirname(kubectl ?? ''), process.env.PATH].join(':');
  try {
    const { stdout, stderr } = await run(script, args, { env: { ...process.env, PATH: path } });
    return { exitCode: 0, text: stdout + stderr };
  } catch (error) {
    const { code, stderr } = Object(error);
    return { exitCode: Number(code), text: String(stderr) };
  }
}

async function overlay(image: string): Promise<string> {
  const pod = (name: string) => `{ containers: [{ name: ${name}, image: "${image}" }] }`;
  const object = (kind: string, name: string) =>
    `apiVersion: apps/v1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: { template: { spec: ${pod(name)} } }\n`;
  await writeFile(join(folder, 'objects.yaml'), object('Deployment', 'metadata-server'));
  await writeFile(join(folder, 'kustomization.yaml'), 'resources: [objects.yaml]\n');
  return folder;
}

describe.skipIf(lacks('kubectl'))('save-images', () => {
  it('names every image of a rack, but those of the agents', async () => {
    const rack = join(root, 'kube/racks/rack4');
    const { stdout: all } = await run(kubectl ?? '', ['kustomize', rack]);
    const named = new Set([...all.matchAll(/^ +(?:- )?image: (\S+)$/gm)].map(([, image]) => image));

    const { text } = await saveImages('--list', rack);

    const listed = text.trim().split('\n');
    expect([...named].filter((image) => !listed.includes(image ?? ''))).toEqual([
      expect.stringMatching(/\/swarming-client:/),
    ]);
    expect(listed).toHaveLength(named.size - 1);
    expect(text).toContain('/metadata-server:');
    expect(text).toContain('/prometheus:');
  });

  it.each([
    { image: 'skolo/metadata-server:unset', why: 'is a placeholder of kube/base' },
    { image: 'registry.example.com:5000/skolo/metadata-server', why: 'has no tag' },
  ])('rejects $image', async ({ image, why }) => {
    const { exitCode, text } = await saveImages('--list', await overlay(image));

    expect(text).toContain(why);
    expect(exitCode).toBe(1);
  });

  it('writes what the engine has for the jumphost, and all of it or nothing', async () => {
    const rack = await overlay('skolo/metadata-server:1');
    const file = join(folder, 'images.tar');
    const save =
      'while [[ "$1" != --output ]]; do shift; done; to="$2"; shift 2; echo "$@" > "$to"';
    const inspect = 'echo linux/amd64';
    await program('docker', `case "$1" in image) ${inspect} ;; save) ${save} ;; esac`);

    expect((await saveImages(rack, file)).exitCode).toBe(0);
    expect(await readFile(file, 'utf8')).toBe('skolo/metadata-server:1\n');

    const other = await saveImages('--platform', 'linux/arm64', rack, join(folder, 'arm.tar'));
    expect(other).toMatchObject({
      exitCode: 1,
      text: expect.stringContaining('is for linux/amd64'),
    });
    await program('docker', `case "$1" in image) ${inspect} ;; save) ${save}; exit 1 ;; esac`);
    expect((await saveImages(rack, join(folder, 'half.tar'))).exitCode).toBe(1);
    expect((await readdir(folder)).filter((name) => /arm|half/.test(name))).toEqual([]);
  });

  it('rejects pinned images of the engine, and asks k3s for them by their digests', async () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    const rack = await overlay(`docker.io/prom/prometheus:v3.13.3@${digest}`);
    const file = join(folder, 'images.tar');
    await program('docker', 'exit 0');
    await program('k3s', 'echo "$*" > "$8"');

    const ofDocker = await saveImages(rack, file);
    await saveImages('--from', 'k3s', rack, file);

    expect(ofDocker).toMatchObject({ exitCode: 1, text: expect.stringContaining('--from k3s') });
    expect(await readFile(file, 'utf8')).toContain(` docker.io/prom/prometheus@${digest}\n`);
  });

  it('asks k3s for images by their whole names', async () => {
    const rack = await overlay('skolo/metadata-server:1');
    const file = join(folder, 'images.tar');
    await program('k3s', 'echo "$*" > "$8"');

    await saveImages('--from', 'k3s', rack, file);

    expect(await readFile(file, 'utf8')).toBe(
      `ctr --namespace k8s.io images export --platform linux/amd64 ${file}.partial.tar docker.io/skolo/metadata-server:1\n`,
    );
  });
});
