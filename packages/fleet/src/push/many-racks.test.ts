/** Stages, failures and resumption of a push to many racks: fakes of their clusters, and in the long run three real ones. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isLong } from '@skolo/base/durable/fault-injection';
import { tempDir } from '@skolo/base/testing';
import {
  type ContainerRegistry,
  digestOf,
  lacks,
  peer,
  startContainerRegistry,
} from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { FleetError } from '../errors.ts';
import { kubectlAt } from '../testing/kubectl.ts';
import type { Kubectl } from '../way/kubectl.ts';
import {
  type OpenedRack,
  openRecords,
  openRepository,
  type PushDeps,
  preparePush,
  type RackRecord,
  type Request,
} from './index.ts';
import { createFakeRack, type FakeRack } from './testing/fake-rack.ts';
import { createRackRepository, requestOf, tagOf } from './testing/racks.ts';
import { startRealRack } from './testing/real-rack.ts';

const program = peer('kubectl');
const registryProgram = peer('docker-registry');
const controlPlane = isLong ? peer('control-plane') : undefined;
/** With an API server, controllers and nodes of their own. */
const real = controlPlane === undefined ? [] : ['lost', 'half-dead', 'drifted'];
const names = ['broken', 'lost', 'half-dead', 'drifted', ...others(isLong ? 16 : 2)];

let registry: ContainerRegistry;

describe.skipIf(lacks('kubectl', 'docker-registry'))('skolo push to many racks', () => {
  beforeAll(async () => {
    registry = await startContainerRegistry(registryProgram ?? '');
    for (const word of ['clean', 'next']) await registry.push('skolo/service', tagOf(word), word);
    await registry.push('skolo/agent', tagOf('clean'), 'clean');
    await registry.push('skolo/agent', 'one-platform', 'amd64', 'image');
  });
  afterAll(() => registry?.close());

  it(`leaves each of ${names.length} racks right, ${real.length} of them real: the failed one as it was, the lost one after a resumption`, async () => {
    const { push, racks, repository, previous } = await fleetOf(names);
    racks.get('drifted')?.setImage('service', 'by/hand:1');

    const first = await push({ onFailure: 'continue' }, [names], () => {
      lose(racks, 'lost');
    });
    const states = (records: RackRecord[]) =>
      Object.fromEntries(records.map(({ rack, state }) => [rack, state]));
    const well = Object.fromEntries(others(names.length - 4).map((name) => [name, 'done']));
    expect(states(first)).toEqual({
      broken: 'rolled-back',
      lost: 'rolling-out',
      'half-dead': 'done',
      drifted: 'done',
      ...well,
    });
    const lost = racks.get('lost');
    if (lost) lost.lost = undefined;
    const second = await push({ onFailure: 'continue' }, [names]);

    expect(states(second)).toMatchObject({ broken: 'rolled-back', lost: 'done' });
    for (const [name, rack] of racks) {
      const image = rack.image('service');
      if (name === 'broken') expect(image).toBe(previous);
      else expect(image, name).toContain(tagOf('next'));
    }
    expect(first.find(({ rack }) => rack === 'broken')?.why).toContain('keeps crashing');
    const subjects = repository.git('log', '--format=%s').trim().split('\n');
    const pushed = subjects.flatMap((line) => /^push\(([\w-]+)\)/.exec(line)?.[1] ?? []);
    expect(pushed.sort()).toEqual(names.filter((name) => name !== 'broken').sort());
  });

  it('continues after Ctrl-C where it was', async () => {
    const { push, racks } = await fleetOf(['rack-1', 'rack-2']);
    const stages = [['rack-1'], ['rack-2']];
    const stop = new AbortController();

    const first = await push({}, stages, () => undefined, {
      signal: stop.signal,
      report: (_, text) => text.startsWith('Deployment') && stop.abort(new Error('interrupted')),
    });
    const second = await push({}, stages);

    expect(first).toMatchObject([
      { state: 'rolling-out', why: 'interrupted' },
      { state: 'waiting' },
    ]);
    expect(second.map(({ state, why }) => [state, why])).toEqual([
      ['done', undefined],
      ['done', undefined],
    ]);
    for (const rack of racks.values()) expect(rack.image('service')).toContain(tagOf('next'));
  });

  it('carries images to a rack without an internet connection, and changes nothing where that fails', async () => {
    const { push, racks, openRack } = await fleetOf(['rack-1']);
    const rack = racks.get('rack-1');
    const before = rack?.changes.length ?? -1;
    const carried: string[] = [];
    let isFull = true;
    const open = async (name: string): Promise<OpenedRack> => ({
      ...(await openRack(name)),
      async carry(images) {
        carried.push(...images.map(({ image, platforms }) => `${image} for ${platforms}`));
        if (isFull) throw new FleetError('rack-1: the jumphost has 1 MB left');
      },
    });

    const first = await push({}, [['rack-1']], undefined, { open });

    expect(first).toMatchObject([{ state: 'waiting', why: 'rack-1: the jumphost has 1 MB left' }]);
    expect(rack?.changes).toHaveLength(before);
    isFull = false;
    expect(await push({}, [['rack-1']], undefined, { open })).toMatchObject([{ state: 'done' }]);
    const image = expect.stringMatching(/skolo\/service:.*-next@sha256:\w+ for linux\/arm64$/);
    expect(carried).toEqual([image, image]);
  });

  it('rejects an image that is missing, or not for all machines, before anything is touched', async () => {
    const { push, racks } = await fleetOf(['rack-1']);
    const before = racks.get('rack-1')?.changes.length;
    const ask = (service: string, version: string) =>
      push({ services: [service], version }, [['rack-1']]);

    await expect(ask('service', 'none')).rejects.toThrow('no such tag');
    await expect(ask('agent', 'one-platform')).rejects.toThrow(
      /skolo\/agent:one-platform@sha256:\w+: the image is not available for linux\/arm64, only for linux\/amd64/,
    );
    await registry.push('skolo/agent', 'incomplete', 'incomplete');
    const layer = digestOf('layer of incomplete arm64');
    // Of a platform that the rack does not have.
    await registry.lose(digestOf('layer of incomplete amd64'));
    await registry.lose(layer);
    await expect(ask('agent', 'incomplete')).rejects.toThrow(
      `returned 404 for ${layer}, a part of the image for linux/arm64; build the image again`,
    );
    expect(racks.get('rack-1')?.changes).toHaveLength(before ?? -1);
  });

  it('lets go of a rack where another one cannot be prepared', async () => {
    const { push, racks } = await fleetOf(['rack-1', 'rack-2']);
    const [first, second] = racks.values();
    if (second) second.lost = 'now';
    const holders: string[] = [];
    const open = async (name: string) => ({
      name,
      close: async () => undefined,
      kubectl: async (...given: Parameters<Kubectl>) => {
        const answer = await (name === 'rack-1' ? first : second)?.kubectl(...given);
        const [, holder] = /"holderIdentity": ?"([^"]*)"/.exec(answer ?? '') ?? [];
        if (holder !== undefined) holders.push(holder);
        return answer ?? '';
      },
    });

    await expect(push({}, [['rack-1', 'rack-2']], undefined, { open })).rejects.toThrow('refused');

    expect(holders).toContain('ann@desk, push next, process 1');
    expect(holders.at(-1)).toBe('');
  });

  it('begins no other rack after a failure of the first stage', async () => {
    const { push, racks } = await fleetOf(['broken', 'rack-1']);
    const before = racks.get('rack-1')?.changes.length;

    const records = await push({ onFailure: 'stop' }, [['broken'], ['rack-1']]);

    expect(records).toMatchObject([
      { rack: 'broken', state: 'rolled-back' },
      { rack: 'rack-1', state: 'not-begun', why: 'broken failed' },
    ]);
    expect(racks.get('rack-1')?.changes).toHaveLength(before ?? -1);
  });
});

const rendered = new Map<string, Promise<string>>();

/** kustomize costs half a second, and overlays of these racks are alike. */
function renderingOnce(kubectl: Kubectl): Kubectl {
  return async (args, options) => {
    const overlay = await readFile(join(args[1] ?? '', 'kustomization.yaml'), 'utf8');
    const text = rendered.get(overlay) ?? kubectl(args, options);
    rendered.set(overlay, text);
    text.catch(() => rendered.delete(overlay));
    return await text;
  };
}

function others(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `rack-${i + 1}`);
}

function lose(racks: ReadonlyMap<string, FakeRack>, name: string) {
  const rack = racks.get(name);
  if (rack) rack.lost = 'at-next-change';
}

const patiently = { pollMs: 500, readyMs: 120_000, patienceMs: 2_000 };

/** Racks that run the same version, and a push of another one. */
async function fleetOf(all: readonly string[]) {
  const repository = await createRackRepository(registry.host, all);
  onTestFinished(repository.remove);
  const folder = await tempDir();
  const kubectl = kubectlAt('', program ?? '');
  const racks = new Map<string, FakeRack>();
  for (const name of all) {
    const how = {
      ...(name === 'broken' && { crashing: tagOf('next') }),
      ...(name === 'half-dead' && { dead: 'rpi-2' }),
    };
    racks.set(name, real.includes(name) ? await newRealRack(how) : fakeRack(how));
  }

  function fakeRack(how: { crashing?: string; dead?: string }): FakeRack {
    return createFakeRack({ kubectl: renderingOnce(kubectl), ...how });
  }

  async function newRealRack(how: { dead?: string }): Promise<FakeRack> {
    const rack = await startRealRack({
      controlPlane: controlPlane ?? '',
      kubectl: program ?? '',
      ...how,
      namespace: join(repository.folder, 'kube/base/namespace.yaml'),
    });
    onTestFinished(rack.close);
    return rack;
  }

  async function openRack(name: string): Promise<OpenedRack> {
    const close = async () => undefined;
    return { name, kubectl: racks.get(name)?.kubectl ?? kubectl, close };
  }

  async function push(
    asked: Partial<Request>,
    stages: PushDeps['stages'],
    prepared: () => void = () => undefined,
    {
      signal = new AbortController().signal,
      report = () => undefined,
      open = openRack,
    }: Partial<PushDeps> = {},
  ): Promise<RackRecord[]> {
    const request: Request = requestOf({ id: 'begin', racks: stages.flat(), ...asked });
    const ready = await preparePush(request, {
      repository: await openRepository(repository.clusters, signal),
      records: openRecords(folder),
      open,
      stages,
      workstation: { name: 'ann@desk', pid: 1, isAlive: () => false },
      times: real.length > 0 ? patiently : { pollMs: 10, readyMs: 60_000, patienceMs: 50 },
      signal,
      now: Date.now,
      report,
    });
    const problem = ready.racks.find((rack) => rack.problem)?.problem;
    if (problem) await ready.close();
    if (problem) throw problem;
    prepared();
    return await ready.run();
  }
  await push({}, [all]);
  const previous = racks.get(all[0] ?? '')?.image('service');
  const next = { services: ['service'], version: tagOf('next'), id: 'next' };
  return {
    racks,
    repository,
    previous,
    openRack,
    push: (
      asked: Partial<Request>,
      stages: PushDeps['stages'],
      prepared?: () => void,
      deps?: Partial<PushDeps>,
    ) => push({ ...next, ...asked }, stages, prepared, deps),
  };
}
