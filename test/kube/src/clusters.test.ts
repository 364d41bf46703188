import { join } from 'node:path';
import { readFleet } from '@skolo/fleet';
import { readRack } from '@skolo/rack';
import { describe, expect, it } from 'vitest';
import { kubeFolder, rackNames } from './kustomize.ts';

const { racks } = await readFleet(join(kubeFolder, 'clusters', 'config.json'));
const onK3s = racks.filter((rack) => rack.type === 'k3s');

describe('clusters/config.json', () => {
  it('has the racks that have an overlay, and no others', () => {
    expect(onK3s.map(({ name }) => name).sort()).toEqual(rackNames());
  });

  it.each(onK3s)('knows $name as its rack.yaml does', async ({ name, jumphost, overlay }) => {
    const rack = await readRack(join(overlay, 'rack.yaml'));

    expect({ name: rack.name, jumphost: rack.jumphost.name }).toEqual({ name, jumphost });
  });

  it('has a context of its own for each, so that two may be attached at once', () => {
    const contexts = racks.map(({ context }) => context);

    expect(new Set(contexts).size).toBe(contexts.length);
  });
});
