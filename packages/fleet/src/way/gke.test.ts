/** A cluster of gke, with a gcloud that records. */
import { chmod, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { expect, it } from 'vitest';
import type { GkeRack } from '../racks/clusters.ts';
import { openRack } from './open-rack.ts';

const rack: GkeRack = {
  name: 'web',
  type: 'gke',
  context: 'gke_skia_us-central1-a_web',
  zone: 'us-central1-a',
  project: 'skia',
  wave: 1,
  canary: false,
  overlay: '/nowhere',
};

it('gets a kubeconfig of its own from gcloud, and leaves its configuration alone', async () => {
  const { env, calls, folder } = await newWorkstation('echo made > "$KUBECONFIG"');

  const open = await openRack(rack, options(env));

  expect(await readFile(open.kubeconfig, 'utf8')).toBe('made\n');
  expect(open.env).toMatchObject({ CLOUDSDK_CORE_PROJECT: 'skia', KUBECONFIG: open.kubeconfig });
  expect(await calls()).toBe(
    'container clusters get-credentials web --zone us-central1-a --project skia --quiet\n',
  );
  await expect(open.onJumphost('true', new AbortController().signal)).rejects.toThrow(
    'no jumphost',
  );
  await open.close();
  expect(await readdir(join(folder, 'run'))).toEqual([]);
  expect((await readdir(folder)).sort()).toEqual(['bin', 'calls', 'run']);
});

it('says what to do without a sign-in, and without gcloud', async () => {
  const { env, folder } = await newWorkstation(
    'echo "ERROR: (gcloud) no active account" >&2; exit 1',
  );

  await expect(openRack(rack, options(env))).rejects.toThrow(
    'web: gcloud did not return credentials (ERROR: (gcloud) no active account); run gcloud auth login',
  );
  await rm(join(folder, 'bin/gcloud'));
  for (const name of ['sh', 'mktemp', 'rm']) {
    await symlink(`/usr/bin/${name}`, join(folder, 'bin', name));
  }
  await expect(openRack(rack, options({ ...env, PATH: `${folder}/bin` }))).rejects.toThrow(
    'gcloud: not installed',
  );
  expect(await readdir(join(folder, 'run'))).toEqual([]);
});

function options(env: NodeJS.ProcessEnv) {
  return { role: 'view' as const, env, mayAsk: false, signal: new AbortController().signal };
}

async function newWorkstation(script: string) {
  const folder = await tempDir();
  await mkdir(join(folder, 'bin'));
  await mkdir(join(folder, 'run'));
  const gcloud = join(folder, 'bin/gcloud');
  await writeFile(gcloud, `#!/bin/sh\necho "$@" >> '${folder}/calls'\n${script}\n`);
  await chmod(gcloud, 0o755);
  return {
    folder,
    calls: () => readFile(join(folder, 'calls'), 'utf8'),
    env: {
      PATH: `${folder}/bin:${process.env.PATH}`,
      HOME: folder,
      XDG_RUNTIME_DIR: `${folder}/run`,
    },
  };
}
