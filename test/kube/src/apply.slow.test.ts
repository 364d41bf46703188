/** The overlays of kube/ and what a push makes of them, on a real control plane whose nodes pretend to run the pods. */

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '@skolo/base/testing';
import {
  applyObjects,
  deletableKinds,
  deleteObjects,
  planRack,
  type RackPlan,
  readObjects,
  titleOf,
} from '@skolo/fleet/push';
import { getAt, kubectlAt, sendAt } from '@skolo/fleet/testing';
import {
  type ControlPlane,
  type FakeNode,
  lacks,
  peer,
  startControlPlane,
} from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  build,
  componentNames,
  copyWithComponents,
  foldersWithKustomization,
  noKubectl,
  rackNames,
  usableKubectl,
} from './kustomize.ts';
import type { Manifest } from './manifest.ts';

const k3sKinds = fileURLToPath(new URL('testing/k3s-kinds.yaml', import.meta.url));
const claim = fileURLToPath(new URL('testing/claim.yaml', import.meta.url));
const manager = '--field-manager=skolo';
const seldom = { interval: 500 };

const kubectl = usableKubectl();
const program = peer('control-plane');
const [rack = ''] = rackNames();
const canary = 'node-restriction.kubernetes.io/skolo-channel';
const jumphost = 'node-restriction.kubernetes.io/skolo-jumphost';
const taints = [{ key: 'skolo/machine', value: 'true', effect: 'NoSchedule' }];
const nodes: FakeNode[] = [
  { name: 'jumphost', architecture: 'amd64', labels: { [jumphost]: 'true' } },
  { name: 'pi-1', taints, labels: { [canary]: 'canary' } },
  { name: 'pi-2', taints },
];
const copies: string[] = [];
const everything = kubectl ? overlayWith(componentNames()) : '';
let controlPlane: ControlPlane | undefined;

const Workloads = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), generation: z.number() }),
      spec: z.object({ replicas: z.number().optional() }),
      status: z.object({
        observedGeneration: z.number().default(0),
        desiredNumberScheduled: z.number().optional(),
        updatedNumberScheduled: z.number().default(0),
        numberAvailable: z.number().default(0),
        updatedReplicas: z.number().default(0),
        availableReplicas: z.number().default(0),
      }),
    }),
  ),
});

// What one test leaves, the next one begins with: everything is applied, but for the tests of components.
describe.skipIf(noKubectl ?? lacks('control-plane'))('the overlay of a rack', () => {
  beforeAll(async () => {
    if (!kubectl || !program) return;
    controlPlane = await startControlPlane(program, kubectl, { nodes });
    await call(kubectl, 'apply', '-f', k3sKinds);
    await call(kubectl, 'wait', '--for=condition=Established', '--timeout=1h', 'crd', '--all');
    // As racks from before the first push. To compare its fields with the API costs kubectl seconds: one test does it.
    await call(kubectl, 'apply', '--validate=false', '-k', everything);
  });
  afterAll(async () => {
    await controlPlane?.close();
    for (const copy of copies) rmSync(copy, { recursive: true, force: true });
  });

  it('rolls out whole', async () => {
    await expect.poll(unfinished, seldom).toEqual([]);

    const wide = await call(kubectl ?? '', 'get', 'pods', '-n', 'skolo-node', '-o', 'wide');
    expect(wide).toMatch(/^swarming-client-canary-\S+ .* pi-1 /m);
    expect(wide).toMatch(/^swarming-client-\w+ .* pi-2 /m);
    expect(wide).toMatch(/^metadata-server-\S+ .* jumphost /m);
  });

  it('has no change for a push after kubectl apply -k', async () => {
    const { objects, deletions } = await plan(everything);

    expect(objects.filter(({ action }) => action !== 'keep')).toEqual([]);
    expect(deletions).toEqual([]);
  });

  it('leaves a claim without a class to the NFS server of the jumphost, also beside the default of k3s', async () => {
    await call(kubectl ?? '', 'create', '-f', claim);
    const path = '/api/v1/namespaces/default/persistentvolumeclaims/results';
    const annotations = { 'volume.kubernetes.io/storage-provisioner': 'skolo/nfs' };

    await expect.poll(() => get(path), seldom).toMatchObject({ metadata: { annotations } });

    const account = '--as=system:serviceaccount:skolo:nfs-provisioner';
    const may = (...what: string[]) =>
      call(kubectl ?? '', 'auth', 'can-i', ...what, account, '-n', 'default');
    expect(await may('create', 'persistentvolumes')).toBe('yes\n');
    expect(await may('update', 'persistentvolumeclaims')).toBe('yes\n');
    await call(kubectl ?? '', 'delete', '-f', claim);
  });

  // The rest of it is in testbed/cluster.slow.test.ts.
  it('knows every field of the overlay and of the testbed', async () => {
    const testbed = join(everything, '../../testbed');
    const parts = foldersWithKustomization(testbed).filter(
      (part) => !['namespaces', 'demo'].includes(part),
    );
    const resources = [relative(testbed, everything), ...parts];
    writeFileSync(join(testbed, 'kustomization.yaml'), JSON.stringify({ resources }));
    await call(kubectl ?? '', 'apply', '--validate=false', '-k', join(testbed, 'namespaces'));
    const objects = build(kubectl ?? '', testbed);

    expect(objects.length).toBeGreaterThan(100);
    expect(await rejections(objects)).toEqual([]);
    const [wrong] = objects.filter(({ kind }) => kind === 'DaemonSet');
    const rejected = await rejections([Object.assign({}, wrong, { spek: {} })]);
    expect(rejected.join()).toContain('spek');
    await call(kubectl ?? '', 'delete', '--wait=false', '-k', join(testbed, 'namespaces'));
  });

  it("gives a machine's own credentials nothing but what its agent needs", async () => {
    const secret = ['create', 'secret', 'generic', '--from-literal=key=value'];
    await call(kubectl ?? '', ...secret, '-n', 'skolo-node', 'adb-key');
    await call(kubectl ?? '', ...secret, '-n', 'skolo-node', 'metadata-server');
    await call(kubectl ?? '', ...secret, '-n', 'skolo', 'router-backup');
    const kubelet = (await controlPlane?.kubeconfigOf('system:node:pi-2', ['system:nodes'])) ?? '';
    const attempt = async (line: string) => {
      const [method = '', path = '', body] = line.split(' ');
      const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
      const sent = { method, type, ...(body !== undefined && { body: JSON.parse(body) }) };
      return (await sendAt(kubelet, `/${path}`, sent)).status;
    };
    const label = (name: string, value: string) => `{"metadata":{"labels":{"${name}":"${value}"}}}`;
    const token = '{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}}';

    expect(await attempt('GET api/v1/namespaces/skolo-node/secrets/adb-key')).toBe(200);
    expect(await attempt('GET api/v1/nodes/pi-2')).toBe(200);
    expect(await attempt(`PATCH api/v1/nodes/pi-2 ${label('a', 'b')}`)).toBe(200);
    const forbidden = [
      `PATCH api/v1/nodes/pi-2 ${label(jumphost, 'true')}`,
      `PATCH api/v1/nodes/pi-2 ${label(canary, 'canary')}`,
      `PATCH api/v1/nodes/pi-2 ${label('node-role.kubernetes.io/control-plane', 'true')}`,
      `PATCH api/v1/nodes/pi-1 ${label('a', 'b')}`,
      'PATCH api/v1/nodes/pi-2 {"spec":{"taints":null}}',
      'GET api/v1/nodes',
      'GET api/v1/nodes/jumphost',
      'GET api/v1/namespaces/skolo-node/secrets/metadata-server',
      'GET api/v1/namespaces/skolo-node/secrets',
      'GET api/v1/namespaces/skolo/secrets/router-backup',
      'GET api/v1/namespaces/skolo/configmaps',
      `POST api/v1/namespaces/skolo-node/serviceaccounts/metadata-server/token ${token}`,
      `POST api/v1/namespaces/skolo-access/serviceaccounts/skolo-admin/token ${token}`,
      'DELETE apis/apps/v1/namespaces/skolo-node/daemonsets/swarming-client',
    ];
    const answers = await Promise.all(forbidden.map(attempt));
    expect(forbidden.filter((_, index) => answers[index] !== 403)).toEqual([]);
  });

  it('deletes what left the overlay, but no volumes and no objects of others', async () => {
    const nothing = overlayWith([]);
    const base = join(nothing, '../../base/kustomization.yaml');
    writeFileSync(base, readFileSync(base, 'utf8').replace('\n  - router-backup\n', '\n'));
    await call(kubectl ?? '', 'create', 'configmap', 'somebody-elses', '-n', 'skolo');

    const { deletions } = await bring(nothing);

    expect(deletions.map(titleOf)).toContain('Deployment skolo-node/chrony');

    expect(await deletable()).toEqual(namesIn(build(kubectl ?? '', nothing)));
    const left = await call(kubectl ?? '', 'get', 'pvc,configmaps', '-n', 'skolo', '-o', 'name');
    expect(left).toContain('persistentvolumeclaim/router-backup');
    expect(left).toContain('configmap/somebody-elses');

    await bring(everything);
    expect(await deletable()).toEqual(namesIn(build(kubectl ?? '', everything)));
    await expect.poll(unfinished, seldom).toEqual([]);
  });

  describe('with one component', () => {
    afterAll(() => bring(everything));

    it.each(componentNames())(
      'adds %s alone, and deletes the components before it',
      async (component) => {
        const alone = overlayWith([component]);

        await bring(alone);

        expect(await deletable()).toEqual(namesIn(build(kubectl ?? '', alone)));
        await expect.poll(unfinished, seldom).toEqual([]);
      },
    );
  });

  // The test of a push after kubectl apply compares owners of fields, too.
  it('leaves no conflict to kubectl apply --server-side, which changes nothing the second time', async () => {
    const serverSide = ['apply', '--server-side', manager, '-k', everything];

    const first = await call(kubectl ?? '', ...serverSide);

    expect(linesWithout(first, 'serverside-applied')).toEqual([]);
    const versions = await versionsOfAll();
    // The first one has proven that the fields are valid, which costs kubectl seconds.
    await call(kubectl ?? '', ...serverSide, '--validate=false');
    expect(await versionsOfAll()).toEqual(versions);
    await expect.poll(unfinished, seldom).toEqual([]);
  });
});

function overlayWith(components: readonly string[]): string {
  const copy = copyWithComponents(rack, components);
  copies.push(copy);
  return join(copy, 'racks', rack);
}

async function call(command: string, ...args: string[]): Promise<string> {
  const { stdout } = await run(command, args, {
    env: { ...process.env, KUBECONFIG: controlPlane?.kubeconfig },
    maxBuffer: 16 * 1024 * 1024,
  });
  return stdout;
}

/**
 * What the API server says against applying these, without doing it. It is asked itself: kubectl would read all of its
 * schemas first, for seconds.
 */
async function rejections(objects: readonly Manifest[]): Promise<string[]> {
  const query = 'fieldManager=test&force=true&dryRun=All&fieldValidation=Strict';
  const found: string[] = [];
  for (const object of objects) {
    const sent = { method: 'PATCH', type: 'application/apply-patch+yaml', body: object };
    const path = `${pathOf(object)}?${query}`;
    const { status, text } = await sendAt(controlPlane?.kubeconfig ?? '', path, sent);
    if (status >= 300) found.push(`${titleOf(object)}: ${text}`);
  }
  return found;
}

async function get(path: string) {
  return await getAt(controlPlane?.kubeconfig ?? '', path);
}

function pathOf({ apiVersion, kind, metadata: { namespace, name } }: Manifest): string {
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const resource = `${kind.toLowerCase().replace(/y$/, 'ie').replace(/s$/, 'se')}s`;
  return [
    group,
    ...(namespace === undefined ? [] : ['namespaces', namespace]),
    resource,
    name,
  ].join('/');
}

function linesWithout(text: string, ending: string): string[] {
  return text.split('\n').filter((line) => line !== '' && !line.endsWith(ending));
}

function ownRack() {
  return { name: rack, kubectl: kubectlAt(controlPlane?.kubeconfig ?? '', kubectl ?? '') };
}

async function plan(overlay: string): Promise<RackPlan> {
  const wanted = readObjects(await ownRack().kubectl(['kustomize', overlay]));
  return await planRack(ownRack(), wanted);
}

/** What a push does, without its gates. */
async function bring(overlay: string): Promise<RackPlan> {
  const planned = await plan(overlay);
  const changed = planned.objects.filter(({ action }) => action !== 'keep');
  await applyObjects(
    ownRack(),
    changed.map(({ wanted }) => wanted),
  );
  await deleteObjects(ownRack(), planned.deletions);
  return planned;
}

/** Deployments and DaemonSets of which not every pod is available in its newest version, or none is wanted. */
async function unfinished(): Promise<string[]> {
  const all = await Promise.all(
    ['deployments', 'daemonsets'].map(async (kind) => {
      const { items } = Workloads.parse(await get(`/apis/apps/v1/${kind}`));
      return items.filter(isUnfinished).map(({ metadata }) => `${kind}/${metadata.name}`);
    }),
  );
  return all.flat();
}

function isUnfinished({ metadata, spec, status }: z.infer<typeof Workloads>['items'][number]) {
  const wanted = spec.replicas ?? status.desiredNumberScheduled ?? 0;
  const updated = status.updatedReplicas + status.updatedNumberScheduled;
  const available = status.availableReplicas + status.numberAvailable;
  const isSeen = status.observedGeneration === metadata.generation;
  return !isSeen || wanted === 0 || updated !== wanted || available !== wanted;
}

/** The version of each object that an overlay may have. */
async function versionsOfAll(): Promise<string> {
  return await getOurs(
    ['pv', 'pvc', 'namespaces', ...resourcesThatMayGo()],
    ':kind,:metadata.namespace,:metadata.name,:metadata.resourceVersion',
  );
}

/** Objects of the cluster that a push could delete, as `KIND NAMESPACE/NAME`. */
async function deletable(): Promise<string[]> {
  const text = await getOurs(resourcesThatMayGo(), ':kind,:metadata.namespace,:metadata.name');
  return text
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .map(([kind, namespace, name]) => `${kind} ${namespace === '<none>' ? '' : namespace}/${name}`)
    .sort();
}

function resourcesThatMayGo(): string[] {
  return deletableKinds.map((kind) => {
    const [name = '', version, group] = kind.split('/').toReversed();
    return group === undefined ? name : `${name}.${version}.${group}`;
  });
}

async function getOurs(resources: readonly string[], columns: string): Promise<string> {
  return await call(
    kubectl ?? '',
    ...['get', resources.join(','), '-A', '-l', 'app.kubernetes.io/part-of=skolo'],
    ...['-o', `custom-columns=${columns}`, '--no-headers'],
  );
}

function namesIn(objects: readonly Manifest[]): string[] {
  return objects
    .filter(({ apiVersion, kind }) => deletableKinds.includes(`${apiVersion}/${kind}`))
    .map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`)
    .sort();
}
