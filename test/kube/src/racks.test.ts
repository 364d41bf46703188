import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Connection, connections } from './connections.ts';
import {
  build,
  componentNames,
  componentsOf,
  kubeFolder,
  noKubectl,
  rackNames,
  usableKubectl,
} from './kustomize.ts';
import { containersOf, type Manifest, workloadsOf } from './manifest.ts';
import { exceptions } from './policies/exceptions.ts';
import { type Flow, isOpen, jumphostAddress } from './policies/network.ts';
import { placementProblems } from './policies/placement.ts';
import { privilegeProblems } from './policies/privileges.ts';
import { botFolders } from './policies/rack-settings.ts';
import { accountProblems } from './policies/rbac.ts';
import { resourceProblems } from './policies/resources.ts';
import { buildWith, problemsOf, readRackOf } from './testing/rack-overlays.ts';

const kubectl = usableKubectl();

describe.each(rackNames())('%s', (rack) => {
  it('builds as it is', async (context) => {
    if (!kubectl) return context.skip(noKubectl);

    const objects = build(kubectl, join(kubeFolder, 'racks', rack));

    expect(await problemsOf(rack, objects)).toEqual([]);
  });

  it('builds without components', async (context) => {
    if (!kubectl) return context.skip(noKubectl);

    expect(await problemsOf(rack, buildWith(rack, []))).toEqual([]);
  });

  it('builds with all components together', async (context) => {
    if (!kubectl) return context.skip(noKubectl);
    const own = componentsOf(rack);
    const others = componentNames().filter((name) => !own.includes(name));

    const objects = buildWith(rack, [...own, ...others]);

    expect(await problemsOf(rack, objects)).toEqual([]);
  });
});

describe('connections.yaml', () => {
  const [rack = ''] = rackNames();
  const ofPods = connections.filter(
    ({ from, to }) => from.startsWith('pod/') && to !== 'jumphost-other',
  );

  it.for(ofPods)(
    'NetworkPolicies with all components: $from to $to:$port, open: $open',
    (connection, context) => {
      if (!kubectl) return context.skip(noKubectl);
      // Where it is, port 80 of the jumphost is a pod.
      const everything = buildWith(
        rack,
        componentNames().filter((name) => name !== 'traefik-on-80'),
      );

      expect(isOpen(everything, flowOf(everything, connection))).toBe(connection.open);
    },
  );

  it('has what a component opens, and nothing of it is open without the component', (context) => {
    if (!kubectl) return context.skip(noKubectl);
    const plain = buildWith(rack, []);

    const open = ofPods.filter((connection) => isOpen(plain, flowOf(plain, connection)));

    expect(open.filter(({ component }) => component !== undefined)).toEqual([]);
    expect(open.length).toBeGreaterThan(20);
  });
});

/** @param objects of a rack, whose addresses are those of rack4 */
function flowOf(objects: readonly Manifest[], { from, to, port }: Connection): Flow {
  const addresses = new Map([
    ['jumphost', jumphostAddress(objects)],
    ['machine', '192.168.1.101'],
    ['internet', '198.51.100.7'],
  ]);
  const nameOf = (end: string) => end.replace(/^pod\//, '');
  const address = addresses.get(to);
  return { from: nameOf(from), to: address === undefined ? nameOf(to) : { address }, port };
}

it('third-party images are pinned by digest', (context) => {
  if (!kubectl) return context.skip(noKubectl);
  const [rack = ''] = rackNames();
  const images = workloadsOf(buildWith(rack, componentNames()))
    .flatMap(containersOf)
    .map(({ image = '' }) => image)
    .filter((image) => !image.includes('/skolo/'));

  const found = images.filter((image) => !/@sha256:[0-9a-f]{64}$/.test(image));
  expect(found).toEqual([]);
  expect(images.length).toBeGreaterThan(5);
});

it('exceptions are each needed by a component or without any', async (context) => {
  if (!kubectl) return context.skip(noKubectl);
  const [rack = ''] = rackNames();
  const bots = botFolders(await readRackOf(rack));

  const found = [
    buildWith(rack, componentNames()),
    // Where traefik-on-80 is not.
    buildWith(rack, ['canary']),
  ].flatMap((objects) => [
    ...privilegeProblems(objects, { bots }, []),
    ...resourceProblems(objects, []),
    ...placementProblems(objects, []),
    ...accountProblems(objects, []),
  ]);

  const unused = exceptions.filter(
    ({ workload, what }) => !found.some((problem) => problem.endsWith(`/${workload}: ${what}`)),
  );
  expect(unused).toEqual([]);
});
