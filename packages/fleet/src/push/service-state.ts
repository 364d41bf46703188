/**
 * Decides whether a service works after a push, from what it reports in addition to the state of its pods: its version, and degraded
 * parts. A service stays ready while its token server is unreachable, but a push that causes this has failed.
 */
import { Readiness } from '@skolo/api/probes';
import { errorText, inParallel, parseJson, pause } from '@skolo/base';
import { serviceNames, servicePorts } from '@skolo/rack/light';
import { FleetError } from '../errors.ts';
import { versionIn } from '../images/image-content.ts';
import { parseImage } from '../images/registry.ts';
import { isRejected } from '../way/kubectl.ts';
import { type KubeObject, templateOf, titleOf } from './objects.ts';
import { getFromPod, type PodPort } from './pod-proxy.ts';
import type { Rack } from './rack.ts';

export interface ServiceState {
  pod: string;
  version: string | undefined;
  degraded: { what: string; why: string }[];
}

export interface ServiceDeps {
  rack: Rack;
  times: { pollMs: number; readyMs: number };
  signal: AbortSignal;
  report(text: string): void;
}

/** Maximum number of one workload's pods that are queried at the same time, and in total. */
const atOnce = 5;
const mostPods = 20;

/** Names of the pods of a workload that are ready. */
type Pods = () => Promise<readonly string[]>;

/**
 * What a service reports before it is changed.
 *
 * @returns undefined: the workload is not one of our services, or its pods cannot be queried
 */
export async function stateBefore(
  workload: KubeObject,
  pods: Pods,
  deps: ServiceDeps,
): Promise<ServiceState[] | undefined> {
  if (serviceOf(workload) === undefined) return undefined;
  try {
    return await askService(workload, await pods(), deps);
  } catch (error) {
    mustBeKnown(error, deps.signal);
    deps.report(
      `${titleOf(workload)}: checking only the pods, because the service does not report its state: ${errorText(error)}`,
    );
    return undefined;
  }
}

/** Canaries of the agent count as agents. */
function serviceOf(workload: KubeObject) {
  const name = templateOf(workload).metadata.labels['app.kubernetes.io/name'];
  return serviceNames.find((service) => name === service || name === `${service}-canary`);
}

/** @throws An error that has nothing to do with the service. */
function mustBeKnown(error: unknown, signal: AbortSignal): void {
  signal.throwIfAborted();
  if (isRejected(error, 'Unreachable')) throw error;
}

async function askService(
  workload: KubeObject,
  pods: readonly string[],
  { rack }: ServiceDeps,
): Promise<ServiceState[]> {
  const service = serviceOf(workload);
  if (service === undefined) return [];
  const { namespace = '' } = workload.metadata;
  const { metricsPort } = servicePorts[service];
  const states = await inParallel(pods.slice(0, mostPods), atOnce, (pod) =>
    askPod({ namespace, pod, metricsPort }, rack),
  );
  if (service !== 'swarming-client') return states;
  // Its degraded parts are phones, which become unhealthy independently; Prometheus counts them before and after.
  return states.map((state) => ({ ...state, degraded: [] }));
}

async function askPod(port: PodPort, rack: Rack): Promise<ServiceState> {
  const metrics = await getFromPod(port, 'metrics', rack);
  const readiness = parseJson(await getFromPod(port, 'readyz', rack));
  return {
    pod: port.pod,
    version: /^skolo_build_info\{[^}]*\bversion="([^"]*)"/m.exec(metrics)?.[1],
    degraded: Readiness.safeParse(readiness).data?.degraded ?? [],
  };
}

/**
 * The problems of a service after a change (pure).
 *
 * @param before empty: no pod of it was ready, and nothing is compared
 * @param expected the version in its image's label; undefined: it has none
 */
export function faultsOf(
  before: readonly ServiceState[],
  after: readonly ServiceState[],
  expected: string | undefined,
): string[] {
  const known = new Set(before.flatMap(({ degraded }) => degraded.map(({ what }) => what)));
  const isNew = (what: string) => before.length > 0 && !known.has(what);
  const faults = after.flatMap(({ pod, version, degraded }) => [
    ...(expected !== undefined && version !== expected
      ? [`${pod} reports version ${version}, but the image contains version ${expected}`]
      : []),
    ...degraded.filter(({ what }) => isNew(what)).map(({ what, why }) => `${what}: ${why}`),
  ]);
  return [...new Set(faults)];
}

/**
 * Waits until a service reports its image's version, and no part is degraded that was not degraded before.
 *
 * @param before undefined: it could not be queried, and is not queried now
 * @param pods their names now
 * @throws FleetError
 */
export async function untilServiceIsWell(
  workload: KubeObject,
  before: readonly ServiceState[] | undefined,
  pods: Pods,
  deps: ServiceDeps,
): Promise<void> {
  if (before === undefined) return;
  const { times, signal, report } = deps;
  const title = titleOf(workload);
  const expected = await expectedVersion(workload, signal);
  const start = performance.now();
  for (;;) {
    const faults: string[] = [];
    try {
      const after = await askService(workload, await pods(), deps);
      faults.push(...faultsOf(before, after, expected));
      if (faults.length === 0) {
        if (after.length === 0)
          return report(`${title}: not checked further, because no pod is ready`);
        const versions = new Set(after.flatMap(({ version }) => version ?? []));
        return report(
          `${title} reports that it is healthy and runs version ${[...versions].join(', ')}`,
        );
      }
    } catch (error) {
      mustBeKnown(error, signal);
      faults.push(`no longer reports its state: ${errorText(error)}`);
    }
    if (performance.now() - start > times.readyMs) {
      throw new FleetError(`${title}: ${faults.join('; ')}`);
    }
    await pause(times.pollMs, signal);
  }
}

/** The version in its image's label. If the registry is unreachable, the version is unknown. */
async function expectedVersion(
  workload: KubeObject,
  signal: AbortSignal,
): Promise<string | undefined> {
  const [container] = templateOf(workload).spec.containers;
  const image = parseImage(container?.image ?? '');
  if (image === undefined) return undefined;
  return await versionIn(image, signal).catch(() => {
    signal.throwIfAborted();
    return undefined;
  });
}
