/** `npm run bench -w test/images`: what images weigh, what a service needs to start, as a process, in a container and as a pod, on amd64, and the command. */

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  type Bench,
  bundleOf,
  inRounds,
  lower,
  NotRun,
  runBenches,
  startService,
} from '@skolo/bench';
import { serviceNames } from '@skolo/rack';
import { peer, whyNoRealNodes } from '@skolo/simulators';
import { bundle } from '../bundles.ts';
import { baseName } from '../engine/base.ts';
import { openBuilder, targets } from '../engine/build.ts';
import { useDocker } from '../engine/docker.ts';
import { openEngine } from '../engine/engine.ts';
import { rackOfOne } from '../engine/rack-of-one.ts';
import { allWorkloads, startRackOnNodes } from '../engine/rack-on-nodes.ts';
import { startRelay } from '../engine/relay.ts';
import { root } from '../paths.ts';
import { type ColdStart, coldStartOfFallback, coldStartOfNodes } from './cold-start.ts';
import { type LayerKind, layersOf } from './layers.ts';
import { measurePod, type PodStart } from './pods.ts';
import { measureStarts, type Start, type StartsOptions } from './starts.ts';

const run = promisify(execFile);
const rounds = 5;
const opened: { close(): Promise<void> }[] = [];

/** An engine with all images, for the first bench that asks. */
const prepared: () => Promise<StartsOptions> = once(async () => {
  if (peer('mmdebstrap') === undefined) throw new NotRun('mmdebstrap is not installed');
  const engine = await openEngine();
  if (typeof engine === 'string') throw new NotRun(engine);
  opened.push(engine);
  const { access } = engine;
  await bundle(join(root, 'out/bundle'));
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
  const bench = (name: string, kinds: readonly LayerKind[]) =>
    lower(`${name}-${image}`, 'MB', async () => {
      const sizes = await layers();
      return { figure: kinds.reduce((sum, kind) => sum + sizes[kind], 0) / megabyte };
    });
  return [
    bench('image', ['debian', 'node', 'packages', 'bundle', 'other']),
    bench('layer-packages', ['packages']),
    bench('layer-bundle', ['bundle']),
  ];
});

/** The same in all images. */
const shared = (['debian', 'node'] as const).map((kind) =>
  lower(`layer-${kind}`, 'MB', async () => {
    const { docker, access } = await prepared();
    const sizes = await layersOf(docker, access, 'alert-to-pubsub');
    return { figure: sizes[kind] / megabyte };
  }),
);

const starts = serviceNames.flatMap((service): Bench[] => {
  const measured = once(async () => measureStarts(service, await prepared()));
  const bench = (name: string, unit: string, field: keyof Start) =>
    lower(`${name}-${service}`, unit, async () => ({ figure: (await measured())[field] }));
  return [
    bench('start', 'ms', 'readyMs'),
    bench('stop', 'ms', 'stopMs'),
    bench('rss', 'MiB', 'resident'),
    bench('memory', 'MiB', 'workingSet'),
  ];
});

function requireRealNodes(): void {
  const why = whyNoRealNodes();
  if (why) throw new NotRun(why);
}

const rackOnNodes = once(async () => {
  requireRealNodes();
  const rack = await startRackOnNodes((await prepared()).access, allWorkloads);
  opened.push(rack);
  return rack;
});

/** As pods of rack4, with kubelet's probes. */
const pods = allWorkloads.flatMap((workload): Bench[] => {
  const measured = once(async () => measurePod(await rackOnNodes(), workload));
  const bench = (name: string, unit: string, field: keyof PodStart) =>
    lower(`${name}-${workload}`, unit, async () => ({ figure: (await measured())[field] }));
  return [bench('pod-start', 's', 'readySeconds'), bench('pod-memory', 'MiB', 'workingSet')];
});

const ofNodes = once(async () => {
  requireRealNodes();
  return await coldStartOfNodes((await prepared()).access);
});
const coldStart = (field: keyof ColdStart) =>
  lower(`cold-start-${field}`, 's', async () => ({ figure: (await ofNodes())[field] }));
const coldStarts: Bench[] = [
  coldStart('token'),
  coldStart('pods'),
  lower('cold-start-fallback', 's', async () => {
    const nspawn = peer('systemd-nspawn');
    if (nspawn === undefined) throw new NotRun('systemd-nspawn is not installed');
    return { figure: await coldStartOfFallback(nspawn) };
  }),
];

/** From the workstation: `skolo --help`. */
const startOfCommand = lower('start-skolo', 'ms', async () => {
  const kubectl = peer('kubectl');
  const dir = await mkdtemp(join(tmpdir(), 'skolo-start-'));
  try {
    await bundle(dir, ['cli']);
    const bin = join(dir, 'cli/opt/skolo/packages/cli/bin/skolo.js');
    const ours = { figure: () => msOf(process.execPath, [bin, '--help']) };
    if (kubectl === undefined) {
      const { figure, ...against } = await inRounds(20, ours);
      return { figure, against, notRun: { kubectl: 'it is not installed' } };
    }
    const { figure, ...against } = await inRounds(20, {
      ...ours,
      'kubectl version --client': () => msOf(kubectl, ['version', '--client']),
    });
    return { figure, against };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});

async function msOf(program: string, args: readonly string[]): Promise<number> {
  const began = performance.now();
  await run(program, args);
  return performance.now() - began;
}

/** Until it listens, without a container. */
const startsOfBundles = serviceNames
  .filter((service) => service !== 'swarming-client')
  .map((service) =>
    lower(`start-bundle-${service}`, 'ms', async () => {
      const dir = await mkdtemp(join(tmpdir(), 'skolo-start-'));
      try {
        const rackFile = join(dir, 'rack.yaml');
        await writeFile(rackFile, rackOfOne);
        await bundleOf(service);
        const started = (env: Record<string, string>) => async () => {
          const stateDir = join(dir, 'state');
          const began = performance.now();
          const server = await startService(service, { rackFile, stateDir, env, onAllCores: true });
          const ms = performance.now() - began;
          await server.stop();
          return ms;
        };
        const { figure, ...against } = await inRounds(20, {
          figure: started({ NODE_DISABLE_COMPILE_CACHE: '1' }),
          'with a compile cache': started({ NODE_COMPILE_CACHE: join(dir, 'cache') }),
        });
        return { figure, against };
      } finally {
        await rm(dir, { recursive: true, force: true });
      }
    }),
  );

const benches = [
  startOfCommand,
  ...startsOfBundles,
  ...shared,
  ...sizes,
  ...starts,
  ...pods,
  ...coldStarts,
];

try {
  process.exitCode = await runBenches(benches, process.argv.slice(2));
} finally {
  for (const one of opened.reverse()) await one.close();
}
