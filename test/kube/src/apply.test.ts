/** kube/apply on a real API server. */
import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type ControlPlane, peer, startControlPlane } from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import {
  build,
  componentNames,
  copyWithComponents,
  rackNames,
  usableKubectl,
} from './kustomize.ts';
import type { Manifest } from './manifest.ts';
import { applyScript, deletedKinds } from './prune.ts';

const run = promisify(execFile);
const k3sKinds = fileURLToPath(new URL('testing/k3s-kinds.yaml', import.meta.url));

const kubectl = usableKubectl();
const program = peer('control-plane');
const [rack = ''] = rackNames();
let controlPlane: ControlPlane | undefined;

describe.skipIf(!kubectl || !program)('kube/apply', { timeout: 300_000 }, () => {
  beforeAll(async () => {
    if (!kubectl || !program) return;
    controlPlane = await startControlPlane(program, kubectl);
    await call(kubectl, 'apply', '-f', k3sKinds);
    await call(kubectl, 'wait', '--for=condition=Established', '--timeout=20s', 'crd', '--all');
  }, 60_000);
  afterAll(() => controlPlane?.close());

  it('is accepted by a real API server, changes nothing the second time, and leaves server-side apply no conflict', async () => {
    const overlay = overlayWith(componentNames());

    await call(applyScript, overlay);
    const second = await call(applyScript, overlay);

    expect(linesWithout(second, 'unchanged')).toEqual([]);
    expect((await call(applyScript, '--diff', overlay)).trim()).toBe('');
    const serverSide = await call(kubectl ?? '', 'apply', '--server-side', '-k', overlay);
    expect(linesWithout(serverSide, 'serverside-applied')).toEqual([]);
  });

  it('deletes what a component brought once the overlay has it no more, and all comes back with it', async () => {
    const everything = overlayWith(componentNames());
    const nothing = overlayWith([]);
    await call(applyScript, everything);

    const difference = call(applyScript, '--diff', nothing);
    await expect(difference).rejects.toMatchObject({ code: 1 });
    await expect(difference).rejects.toMatchObject({
      stdout: expect.stringContaining('-  name: chrony'),
    });
    await call(applyScript, nothing);

    expect(await deletable()).toEqual(namesIn(build(kubectl ?? '', nothing)));
    await call(applyScript, everything);
    expect(await deletable()).toEqual(namesIn(build(kubectl ?? '', everything)));
  });

  it('keeps volumes and claims of a service that was taken out, and objects of others', async () => {
    const overlay = overlayWith([]);
    await call(applyScript, overlay);
    await call(kubectl ?? '', 'create', 'configmap', 'somebody-elses', '-n', 'skolo');
    const base = join(overlay, '../../base/kustomization.yaml');
    writeFileSync(base, readFileSync(base, 'utf8').replace('\n  - router-backup\n', '\n'));

    await call(applyScript, overlay);

    const left = await call(
      kubectl ?? '',
      ...['get', 'pv,pvc,deployments,configmaps', '-A', '-o', 'name'],
    );
    expect(left).not.toContain('deployment.apps/router-backup');
    expect(left).toContain('persistentvolumeclaim/router-backup');
    expect(left).toContain('configmap/somebody-elses');
  });

  it('refuses a folder that is not the overlay of a rack', async () => {
    await expect(call(applyScript, join(applyScript, '../base'))).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('not an overlay of a rack'),
    });
  });
});

function overlayWith(components: readonly string[]): string {
  const copy = copyWithComponents(rack, components);
  onTestFinished(() => rmSync(copy, { recursive: true, force: true }));
  return join(copy, 'racks', rack);
}

async function call(command: string, ...args: string[]): Promise<string> {
  const { stdout } = await run(command, args, {
    env: { ...process.env, KUBECONFIG: controlPlane?.kubeconfig },
    timeout: 120_000,
    maxBuffer: 16 * 1024 * 1024,
  });
  return stdout;
}

function linesWithout(text: string, ending: string): string[] {
  return text.split('\n').filter((line) => line !== '' && !line.endsWith(ending));
}

/** Objects of the cluster that kube/apply could delete, as `KIND NAMESPACE/NAME`. */
async function deletable(): Promise<string[]> {
  const kinds = deletedKinds().map((kind) => {
    const [name = '', version, group] = kind.split('/').toReversed();
    return group === undefined ? name : `${name}.${version}.${group}`;
  });
  const text = await call(
    kubectl ?? '',
    ...['get', kinds.join(','), '-A', '-l', 'app.kubernetes.io/part-of=skolo'],
    ...['-o', 'custom-columns=:kind,:metadata.namespace,:metadata.name', '--no-headers'],
  );
  return text
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .map(([kind, namespace, name]) => `${kind} ${namespace === '<none>' ? '' : namespace}/${name}`)
    .sort();
}

function namesIn(objects: readonly Manifest[]): string[] {
  const kinds = deletedKinds();
  return objects
    .filter(({ apiVersion, kind }) => kinds.includes(`${apiVersion}/${kind}`))
    .map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`)
    .sort();
}
