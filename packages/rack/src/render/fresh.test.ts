import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { readRack } from '../read/load.ts';
import { compareDerived } from './derived-folder.ts';
import { renderDerived } from './render.ts';

const racks = fileURLToPath(new URL('../../../../kube/racks', import.meta.url));

const entries = await readdir(racks, { withFileTypes: true });
const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);

/** `npx skolo rack render --rack kube/racks/NAME/rack.yaml` makes them so again. */
it.for(names)('derived files of %s are as its rack.yaml wants them', async (name) => {
  const rack = await readRack(join(racks, name, 'rack.yaml'));

  const found = await compareDerived(join(racks, name, 'derived'), renderDerived(rack).files);

  expect(found).toEqual({ missing: [], stale: [], leftOver: [], foreign: [] });
});
