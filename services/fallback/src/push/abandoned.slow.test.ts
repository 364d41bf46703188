/** Workstations that die during a push, on a real Kubernetes with fake nodes. Times are a fiftieth of the real ones. */

import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pause } from '@skolo/base';
import {
  countRounds,
  isLong,
  killAfter,
  seeded,
  timeUntil,
} from '@skolo/base/durable/fault-injection';
import { testSeed } from '@skolo/base/testing';
import {
  openRecords,
  preparePush,
  type RackRecord,
  type Request,
  readUnfinished,
} from '@skolo/fleet/push';
import {
  type ContainerRegistry,
  type ControlPlane,
  lacks,
  peer,
  startContainerRegistry,
  startControlPlane,
} from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { pushDeps, type Work } from '../../../../packages/fleet/src/push/testing/push-deps.ts';
import { startPush } from '../../../../packages/fleet/src/push/testing/push-writer.ts';
import {
  createRackRepository,
  type RackRepository,
  requestOf,
  tagOf,
} from '../../../../packages/fleet/src/push/testing/racks.ts';
import { kubectlAt } from '../../../../packages/fleet/src/testing/kubectl.ts';
import { type ApiServer, openApiServer } from '../kubernetes/api-server.ts';
import { readSettings } from '../settings.ts';
import { endAbandonedPush } from './abandoned.ts';

const kills = countRounds(1, 50);
const program = peer('control-plane');
const kubectl = peer('kubectl');
const registryProgram = peer('docker-registry');
const pushSeconds = isLong ? 12 : 4;

let plane: ControlPlane;
let registry: ContainerRegistry;
let repository: RackRepository;
let folder: string;
/** Asked by the test itself, too: each start of kubectl costs more than what it does. */
let api: ApiServer;

const container = z.object({ containers: z.tuple([z.object({ image: z.string() })]) });
const Pods = z.object({ items: z.array(z.object({ spec: container })) });
const Workloads = z.object({
  items: z.array(
    z.object({
      spec: z.object({
        template: z.object({ spec: container }),
        updateStrategy: z.object({ type: z.string() }).optional(),
      }),
    }),
  ),
});
const Names = z.object({ items: z.array(z.object({ metadata: z.object({ name: z.string() }) })) });

describe.skipIf(lacks('control-plane', 'kubectl', 'docker-registry'))('an abandoned push', () => {
  beforeAll(async () => {
    const nodes = ['rpi-1', 'rpi-2', 'rpi-3', 'rpi-4'].map((name) => ({ name }));
    const jumphost = { name: 'jumphost', labels: { jumphost: 'true' } };
    [registry, plane] = await Promise.all([
      startContainerRegistry(registryProgram ?? ''),
      startControlPlane(program ?? '', kubectl ?? '', { nodes: [jumphost, ...nodes] }),
    ]);
    for (const image of ['skolo/service', 'skolo/agent']) {
      for (const word of ['clean', 'next']) await registry.push(image, tagOf(word), word);
    }
    repository = await createRackRepository(registry.host, ['rack4']);
    folder = await mkdtemp(join(tmpdir(), 'skolo-abandoned-'));
    call('apply', '-f', join(repository.folder, 'kube/base/namespace.yaml'));
    // As k3s writes it.
    const kubeconfig = join(folder, 'k3s.yaml');
    await writeFile(kubeconfig, call('config', 'view', '--raw', '--flatten', '-o', 'yaml'));
    api = await openApiServer(kubeconfig, 600_000);
    const { request, deps } = await pushOf('first', 'ann', {});
    expect(await (await preparePush(request, deps)).run()).toMatchObject([{ state: 'done' }]);
  });
  afterAll(async () => {
    await plane?.close();
    await registry?.close();
    await repository?.remove();
    if (folder) await rm(folder, { recursive: true });
  });

  it(`ends at one of two versions after ${kills} kill -9 of the workstation`, async () => {
    const random = seeded(testSeed());
    const ends = { new: 0, former: 0 };
    const usualMs = isLong
      ? await timeUntil(startPush(workOf(await nextRequest('undisturbed'))), 'done')
      : 4_000;

    for (let kill = 1; kill <= kills; kill += 1) {
      const before = await stateOf();
      const killed = await nextRequest(`kill-${kill}`);
      // Some are faster than usual, and end first.
      await killAfter(startPush(workOf(killed)), random() * usualMs, { report: 'prepared' }).catch(
        (error: unknown) => expect(String(error)).toContain('ended by itself, with status 0'),
      );
      const unfinished = await untilFallbackIsDone(random);
      const isNew = unfinished !== undefined || (await stateOf()) !== before;

      ends[isNew ? 'new' : 'former'] += 1;
      expect(await stateOf()).toBe(isNew ? otherThan(before) : before);
      await expect.poll(podsAgree, { interval: 500 }).toBe(true);
      const known = await openRecords(join(folder, 'ann')).read(killed.id);
      const knows = known !== undefined && known.racks[0]?.state !== 'waiting';
      const metric = await readFile(join(folder, 'skolo-push.prom'), 'utf8');
      const isRolledBack = metric.includes(`push="${killed.id}"`);
      if (knows) expect(isRolledBack).toBe(!isNew);
      else expect(isNew).toBe(false);
      const fallback = {
        state: 'rolled-back',
        why: expect.stringMatching(/^ended by skolo-fallback/),
      };
      // Killed between the rack's record and its own, the workstation does not know that it had begun, and begins again.
      expect(await continueFrom(killed)).toMatchObject([
        isRolledBack && knows ? fallback : { state: 'done' },
      ]);
      expect(await readSecret()).toBeUndefined();
    }
    console.log(`kills: ${JSON.stringify(ends)}`);
  });
});

/** Both versions differ in images, a ConfigMap that one of them has, and a setting. */
type State = 'clean' | 'next' | 'mixed';

function otherThan(state: State): State {
  return state === 'clean' ? 'next' : 'clean';
}

/** What the cluster's objects are. */
async function stateOf(): Promise<State> {
  const [deployments, daemonSets, configMaps] = await Promise.all([
    read('/apis/apps/v1/namespaces/skolo/deployments', Workloads),
    read('/apis/apps/v1/namespaces/skolo/daemonsets', Workloads),
    read('/api/v1/namespaces/skolo/configmaps', Names),
  ]);
  const specs = [...deployments.items, ...daemonSets.items].map(({ spec }) => spec);
  const words = specs.map(({ template }) => {
    const { image } = template.spec.containers[0];
    return /-(\w+)@|-(\w+)$/.exec(image)?.slice(1).join('') ?? image;
  });
  const extra = configMaps.items.some(({ metadata }) => metadata.name === 'extra');
  const strategies = specs.flatMap(({ updateStrategy }) => updateStrategy?.type ?? []);
  const all = new Set([...words, extra ? 'next' : 'clean']);
  if (all.size > 1 || strategies.join() !== 'RollingUpdate') return 'mixed';
  return all.has('next') ? 'next' : 'clean';
}

async function podsAgree(): Promise<boolean> {
  const state = await stateOf();
  const { items } = await read('/api/v1/namespaces/skolo/pods', Pods);
  const images = items.map(({ spec }) => spec.containers[0].image);
  return images.length === 5 && images.every((image) => image.includes(`-${state}`));
}

async function read<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  const found = await api.get(path, schema);
  if (found === undefined) throw new Error(`${path}: not found`);
  return found;
}

/** Looks as the timer does, with power cuts, until nothing is left to do. @returns a push that only lacks its commit */
async function untilFallbackIsDone(random: () => number) {
  const failing: ApiServer = {
    ...api,
    async patch(...call) {
      if (random() < 0.1) throw new Error('power cut');
      await api.patch(...call);
    },
  };
  const settings = { ...readSettings({}), pushSeconds };
  const deps = { settings, uptime: () => performance.now() / 1000, print: () => undefined };
  const look = async () => {
    try {
      await endAbandonedPush(failing, deps, folder);
    } catch {
      // What a boot forgets.
      for (const file of ['skolo-push.json', 'skolo-push.prom'])
        await rm(join(folder, file), { force: true });
      return 'power cut';
    }
    return (await readSecret())?.record.state ?? 'nothing left';
  };
  await expect.poll(look, { interval: 600 }).toMatch(/^(nothing left|committing)$/);
  return await readSecret();
}

async function readSecret() {
  return await readUnfinished(
    kubectlAt(plane.kubeconfig, kubectl ?? ''),
    new AbortController().signal,
  );
}

/** Another workstation continues what is left in the rack, or the same one learns how it ended. */
async function continueFrom(killed: Request): Promise<RackRecord[]> {
  const left = await readSecret();
  const { deps } = await pushOf(killed.id, left ? 'bob' : 'ann', killed);
  if (left) {
    await deps.records.create(left.request);
    await deps.records.save(left.request.id, left.record);
  }
  for (;;) {
    const push = await preparePush(killed, deps);
    const { problem } = push.racks[0] ?? {};
    if (problem === undefined) return await push.run();
    // Until the Lease of another workstation has expired.
    if (!problem.message.includes('is changing this rack')) throw problem;
    await push.close();
    await pause(1_000);
  }
}

/** Changes everything. */
async function nextRequest(id: string): Promise<Request> {
  const state = otherThan(await stateOf());
  const file = 'racks/rack4/kustomization.yaml';
  const text = await readFile(join(repository.folder, 'kube', file), 'utf8');
  const metadata = { name: 'extra', namespace: 'skolo' };
  repository.write(
    'racks/rack4/extra.yaml',
    JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata }),
  );
  const plain = text.replace(', extra.yaml]', ']');
  repository.write(
    file,
    state === 'next' ? plain.replace('../../base]', '../../base, extra.yaml]') : plain,
  );
  repository.git('add', '.');
  repository.git('commit', '--quiet', '--allow-empty', '--message', id);
  return requestOf({ id, services: ['service', 'agent'], version: tagOf(state) });
}

function workOf(request: Request, user = 'ann'): Work {
  return {
    kubectl: kubectl ?? '',
    kubeconfig: plane.kubeconfig,
    request,
    clusters: repository.clusters,
    records: join(folder, user),
  };
}

async function pushOf(id: string, user: string, asked: Partial<Request>) {
  const request = requestOf({ id, ...asked });
  const deps = await pushDeps(workOf(request, user), {
    mayBeDirty: true,
    workstation: { name: `${user}@desk`, pid: process.pid, isAlive: () => false },
    times: {
      pollMs: 900,
      readyMs: 600_000,
      patienceMs: 600_000,
      // Longer than a stall of this computer, in which it would lose the rack to nobody.
      lease: { durationMs: 30_000, renewMs: 1_000 },
    },
  });
  return { request, deps };
}

function call(...args: string[]): string {
  const env = { ...process.env, KUBECONFIG: plane.kubeconfig };
  return execFileSync(kubectl ?? '', args, { encoding: 'utf8', env });
}
