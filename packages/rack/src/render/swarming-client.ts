/** Decides how long an agent's pod may take to stop, so that tasks finish, and mounts the directories of bots (patch of the DaemonSet). */
import { swarmingSettings } from '../rack/overrides.ts';
import type { Rack } from '../rack/rack.ts';
import { type DerivedFile, podPatch } from './derived-file.ts';

/** After a task's grace time, the bot uploads results and the agent exits. */
const extraSeconds = 150;

/** Also for the canary. Includes settings of single machines, because a DaemonSet has one template for all. */
export function swarmingClientPatch(rack: Rack): DerivedFile {
  const settings = [
    rack.services['swarming-client'],
    ...[...rack.machines.values()].map((machine) => swarmingSettings(rack, machine)),
  ];
  const grace = Math.max(...settings.map(({ taskGraceSeconds }) => taskGraceSeconds));
  const folders = [...new Set(settings.map(({ botDir }) => botDir))].sort();
  const volumes = folders.map((path, i) => ({ name: i === 0 ? 'bot' : `bot-${i + 1}`, path }));
  const volumeMounts = volumes.map(({ name, path }) => ({ name, mountPath: path }));
  const spec = {
    terminationGracePeriodSeconds: grace + extraSeconds,
    containers: [{ name: 'swarming-client', volumeMounts }],
    volumes: volumes.map(({ name, path }) => ({
      name,
      hostPath: { path, type: 'DirectoryOrCreate' },
    })),
  };
  return {
    name: 'swarming-client.yaml',
    about: `Time for tasks to finish after SIGTERM (the longest grace period of any machine, plus ${extraSeconds} s), and bot directories.`,
    objects: [podPatch('swarming-client', spec, 'DaemonSet')],
    use: { kind: 'DaemonSet', labelSelector: 'app.kubernetes.io/name=swarming-client' },
  };
}
