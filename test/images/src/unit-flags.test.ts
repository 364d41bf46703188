/** The systemd units start a service with the same flags of Node and V8 as its image (engine/images.test.ts asks the image). */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { bundles } from '../../../scripts/bundle/bundles.mjs';
import { root } from './paths.ts';

it.each(['metadata-server', 'power-cycle-daemon'])('skolo-%s.service', async (service) => {
  const unit = await readFile(join(root, `deploy/systemd/skolo-${service}.service`), 'utf8');
  const { nodeFlags = [] } = bundles.find(({ name }) => name === service) ?? {};

  const program = `/opt/skolo/services/${service}/dist/main.js`;
  expect(unit).toContain(`\nExecStart=/usr/bin/node ${nodeFlags.join(' ')} ${program} `);
});
