/** Every container sets its requests and limits. */
import { containersOf, type Manifest, workloadsOf } from '../manifest.ts';
import { type Exception, exceptions, withoutExceptions } from './exceptions.ts';

/** Requests of both kinds and a limit of memory; no limit of CPU, which only makes a slow Pi slower. */
export function resourceProblems(
  objects: readonly Manifest[],
  allowed: readonly Exception[] = exceptions,
): string[] {
  return withoutExceptions(
    workloadsOf(objects).flatMap((workload) =>
      containersOf(workload).flatMap(({ resources: { requests = {}, limits = {} } }) => {
        const found = [];
        if (requests.cpu === undefined) found.push('no CPU request');
        if (requests.memory === undefined) found.push('no memory request');
        if (limits.memory === undefined) found.push('no memory limit');
        if (limits.cpu !== undefined) found.push('a CPU limit');
        return found.map((what) => ({ title: workload.title, name: workload.name, what }));
      }),
    ),
    allowed,
  );
}

/** A pod's use of the node's disk is limited: every emptyDir has a sizeLimit. */
export function emptyDirProblems(objects: readonly Manifest[]): string[] {
  return workloadsOf(objects).flatMap(({ title, pod }) =>
    pod.volumes
      .filter(({ emptyDir }) => emptyDir && emptyDir.sizeLimit === undefined)
      .map(({ name }) => `${title}: the emptyDir ${name} has no sizeLimit`),
  );
}
