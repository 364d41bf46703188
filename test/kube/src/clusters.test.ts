import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readRack } from '@skolo/rack';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { kubeFolder, rackNames } from './kustomize.ts';

const Port = z.int().min(1024).max(65_535);

/** The shape of the original's, so that its readers understand it: which clusters there are, and how each is reached. */
const Clusters = z.strictObject({
  gitdir: z.string().min(1),
  repo: z.url(),
  clusters: z.record(
    z.string(),
    z.discriminatedUnion('type', [
      z.strictObject({
        type: z.literal('k3s'),
        context_name: z.string().min(1),
        jumphost: z.string().min(1),
        port: Port,
      }),
      z.strictObject({
        type: z.literal('gke'),
        context_name: z.string().min(1),
        zone: z.string().min(1),
        project: z.string().min(1),
      }),
    ]),
  ),
});

const config = Clusters.parse(
  JSON.parse(readFileSync(join(kubeFolder, 'clusters', 'config.json'), 'utf8')),
);
const racks = Object.entries(config.clusters).flatMap(([name, cluster]) =>
  cluster.type === 'k3s' ? [{ name, ...cluster }] : [],
);

describe('clusters/config.json', () => {
  it('has the racks that have an overlay, and no others', () => {
    expect(racks.map(({ name }) => name).sort()).toEqual(rackNames());
  });

  it.each(racks)('knows $name as its rack.yaml does', async ({ name, jumphost }) => {
    const rack = await readRack(join(kubeFolder, 'racks', name, 'rack.yaml'));

    expect({ name: rack.name, jumphost: rack.jumphost.name }).toEqual({ name, jumphost });
  });

  it('has a port and a context of its own for each, so that two may be attached at once', () => {
    const ports = racks.map(({ port }) => port);
    const contexts = Object.values(config.clusters).map((cluster) => cluster.context_name);

    expect(new Set(ports).size).toBe(ports.length);
    expect(new Set(contexts).size).toBe(contexts.length);
  });
});
