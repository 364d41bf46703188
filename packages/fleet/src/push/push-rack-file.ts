/**
 * Pushes only rack.yaml: applies its ConfigMaps, then waits until each service reports that it is active, or restores the previous one.
 * A kubelet refreshes the files of a ConfigMap immediately when an annotation of the pod changes, and services load them within two
 * seconds.
 */
import { Readiness } from '@skolo/api/probes';
import { errorText, parseJson, pause } from '@skolo/base';
import { parseRack, type Rack as RackYaml } from '@skolo/rack';
import { jumphostServices, servicePorts } from '@skolo/rack/light';
import { z } from 'zod';
import { FleetError } from '../errors.ts';
import type { KubeObject } from './objects.ts';
import type { RackPlan } from './plan.ts';
import { getFromPod, type PodPort } from './pod-proxy.ts';
import { applyObjects, getObjects } from './rack.ts';
import type { ServiceDeps } from './service-state.ts';

interface RackFileDeps extends ServiceDeps {
  /** Of the ConfigMaps alone. */
  plan: RackPlan;
  now(): number;
}

/** The ConfigMaps with rack.yaml, among the objects of an overlay. */
export function isRackFile({ kind, metadata }: KubeObject): boolean {
  return kind === 'ConfigMap' && metadata.name === 'rack';
}

const RackFile = z.object({ data: z.object({ 'rack.yaml': z.string() }) });

/** The text of such a ConfigMap; undefined: it has none. */
export function rackTextIn(object: KubeObject): string | undefined {
  return RackFile.safeParse(object).data?.data['rack.yaml'];
}

/** @param file rack.yaml, for messages @throws RackError rack.yaml has errors. */
export function rackIn(object: KubeObject, file = 'rack.yaml'): RackYaml {
  return parseRack(rackTextIn(object) ?? '', { file });
}

interface Reader extends PodPort {
  service: string;
}

interface Active {
  /** The time at which it became active, in seconds; undefined: it has not read any. */
  since: number | undefined;
  isNewest: boolean;
}

/**
 * Applies the file and waits until it is active in every service. Otherwise it restores the previous one.
 *
 * @throws FleetError A service rejects it, or does not report that it is active.
 */
export async function pushRackFile(deps: RackFileDeps): Promise<void> {
  const { plan, report } = deps;
  const readers = await readersOf(deps);
  if (readers.length === 0) throw new FleetError('no service that reads rack.yaml is running');
  const before = new Map<Reader, Active>();
  for (const reader of readers) before.set(reader, await ask(reader, deps));
  const previous = plan.objects.flatMap((each) => (each.before ? [each.before] : []));
  try {
    await bring(
      plan.objects.map(({ wanted }) => wanted),
      readers,
      deps,
    );
    await untilActive(before, deps);
  } catch (error) {
    deps.signal.throwIfAborted();
    report(errorText(error));
    report('restoring the previous rack.yaml');
    await bring(previous, readers, deps);
    throw error;
  }
}

async function bring(
  objects: readonly KubeObject[],
  readers: readonly Reader[],
  { rack, now }: RackFileDeps,
): Promise<void> {
  await applyObjects(rack, objects);
  for (const [namespace, all] of Map.groupBy(readers, (reader) => reader.namespace)) {
    const names = all.map(({ pod }) => pod);
    const mark = `skolo/rack-pushed=${new Date(now()).toISOString()}`;
    const args = ['annotate', 'pods', '-n', namespace, ...names, '--overwrite', mark];
    await rack.kubectl(args);
  }
}

async function readersOf({ rack }: RackFileDeps): Promise<Reader[]> {
  const label = `app.kubernetes.io/name in (${jumphostServices.join(',')})`;
  return (await getObjects(rack, ['pods', '-A', '-l', label])).flatMap(({ metadata }) => {
    const { name: pod, namespace = '', labels = {} } = metadata;
    const service = jumphostServices.find((each) => each === labels['app.kubernetes.io/name']);
    if (service === undefined || metadata.deletionTimestamp !== undefined) return [];
    return [{ service, namespace, pod, metricsPort: servicePorts[service].metricsPort }];
  });
}

async function untilActive(before: ReadonlyMap<Reader, Active>, deps: RackFileDeps): Promise<void> {
  const { times, signal, report } = deps;
  const start = performance.now();
  const left = new Map(before);
  while (left.size > 0) {
    for (const [reader, was] of left) {
      const is = await ask(reader, deps);
      // A service may have rejected the file before this one.
      if (!is.isNewest && was.isNewest) throw new FleetError(await rejection(reader, deps));
      if (is.since === undefined || is.since === was.since) continue;
      report(`active in ${reader.service}`);
      left.delete(reader);
    }
    if (left.size > 0 && performance.now() - start > times.readyMs) {
      const names = [...left.keys()].map(({ service }) => service).join(', ');
      throw new FleetError(`rack.yaml is not active in ${names} after ${times.readyMs / 1000} s`);
    }
    if (left.size > 0) await pause(times.pollMs, signal);
  }
}

async function ask(reader: Reader, deps: RackFileDeps): Promise<Active> {
  return readActive(await getFromPod(reader, 'metrics', deps.rack));
}

/** @param metrics of a service, as Prometheus reads them */
export function readActive(metrics: string): Active {
  const value = (name: string) => {
    const text = new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(metrics)?.[1];
    return text === undefined ? undefined : Number(text);
  };
  return {
    since: value('skolo_rack_reload_success_timestamp_seconds'),
    isNewest: value('skolo_rack_reload_success') !== 0,
  };
}

async function rejection(reader: Reader, { rack }: RackFileDeps): Promise<string> {
  const text = await getFromPod(reader, 'readyz', rack).catch(() => '');
  const { degraded = [] } = Readiness.safeParse(parseJson(text)).data ?? {};
  const whys = degraded.filter(({ what }) => what.startsWith('rack')).map(({ why }) => why);
  return `${reader.service} rejects rack.yaml${whys.length > 0 ? `: ${whys.join('; ')}` : ''}`;
}
