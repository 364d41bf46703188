/** `npm run bench:images [-- --json] [-- --only NAME]`: what images weigh, and what a service needs to start, on amd64. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Bench, NotRun, runBenches } from '@skolo/bench';
import { serviceNames } from '@skolo/rack';
import { peer } from '@skolo/simulators';
import { baseName } from '../engine/base.ts';
import { openBuilder, targets } from '../engine/build.ts';
import { useDocker } from '../engine/docker.ts';
import { openEngine } from '../engine/engine.ts';
import { rackOfOne } from '../engine/rack-of-one.ts';
import { startRelay } from '../engine/relay.ts';
import { type LayerKind, layersOf } from './layers.ts';
import { measureStarts, type Start, type StartsOptions } from './starts.ts';

const rounds = 5;
const opened: { close(): Promise<void> }[] = [];

/** An engine with all images, for the first bench that asks. */
const prepared: () => Promise<StartsOptions> = once(async () => {
  if (peer('mmdebstrap') === undefined) throw new NotRun('mmdebstrap is not installed');
  const engine = await openEngine();
  if (typeof engine === 'string') throw new NotRun(engine);
  opened.push(engine);
  const { access } = engine;
  const builder = await openBuilder(access, 'amd64');
  try {
    await builder.build(targets);
  } finally {
    await builder.close();
  }
  const docker = useDocker(access);
  const etc = join(access.dir, 'etc');
  await mkdir(etc);
  await writeFile(join(etc, 'rack.yaml'), rackOfOne);
  const network = ['--network', 'bridge'];
  const relay = await startRelay({ docker, image: baseName('amd64'), dir: access.dir, network });
  opened.push(relay);
  return { access, docker, relay, etc, rounds };
});

function once<Result>(make: () => Promise<Result>): () => Promise<Result> {
  let made: Promise<Result> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

const megabyte = 1e6;

const sizes = targets.flatMap((image): Bench[] => {
  const layers = once(async () => {
    const { docker, access } = await prepared();
    return layersOf(docker, access, image);
  });
  const bench = (name: string, kinds: readonly LayerKind[]): Bench => ({
    name: `${name}-${image}`,
    unit: 'MB',
    better: 'lower',
    async measure() {
      const sizes = await layers();
      return { figure: kinds.reduce((sum, kind) => sum + sizes[kind], 0) / megabyte };
    },
  });
  return [
    bench('image', ['debian', 'node', 'packages', 'bundle', 'other']),
    bench('layer-packages', ['packages']),
    bench('layer-bundle', ['bundle']),
  ];
});

/** The same in all images. */
const shared = (['debian', 'node'] as const).map(
  (kind): Bench => ({
    name: `layer-${kind}`,
    unit: 'MB',
    better: 'lower',
    async measure() {
      const { docker, access } = await prepared();
      const sizes = await layersOf(docker, access, 'alert-to-pubsub');
      return { figure: sizes[kind] / megabyte };
    },
  }),
);

const starts = serviceNames.flatMap((service): Bench[] => {
  const measured = once(async () => measureStarts(service, await prepared()));
  const bench = (name: string, unit: string, field: keyof Start): Bench => ({
    name: `${name}-${service}`,
    unit,
    better: 'lower',
    measure: async () => ({ figure: (await measured())[field] }),
  });
  return [
    bench('start', 'ms', 'readyMs'),
    bench('stop', 'ms', 'stopMs'),
    bench('rss', 'MiB', 'resident'),
    bench('memory', 'MiB', 'workingSet'),
  ];
});

try {
  process.exitCode = await runBenches([...shared, ...sizes, ...starts], process.argv.slice(2));
} finally {
  for (const one of opened.reverse()) await one.close();
}
