/** docker-bake.hcl, as buildx reads it: what would be built. Nothing is built here, and no engine is needed. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '@skolo/base/testing';
import { serviceNames } from '@skolo/rack';
import { peer } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { root } from './paths.ts';

const images = [...serviceNames, 'cli', 'chrony'].sort();
/** Machines with arm/v7 run the agent, and people run the command there. */
const onMachines = ['cli', 'swarming-client'];
const groups = [
  { group: 'amd64', platform: 'linux/amd64', members: images },
  { group: 'arm64', platform: 'linux/arm64', members: images },
  { group: 'armv7', platform: 'linux/arm/v7', members: onMachines },
];

const Plan = z.object({
  target: z.record(
    z.string(),
    z.object({
      target: z.string(),
      dockerfile: z.string(),
      platforms: z.array(z.string()),
      tags: z.array(z.string()),
      labels: z.record(z.string(), z.string()),
      args: z.record(z.string(), z.string()),
      attest: z.array(z.string()).optional(),
    }),
  ),
});

/** Groups or targets as they would be built, by their names. */
async function plan(buildx: string, names: string[], env: Record<string, string> = {}) {
  const { stdout } = await run(buildx, ['bake', '--print', ...names], {
    cwd: root,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
  });
  return Plan.parse(JSON.parse(stdout)).target;
}

describe('docker-bake.hcl', () => {
  it('has stages of the Dockerfile, each of them', async ({ skip }) => {
    const buildx = peer('buildx');
    if (!buildx) return skip('buildx is not installed');
    const dockerfile = await readFile(join(root, 'Dockerfile'), 'utf8');
    const stages = dockerfile
      .split(/^(?=FROM )/m)
      .filter((stage) => stage.includes('\nENTRYPOINT '))
      .map((stage) => stage.match(/^FROM .* AS (\S+)/)?.[1]);

    const targets = await plan(buildx, []);

    expect(
      Object.values(targets)
        .map(({ target }) => target)
        .sort(),
    ).toEqual(stages.sort());
  });

  it('builds all images for all their platforms, with provenance and SBOM', async ({ skip }) => {
    const buildx = peer('buildx');
    if (!buildx) return skip('buildx is not installed');

    const targets = await plan(buildx, []);

    expect(Object.keys(targets).sort()).toEqual(images);
    for (const [name, target] of Object.entries(targets)) {
      expect(target).toMatchObject({
        target: name,
        tags: [`skolo/${name}:dev`],
        platforms: groups
          .filter(({ members }) => members.includes(name))
          .map(({ platform }) => platform),
        attest: ['type=provenance,mode=max', 'type=sbom'],
        args: { BASE: 'node:24-bookworm-slim', BASE_ARMV7: 'node:22-bookworm-slim' },
      });
    }
  });

  it('has a group for each platform, for any builder', async ({ skip }) => {
    const buildx = peer('buildx');
    if (!buildx) return skip('buildx is not installed');

    for (const { group, platform, members } of groups) {
      const targets = await plan(buildx, [group]);
      expect(Object.keys(targets).sort()).toEqual(members.map((name) => `${name}-${group}`));
      for (const target of Object.values(targets)) {
        expect(target).toMatchObject({
          platforms: [platform],
          tags: [`skolo/${target.target}:dev`],
        });
        expect(target.attest).toBeUndefined();
      }
    }
  });

  it('takes settings of site and build from the environment', async ({ skip }) => {
    const buildx = peer('buildx');
    if (!buildx) return skip('buildx is not installed');
    const env = {
      PREFIX: 'registry.example:5000/skolo/',
      TAG: '0.1.0-4-gabcdef0',
      BASE: 'registry.example:5000/node:24',
      BASE_ARMV7: 'registry.example:5000/node:22',
      BUNDLE: 'given',
      REVISION: 'abcdef0123456789',
      VERSION: '0.1.0-4-gabcdef0',
      CREATED: '2026-11-20T08:00:00Z',
      SOURCE: 'https://git.example/skolo',
      SOURCE_DATE_EPOCH: '1795161600',
    };

    const { cli } = await plan(buildx, ['cli'], env);

    expect(cli?.tags).toEqual(['registry.example:5000/skolo/cli:0.1.0-4-gabcdef0']);
    expect(cli?.args).toEqual({
      BASE: env.BASE,
      BASE_ARMV7: env.BASE_ARMV7,
      BUILD_BASE: env.BASE,
      BUNDLE: 'given',
      VERSION: env.VERSION,
      SOURCE_DATE_EPOCH: env.SOURCE_DATE_EPOCH,
    });
    expect(cli?.labels).toEqual({
      'org.opencontainers.image.title': 'skolo cli',
      'org.opencontainers.image.description': 'The skolo command',
      'org.opencontainers.image.licenses': 'Apache-2.0',
      'org.opencontainers.image.source': env.SOURCE,
      'org.opencontainers.image.revision': env.REVISION,
      'org.opencontainers.image.version': env.VERSION,
      'org.opencontainers.image.created': env.CREATED,
    });
  });

  it('has no label whose value was not given', async ({ skip }) => {
    const buildx = peer('buildx');
    if (!buildx) return skip('buildx is not installed');

    const { cli } = await plan(buildx, ['cli']);

    expect(Object.keys(cli?.labels ?? {}).sort()).toEqual(
      ['description', 'licenses', 'title'].map((name) => `org.opencontainers.image.${name}`),
    );
    expect(cli?.args).not.toHaveProperty('SOURCE_DATE_EPOCH');
  });
});
