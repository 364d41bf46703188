/** What the DaemonSet of the agents has from rack.yaml: how long a task may go on, and where bots are. */
import { swarmingSettings } from '../overrides.ts';
import type { Rack } from '../rack.ts';
import type { DerivedFile } from './derived-file.ts';

/** Beyond the grace of a task: the bot hands in its results, the agent ends, and the kubelet is in no hurry. */
const extraSeconds = 150;

/** Also for the canary. Settings of single machines count, too: a DaemonSet has one pod for all. */
export function swarmingClientPatch(rack: Rack): DerivedFile {
  const settings = [
    rack.services['swarming-client'],
    ...[...rack.machines.values()].map((machine) => swarmingSettings(rack, machine)),
  ];
  const grace = Math.max(...settings.map(({ taskGraceSeconds }) => taskGraceSeconds));
  const folders = [...new Set(settings.map(({ botDir }) => botDir))].sort();
  const volumes = folders.map((path, i) => ({ name: i === 0 ? 'bot' : `bot-${i + 1}`, path }));
  return {
    name: 'swarming-client.yaml',
    about: `How long a task may go on after SIGTERM (the longest of all machines, and ${extraSeconds} s), and the folders of bots.`,
    objects: [
      {
        apiVersion: 'apps/v1',
        kind: 'DaemonSet',
        metadata: { name: 'swarming-client' },
        spec: {
          template: {
            spec: {
              terminationGracePeriodSeconds: grace + extraSeconds,
              containers: [
                {
                  name: 'swarming-client',
                  volumeMounts: volumes.map(({ name, path }) => ({ name, mountPath: path })),
                },
              ],
              volumes: volumes.map(({ name, path }) => ({
                name,
                hostPath: { path, type: 'DirectoryOrCreate' },
              })),
            },
          },
        },
      },
    ],
    use: { kind: 'DaemonSet', labelSelector: 'app.kubernetes.io/name=swarming-client' },
  };
}
