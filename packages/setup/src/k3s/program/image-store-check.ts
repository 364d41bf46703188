/**
 * Decides which container images are damaged after a power cut, and repairs a node's images and pod networks, before containerd starts:
 * a unit and a script for a POSIX shell, with GNU tar.
 *
 * Without the settings in `image-store-settings.ts`, containerd keeps layers of empty files, and never unpacks a listed layer again. The
 * script removes such layers, with containers that use them, and the kubelet has them unpacked again from their blobs without a pull
 * (containerd, internal/cri/opts/container.go). It removes the image only if a blob is damaged, or if containerd does not remove the layer,
 * because it still lists a child that garbage collection has removed (containerd#11908). After a start of the computer no pull and no
 * container runs.
 *
 * CNI does not sync its files. If the cached result of a pod's network is empty, containerd cannot remove the pod's old sandbox, and kubelet
 * never makes a new one ("failed to get network cached result: unexpected end of JSON input").
 */
import { script, withVariables } from '@skolo/base';
import type { TextFile } from '@skolo/setup/engine';

const program = '/usr/local/sbin/skolo-image-store';
export const imageStoreUnit = 'skolo-image-store.service';

/** The paths of a containerd, and the unit that starts it. */
interface ContainerdPlace {
  store: string;
  /** Of its running containers. */
  state: string;
  /** Directory of its programs, unless they are in the PATH. */
  programs: string;
  units: string;
}

export const k3sPlace: ContainerdPlace = {
  store: '/var/lib/rancher/k3s/agent/containerd',
  state: '/run/k3s/containerd',
  programs: '/var/lib/rancher/k3s/data/current/bin',
  units: 'k3s-agent.service k3s.service',
};

export const debianPlace: ContainerdPlace = {
  store: '/var/lib/containerd',
  state: '/run/containerd',
  programs: '/usr/bin',
  units: 'containerd.service',
};

/**
 * `skolo-image-store check`; `clean` when the computer shuts down; `repair` makes the next start check all images, whatever was repaired
 * before. Tests run it with a different root.
 */
const check = script(new URL('./image-store.sh', import.meta.url));

export function nodeCheckFiles(place: ContainerdPlace): readonly TextFile[] {
  const content = withVariables(check, {
    containerd_store: place.store,
    containerd_state: place.state,
    containerd_programs: place.programs,
  });
  return [
    { path: program, content, mode: 0o755 },
    {
      path: `/etc/systemd/system/${imageStoreUnit}`,
      content: `# Written by skolo.
[Unit]
Description=skolo: repair images and pod networks damaged by a power cut
DefaultDependencies=no
Requires=sysinit.target
After=sysinit.target local-fs.target
Before=${place.units}
Conflicts=shutdown.target
Before=shutdown.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${program} check
ExecStop=${program} clean
TimeoutStartSec=15min
`,
      mode: 0o644,
    },
  ];
}
