/** A changed rack.yaml or secret arrives without a restart, and is where the service looks. */
import { serviceNames } from '@skolo/rack';
import { containersOf, type Manifest, type Workload, workloadsOf } from '../manifest.ts';

const readers = serviceNames.filter((name) => name !== 'swarming-client');

/** A file that is mounted by subPath never changes; rack.yaml and its secrets are one volume. */
export function liveConfigurationProblems(objects: readonly Manifest[]): string[] {
  return workloadsOf(objects).flatMap((workload) => [
    ...subPathProblems(workload),
    ...(readers.some((name) => name === workload.name) ? volumeProblems(workload) : []),
  ]);
}

function subPathProblems(workload: Workload): string[] {
  const fixed = new Set(
    workload.pod.volumes
      .filter(({ configMap, secret, projected }) => configMap ?? secret ?? projected)
      .map(({ name }) => name),
  );
  return containersOf(workload).flatMap(({ volumeMounts }) =>
    volumeMounts
      .filter(({ name, subPath }) => subPath !== undefined && fixed.has(name))
      .map(
        ({ name }) => `${workload.title}: ${name} is mounted by subPath, and would never change`,
      ),
  );
}

function volumeProblems({ title, name, pod }: Workload): string[] {
  const sources =
    pod.volumes.find((volume) => volume.name === 'etc-skolo')?.projected?.sources ?? [];
  const mounted = pod.containers.some(({ volumeMounts }) =>
    volumeMounts.some((mount) => mount.name === 'etc-skolo' && mount.mountPath === '/etc/skolo'),
  );
  const strangers = sources.filter(({ secret }) => secret && secret.name !== name);
  return [
    ...(mounted && sources.some(({ configMap }) => configMap?.name === 'rack')
      ? []
      : [`${title}: does not see rack.yaml in /etc/skolo`]),
    ...strangers.map(
      ({ secret }) => `${title}: sees the Secret ${secret?.name}, which is not its own`,
    ),
  ];
}
