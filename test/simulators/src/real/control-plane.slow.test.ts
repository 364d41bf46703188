import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { feed, run } from '@skolo/base/testing';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { freeTcpPort } from '../free-port.ts';
import { lacks, peer } from '../peer.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';

const program = peer('control-plane');
const kubectl = peer('kubectl');
/** Each look is a process of kubectl. */
const seldom = { interval: 500 };
let controlPlane: ControlPlane | undefined;

const Pods = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      spec: z.object({ nodeName: z.string().optional() }),
      status: z.object({
        containerStatuses: z
          .array(
            z.object({
              ready: z.boolean(),
              restartCount: z.number(),
              image: z.string(),
              imageID: z.string(),
              state: z.object({ waiting: z.object({ reason: z.string() }).optional() }),
              lastState: z.object({ terminated: z.object({ exitCode: z.number() }).optional() }),
            }),
          )
          .default([]),
      }),
    }),
  ),
});

describe.skipIf(lacks('control-plane', 'kubectl'))('control plane', () => {
  beforeAll(async () => {
    controlPlane = await startControlPlane(program ?? '', kubectl ?? '', {
      nodes: [
        { name: 'jumphost', architecture: 'amd64', labels: { role: 'jumphost' } },
        {
          name: 'pi-1',
          taints: [{ key: 'skolo/machine', value: 'true', effect: 'NoSchedule' }],
        },
        { name: 'pi-2', annotations: { 'test.skolo/node': 'stuck' } },
      ],
    });
  });
  afterAll(() => controlPlane?.close());

  it('rolls out Deployments and DaemonSets, and reports the digests of images', async () => {
    await apply(
      deployment('good', 'registry.example.com:5000/skolo/good:v1'),
      daemonSet('agent', 'skolo/agent:v1@sha256:abc'),
    );

    await call('rollout', 'status', 'deployment/good', '--timeout=1h');
    await expect.poll(() => readyNodesOf('agent'), seldom).toEqual(['jumphost', 'pi-1']);

    const [good] = await podsOf('good');
    expect(good?.status.containerStatuses[0]?.imageID).toMatch(
      /^registry\.example\.com:5000\/skolo\/good@sha256:[0-9a-f]{64}$/,
    );
    const agents = await podsOf('agent');
    expect(agents.flatMap((pod) => pod.status.containerStatuses)).toContainEqual(
      expect.objectContaining({ imageID: 'skolo/agent@sha256:abc' }),
    );

    await call('annotate', 'node', 'pi-2', 'test.skolo/node-');
    await call('rollout', 'status', 'daemonset/agent', '--timeout=1h');
    expect(await readyNodesOf('agent')).toEqual(['jumphost', 'pi-1', 'pi-2']);
  });

  it.each([
    ['crash', 'CrashLoopBackOff', 1],
    ['badconfig', 'CrashLoopBackOff', 78],
    ['unpullable', 'ImagePullBackOff', undefined],
    ['unready', undefined, undefined],
  ])('has containers that %s', async (tag, reason, exitCode) => {
    await apply(deployment(tag, `skolo/${tag}:2026-11-20-ann-${tag}`));

    await expect
      .poll(async () => {
        const [container] = (await podsOf(tag)).flatMap((pod) => pod.status.containerStatuses);
        return {
          ready: container?.ready,
          reason: container?.state.waiting?.reason,
          exitCode: container?.lastState.terminated?.exitCode,
        };
      }, seldom)
      .toEqual({ ready: false, reason, exitCode });
  });

  it('keeps a pod waiting for a Secret that is not there yet', async () => {
    const waiting = deployment('waiting', 'skolo/waiting:v1');
    Object.assign(waiting.spec.template.spec, {
      volumes: [{ name: 'late', secret: { secretName: 'late' } }],
    });
    await apply(waiting);
    await expect
      .poll(() => call('get', 'events', '--field-selector=reason=FailedMount'), seldom)
      .toContain('secrets "late" not found');

    await call('create', 'secret', 'generic', 'late', '--from-literal=key=value');

    await call('rollout', 'status', 'deployment/waiting', '--timeout=1h');
  });

  it('has a node that dies and comes back, and one that lets tasks end first', async () => {
    await apply(daemonSet('tasks', 'skolo/tasks:v1'));
    await call('rollout', 'status', 'daemonset/tasks', '--timeout=1h');

    await call('annotate', 'node', 'pi-1', 'test.skolo/node=dead');
    await call('annotate', 'node', 'pi-2', 'test.skolo/node=busy');
    await expect.poll(() => call('get', 'node', 'pi-1'), seldom).toContain('NotReady');
    await apply(daemonSet('tasks', 'skolo/tasks:v2'));
    await expect.poll(() => readyNodesOf('tasks', 'v2'), seldom).toEqual(['jumphost']);

    await call('annotate', 'node', 'pi-1', 'pi-2', 'test.skolo/node-');
    await call('rollout', 'status', 'daemonset/tasks', '--timeout=1h');
    expect(await readyNodesOf('tasks', 'v2')).toEqual(['jumphost', 'pi-1', 'pi-2']);
  });

  it('answers logs, and forwards ports of pods to where the test listens', async () => {
    const server = createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const address = server.address();
    const listening = typeof address === 'object' ? address?.port : 0;
    await call('annotate', 'node', 'jumphost', `test.skolo/forward=80=127.0.0.1:${listening}`);
    await apply(deployment('web', 'skolo/web:v1'));
    await call('rollout', 'status', 'deployment/web', '--timeout=1h');
    const port = await freeTcpPort();

    const forward = spawn(kubectl ?? '', ['port-forward', 'deployment/web', `${port}:80`], {
      env: environment(),
      stdio: 'ignore',
    });
    onTestFinished(() => void forward.kill());

    const page = () => fetch(`http://127.0.0.1:${port}/`).then((answer) => answer.text());
    await expect.poll(() => page().catch(String)).toBe('hello');
    expect(await call('logs', 'deployment/web')).toBe('skolo/web:v1 on jumphost, start 1\n');
  });
});

function deployment(name: string, image: string) {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { nodeSelector: { role: 'jumphost' }, containers: [{ name, image }] },
      },
    },
  };
}

function daemonSet(name: string, image: string) {
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name },
    spec: {
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '100%' } },
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { tolerations: [{ operator: 'Exists' }], containers: [{ name, image }] },
      },
    },
  };
}

async function apply(...objects: unknown[]): Promise<void> {
  const child = run(kubectl ?? '', ['apply', '-f', '-'], { env: environment() });
  feed(child.child, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
  await child;
}

async function podsOf(app: string) {
  return Pods.parse(JSON.parse(await call('get', 'pods', '-l', `app=${app}`, '-o', 'json'))).items;
}

async function readyNodesOf(app: string, version = 'v1'): Promise<(string | undefined)[]> {
  return (await podsOf(app))
    .filter(({ status: { containerStatuses } }) =>
      containerStatuses.some(({ ready, image }) => ready && image.includes(`:${version}`)),
    )
    .map((pod) => pod.spec.nodeName)
    .sort();
}

async function call(...args: string[]): Promise<string> {
  const { stdout } = await run(kubectl ?? '', args, { env: environment() });
  return stdout;
}

function environment(kubeconfig = controlPlane?.kubeconfig) {
  return { ...process.env, KUBECONFIG: kubeconfig };
}
