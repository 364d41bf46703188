/** The kubelet asks every container whether it lives and may be asked, and gives it time to stop. */
import { serviceNames } from '@skolo/rack';
import { containersOf, isEndless, type Manifest, type Workload, workloadsOf } from '../manifest.ts';

/** Probes of all; those of our services are on the metrics port, by the paths that they have. */
export function probeProblems(objects: readonly Manifest[]): string[] {
  return workloadsOf(objects)
    .filter(isEndless)
    .flatMap((workload) =>
      workload.pod.containers.flatMap((container) => {
        const { name, livenessProbe, readinessProbe, startupProbe } = container;
        const wanted = [
          { what: 'liveness', probe: livenessProbe, path: '/healthz', required: true },
          { what: 'readiness', probe: readinessProbe, path: '/readyz', required: true },
          { what: 'startup', probe: startupProbe, path: '/healthz', required: isOurs(workload) },
        ];
        return wanted.flatMap(({ what, probe, path, required }) => {
          const where = `${workload.title}: ${name}:`;
          if (!probe) return required ? [`${where} no ${what} probe`] : [];
          const { port } = probe.httpGet ?? {};
          const problems = [];
          if (typeof port === 'string' && !container.ports.some((each) => each.name === port)) {
            problems.push(
              `${where} its ${what} probe asks the port ${port}, which it does not have`,
            );
          }
          if (isOurs(workload) && (port !== 'metrics' || probe.httpGet?.path !== path)) {
            problems.push(`${where} its ${what} probe does not ask ${path} on the port metrics`);
          }
          return problems;
        });
      }),
    );
}

/** Whether a workload is one of the five services, or the canary of one. */
function isOurs({ name }: Pick<Workload, 'name'>): boolean {
  return serviceNames.some((service) => name === service || name === `${service}-canary`);
}

/** The end of a failing container's log is in its pod's status, where the gate of a push quotes it. */
export function messageProblems(objects: readonly Manifest[]): string[] {
  return workloadsOf(objects).flatMap((workload) =>
    containersOf(workload)
      .filter((container) => container.terminationMessagePolicy !== 'FallbackToLogsOnError')
      .map(({ name }) => `${workload.title}: ${name}: no terminationMessagePolicy`),
  );
}
