import { z } from 'zod';
import { imageName, type Target } from '../engine/build.ts';
import type { Docker } from '../engine/docker.ts';
import type { EngineAccess } from '../engine/engine.ts';

/** What layers of our images hold, from below to above. */
const layerKinds = ['debian', 'node', 'packages', 'bundle', 'other'] as const;

export type LayerKind = (typeof layerKinds)[number];

const Step = z.object({ CreatedBy: z.string(), Size: z.coerce.number() });

/** Bytes of each kind, on the disk of the engine. */
export async function layersOf(
  docker: Docker,
  access: EngineAccess,
  image: Target,
): Promise<Record<LayerKind, number>> {
  const name = imageName(access, image, 'amd64');
  const format = ['--no-trunc', '--human=false', '--format', '{{json .}}'];
  const lines = (await docker(['history', ...format, name])).split('\n');
  const sizes = { debian: 0, node: 0, packages: 0, bundle: 0, other: 0 };
  for (const line of lines) {
    const { CreatedBy, Size } = Step.parse(JSON.parse(line));
    sizes[kindOf(CreatedBy)] += Size;
  }
  return sizes;
}

function kindOf(step: string): LayerKind {
  if (/^debian of /.test(step)) return 'debian';
  if (/^node of /.test(step)) return 'node';
  if (/apt-get install/.test(step)) return 'packages';
  return /^COPY .*\/out\/bundle\//.test(step) ? 'bundle' : 'other';
}
