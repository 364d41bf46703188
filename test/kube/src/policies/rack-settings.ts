/** What pods have from rack.yaml by way of the derived files: time to stop, and the folders of bots. */
import { type Rack, serviceNames, swarmingSettings } from '@skolo/rack';
import { type Manifest, type Workload, workloadsOf } from '../manifest.ts';

/** Beyond `stopWithin`, for what comes before and after. */
const spareSeconds = 5;
/** Beyond the longest task. */
const agentSpareSeconds = 150;

/** The folders of bots in a rack. */
export function botFolders(rack: Rack): string[] {
  return [...new Set(allAgentSettings(rack).map(({ botDir }) => botDir))];
}

/** Pods have the time to stop that rack.yaml gives them, and the bot is on the host's disk. */
export function rackSettingsProblems(objects: readonly Manifest[], rack: Rack): string[] {
  return workloadsOf(objects).flatMap((workload) => {
    const service = serviceNames.find((name) => name === workload.name);
    if (workload.name.startsWith('swarming-client')) return agentProblems(workload, rack);
    return service === undefined
      ? []
      : graceProblems(workload, rack.services[service].stopWithin + spareSeconds);
  });
}

function agentProblems(workload: Workload, rack: Rack): string[] {
  const { title, spec, pod } = workload;
  const longest = Math.max(...allAgentSettings(rack).map((settings) => settings.taskGraceSeconds));
  const inParallel = spec.updateStrategy?.rollingUpdate?.maxUnavailable === '25%';
  const mounts = pod.containers.flatMap(({ volumeMounts }) => volumeMounts);
  const notOnHost = botFolders(rack).filter(
    (folder) =>
      !pod.volumes.some(
        ({ name, hostPath }) =>
          hostPath?.path === folder &&
          mounts.some((mount) => mount.name === name && mount.mountPath === folder),
      ),
  );
  return [
    ...graceProblems(workload, longest + agentSpareSeconds),
    ...(inParallel
      ? []
      : [`${title}: not a quarter of the machines drains at the same time; maxUnavailable: 25%`]),
    ...notOnHost.map((folder) => `${title}: ${folder} is not the host's`),
  ];
}

function graceProblems({ title, pod }: Workload, wanted: number): string[] {
  const given = pod.terminationGracePeriodSeconds ?? 30;
  return given >= wanted ? [] : [`${title}: is killed after ${given} s, and needs ${wanted} s`];
}

function allAgentSettings(rack: Rack) {
  return [
    rack.services['swarming-client'],
    ...[...rack.machines.values()].map((machine) => swarmingSettings(rack, machine)),
  ];
}
