import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { readRack } from '@skolo/rack';
import { afterAll, describe, expect, it } from 'vitest';
import {
  build,
  componentNames,
  componentsOf,
  copyWithComponents,
  kubeFolder,
  rackNames,
  usableKubectl,
} from './kustomize.ts';
import type { Manifest } from './manifest.ts';
import { exceptions } from './policies/exceptions.ts';
import { policies } from './policies/index.ts';
import { isOpen } from './policies/network.ts';
import { placementProblems } from './policies/placement.ts';
import { privilegeProblems } from './policies/privileges.ts';
import { botFolders, rackSettingsProblems } from './policies/rack-settings.ts';
import { accountProblems } from './policies/rbac.ts';
import { resourceProblems } from './policies/resources.ts';
import { pruneProblems } from './prune.ts';
import { schemaProblems } from './schema.ts';

const kubectl = usableKubectl();

/** What a component cannot do without. */
const needs = new Map([['apps-by-name/grafana', ['grafana', 'apps-by-name']]]);
const copies: string[] = [];
/** A rack with all components. */
let everything: Manifest[] | undefined;
afterAll(() => {
  for (const copy of copies) rmSync(copy, { recursive: true, force: true });
});

describe.each(rackNames())('%s', (rack) => {
  it('builds as it is', async (context) => {
    if (!kubectl) return context.skip('kubectl 1.27 or newer is not installed');

    const objects = build(kubectl, join(kubeFolder, 'racks', rack));

    expect(await problemsOf(rack, objects)).toEqual([]);
  });

  // Kustomize takes a second for each. The sample has all components together, and no component.
  it.for(['none', ...(process.env.SKOLO_LONG ? componentNames() : [])])(
    'builds with the component %s alone',
    async (component, context) => {
      if (!kubectl) return context.skip('kubectl 1.27 or newer is not installed');
      const components = component === 'none' ? [] : [...(needs.get(component) ?? []), component];

      const objects = buildWith(rack, components);

      expect(await problemsOf(rack, objects)).toEqual([]);
    },
  );

  it('builds with all of them together', async (context) => {
    if (!kubectl) return context.skip('kubectl 1.27 or newer is not installed');
    const own = componentsOf(rack);
    const others = componentNames().filter((name) => !own.includes(name));

    const objects = buildWith(rack, [...own, ...others]);

    expect(await problemsOf(rack, objects)).toEqual([]);
  });
});

describe('NetworkPolicies', () => {
  it.for([
    { from: 'blackbox-exporter', to: 'alert-to-pubsub', port: 8001 },
    { from: 'blackbox-exporter', to: 'power-cycle-daemon', port: 9210 },
    { from: 'grafana', to: 'alertmanager', port: 9093 },
    { from: 'router-backup', to: 'alert-to-pubsub', port: 8001 },
    { from: 'router-backup', to: 'alertmanager', port: 9093 },
    { from: 'alert-to-pubsub', to: 'power-cycle-daemon', port: 9210 },
    { from: 'prometheus', to: 'power-cycle-daemon', port: 9210 },
    { from: 'alertmanager', to: 'alert-to-pubsub', port: 20013 },
  ])('leave $to:$port closed to $from', (flow, context) => {
    if (!kubectl) return context.skip('kubectl 1.27 or newer is not installed');
    const [rack = ''] = rackNames();
    everything ??= buildWith(rack, componentNames());

    expect(isOpen(everything, flow)).toBe(false);
  });
});

describe('exceptions', () => {
  it('are each needed by a component or without any', async (context) => {
    if (!kubectl) return context.skip('kubectl 1.27 or newer is not installed');
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
});

async function problemsOf(rack: string, objects: readonly Manifest[]): Promise<string[]> {
  const inventory = await readRackOf(rack);
  return [
    ...objects.flatMap(schemaProblems),
    ...pruneProblems(objects),
    ...[...policies.values()].flatMap((policy) => policy(objects)),
    ...privilegeProblems(objects, { bots: botFolders(inventory) }),
    ...rackSettingsProblems(objects, inventory),
  ];
}

function readRackOf(rack: string) {
  return readRack(join(kubeFolder, 'racks', rack, 'rack.yaml'));
}

function buildWith(rack: string, components: readonly string[]): Manifest[] {
  if (!kubectl) return [];
  const copy = copyWithComponents(rack, components);
  copies.push(copy);
  return build(kubectl, join(copy, 'racks', rack));
}
