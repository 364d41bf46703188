import { run } from '@skolo/base/testing';
import { peer } from '@skolo/simulators';
import { expect, it } from 'vitest';
import { version } from '../bundles.ts';
import { root } from '../paths.ts';
import { baseName } from './base.ts';
import { theEngine } from './testing.ts';

it('docker buildx bake builds an image with its labels and tag', async ({ skip }) => {
  const { access, docker } = theEngine(skip);
  const buildx = peer('buildx');
  if (buildx === undefined) return skip('buildx is not installed');
  const revision = '0123456789abcdef0123456789abcdef01234567';
  const env = {
    ...process.env,
    DOCKER_HOST: access.host,
    DOCKER_CONFIG: access.configDir,
    PREFIX: `${access.prefix}/baked/`,
    TAG: version,
    BASE: baseName('amd64'),
    BUNDLE: 'given',
    REVISION: revision,
    VERSION: version,
    CREATED: '2026-11-20T00:00:00Z',
  };

  await run(buildx, ['bake', '--load', 'alert-to-pubsub-amd64'], { cwd: root, env });

  const image = `${access.prefix}/baked/alert-to-pubsub:${version}`;
  const labels = await docker(['inspect', '--format', '{{json .Config.Labels}}', image]);
  expect(JSON.parse(labels)).toEqual({
    'org.opencontainers.image.title': 'skolo alert-to-pubsub',
    'org.opencontainers.image.description': expect.stringContaining('Pub/Sub'),
    'org.opencontainers.image.licenses': 'Apache-2.0',
    'org.opencontainers.image.revision': revision,
    'org.opencontainers.image.version': version,
    'org.opencontainers.image.created': '2026-11-20T00:00:00Z',
  });
});
