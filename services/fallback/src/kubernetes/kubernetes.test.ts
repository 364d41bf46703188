import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { metadataServer as metadata, powerCycleDaemon as power } from '../units/services.ts';
import { KubernetesUnavailable, openApiServer } from './api-server.ts';
import { projectedFiles } from './configuration.ts';
import {
  type Kubernetes,
  readKubernetes,
  releasePublicPort,
  restorePublicPort,
} from './kubernetes.ts';

let folder: string;
let server: Server;
/** By path; what is not there is 404. */
let objects: Record<string, unknown>;
let patches: { path: string; body: unknown }[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skolo-kubernetes-'));
  objects = { '/readyz': 'ok' };
  patches = [];
  server = createServer(async (request, response) => {
    const path = request.url ?? '';
    let body = '';
    for await (const data of request) body += data;
    if (request.method === 'PATCH') patches.push({ path, body: JSON.parse(body) });
    const found = objects[path];
    response.writeHead(found === undefined ? 404 : 200);
    response.end(JSON.stringify(found));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await writeKubeconfig(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

const kubeconfig = () => join(folder, 'k3s.yaml');
/** As patient as a busy computer requires. */
const open = () => openApiServer(kubeconfig(), 600_000);

async function writeKubeconfig(url: string) {
  await writeFile(kubeconfig(), `clusters:\n- cluster:\n    server: ${url}\n  name: default\n`);
}

const nodesPath =
  '/api/v1/nodes?labelSelector=node-restriction.kubernetes.io%2Fskolo-jumphost%3Dtrue';
const podsPath =
  '/api/v1/namespaces/skolo-node/pods?labelSelector=app.kubernetes.io%2Fname%3Dmetadata-server';
const deploymentPath = '/apis/apps/v1/namespaces/skolo-node/deployments/metadata-server';

const node = (status: string) => ({
  metadata: { name: 'jumphost' },
  status: { conditions: [{ type: 'Ready', status }] },
});
const pod = (container: object | undefined, metadata: object = {}) => ({
  metadata: { name: 'metadata-server-1', ...metadata },
  status: { phase: 'Pending', containerStatuses: container ? [container] : [] },
});

async function look(
  pods: object[],
  replicas: number | null = 1,
  ready = 'True',
): Promise<Kubernetes> {
  objects[nodesPath] = { items: [node(ready)] };
  objects[podsPath] = { items: pods };
  if (replicas !== null) objects[deploymentPath] = { spec: { replicas } };
  return (await readKubernetes(open, metadata)).kubernetes;
}

describe('what k3s makes of a service', () => {
  const ended = (exitCode: number) => ({ terminated: { exitCode } });
  const crashed = { state: { waiting: { reason: 'CrashLoopBackOff' } } };
  it.each([
    {
      title: 'is ready',
      container: { ready: true, state: { running: {} } },
      pod: 'ready',
      why: '',
    },
    {
      title: 'waits for the state that the unit has',
      container: { ready: false, state: { running: {} } },
      pod: 'can-run',
      why: '',
    },
    {
      title: 'has found its port in use',
      container: { ...crashed, lastState: ended(1) },
      pod: 'can-run',
      why: '',
    },
    {
      title: 'has a rack.yaml that is no use',
      container: { ...crashed, lastState: ended(78) },
      pod: 'cannot-run',
      why: 'the pod exited with code 78',
    },
    {
      title: 'has no image',
      container: { state: { waiting: { reason: 'ErrImagePull' } } },
      pod: 'cannot-run',
      why: 'the pod is waiting: ErrImagePull',
    },
    {
      title: 'has no container yet',
      container: undefined,
      pod: 'cannot-run',
      why: 'the pod is Pending',
    },
  ])('a pod that $title', async ({ container, pod: state, why }) => {
    expect(await look([pod(container)])).toMatchObject({ state: 'answers', pod: { state, why } });
  });

  it('no pod but one that ends', async () => {
    const ending = pod(
      { ready: true, state: { running: {} } },
      { deletionTimestamp: '2026-11-20T00:00:00Z' },
    );

    expect(await look([ending])).toMatchObject({
      pod: { state: 'cannot-run', why: 'k3s has not created the pod' },
    });
  });

  it('a pod behind traefik, which cannot be asked here, left alone', async () => {
    objects[deploymentPath] = { spec: { replicas: 1, template: { spec: {} } } };
    const unready = pod({ ready: false, state: { running: {} } });
    expect(await look([unready], null)).toMatchObject({ pod: { state: 'ready' } });

    objects[deploymentPath] = { spec: { replicas: 1, template: { spec: { hostNetwork: true } } } };
    expect(await look([unready], null)).toMatchObject({ pod: { state: 'can-run' } });
  });

  it('no Deployment, and one that is scaled to 0', async () => {
    expect(await look([], null)).toMatchObject({ deployment: 'missing' });
    expect(await look([], 0)).toMatchObject({ deployment: 'scaled-to-0' });
  });

  it('a node that is not ready', async () => {
    expect(await look([], 1, 'Unknown')).toMatchObject({ node: { isReady: false } });
  });

  it('no node with the label of the jumphost', async () => {
    await look([]);
    objects[nodesPath] = { items: [] };

    const { kubernetes } = await readKubernetes(open, metadata);

    expect(kubernetes).toMatchObject({
      node: { why: expect.stringContaining('no node has the label') },
    });
  });
});

describe('k3s that is not there', () => {
  it('was never installed', async () => {
    await rm(kubeconfig());

    await expect(open()).rejects.toMatchObject({ state: 'absent' });
    expect((await readKubernetes(open, metadata)).kubernetes).toEqual({
      state: 'absent',
      why: 'k3s is not installed',
    });
  });

  it('does not listen, is not ready, or says what nobody understands', async () => {
    await writeKubeconfig('http://127.0.0.1:1');
    await expect(open()).rejects.toThrow(
      'k3s is not responding (http://127.0.0.1:1: connection refused)',
    );

    await writeKubeconfig('nothing');
    await expect(open()).rejects.toThrow('contains no server');

    await writeKubeconfig(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    objects[nodesPath] = { items: 'none' };
    objects[podsPath] = { items: [] };
    expect((await readKubernetes(open, metadata)).kubernetes).toMatchObject({
      state: 'silent',
      why: expect.stringMatching(/^k3s returns an unexpected response for \/api\/v1\/nodes\S+$/),
    });
  });
});

describe('the public port', () => {
  const path = '/api/v1/namespaces/skolo/services/power-cycle-daemon';
  it('is released, and restored as it was', async () => {
    objects[path] = {
      metadata: {},
      spec: { type: 'LoadBalancer', externalTrafficPolicy: 'Local' },
    };
    await releasePublicPort(await open(), power);
    const [released] = patches;
    expect(released?.body).toMatchObject({
      spec: { type: 'ClusterIP', externalTrafficPolicy: null },
    });

    objects[path] = { ...Object(released?.body), spec: { type: 'ClusterIP' } };
    await restorePublicPort(await open(), power);

    expect(patches[1]).toEqual({
      path,
      body: {
        metadata: { annotations: { 'skolo/released-port': null } },
        spec: { type: 'LoadBalancer', externalTrafficPolicy: 'Local' },
      },
    });
  });
});

describe('what a pod sees at /etc/skolo', () => {
  const volume = (sources: object[], env: object[] = []) => ({
    spec: {
      template: {
        spec: { containers: [{ env }], volumes: [{ name: 'etc-skolo', projected: { sources } }] },
      },
    },
  });
  const rack = { configMap: { name: 'rack', items: [{ key: 'rack.yaml', path: 'rack.yaml' }] } };
  const secret = (optional: boolean, path = 'secrets/bots.json') => ({
    secret: { name: 'metadata-server', optional, items: [{ key: 'bots.json', path }] },
  });
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const texts = async () => {
    const files = await projectedFiles(await open(), metadata);
    return Object.fromEntries(
      [...files].map(([path, bytes]) => [path, Buffer.from(bytes).toString()]),
    );
  };
  beforeEach(() => {
    objects['/api/v1/namespaces/skolo-node/configmaps/rack'] = { data: { 'rack.yaml': 'rack: a' } };
    objects['/api/v1/namespaces/skolo-node/secrets/metadata-server'] = {
      data: { 'bots.json': base64('{}'), TOKEN: base64('a"b\\c$d`') },
    };
  });

  it('is the rack, the secrets by their paths, and variables beside them', async () => {
    const ref = { name: 'metadata-server', key: 'TOKEN' };
    const env = [
      { name: 'TOKEN', valueFrom: { secretKeyRef: ref } },
      { name: 'LEVEL', value: 'debug' },
    ];
    objects[deploymentPath] = volume([rack, secret(true)], env);

    expect(await texts()).toEqual({
      'rack.yaml': 'rack: a',
      'secrets/bots.json': '{}',
      environment: 'TOKEN="a\\"b\\\\c\\$d\\`"\n',
    });
  });

  it('goes without what is optional, and fails for what is not', async () => {
    delete objects['/api/v1/namespaces/skolo-node/secrets/metadata-server'];
    objects[deploymentPath] = volume([rack, secret(true)]);
    expect(Object.keys(await texts())).toEqual(['rack.yaml']);

    objects[deploymentPath] = volume([rack, secret(false)]);
    await expect(texts()).rejects.toThrow('k3s has no Secret metadata-server');
  });

  it.each(['../shadow', '/etc/shadow', 'secrets/../../x', ''])(
    'rejects the path %j',
    async (path) => {
      objects[deploymentPath] = volume([rack, secret(false, path)]);

      await expect(texts()).rejects.toThrow('which is outside the directory');
    },
  );

  it('is not known where k3s is silent', async () => {
    objects[deploymentPath] = { spec: {} };

    await expect(texts()).rejects.toThrow(KubernetesUnavailable);
  });
});
