/**
 * Settings that protect container images from power cuts. containerd lists an image when its own database is on the disk, not when the
 * image's files are. After a power cut within the next minute the files are empty. With these settings, containerd writes each layer to
 * the disk before it lists it.
 *
 * `sync_fs` of the diff service (containerd 2.0, containerd/containerd#10284) covers imports, and pulls that do not use the transfer
 * service. k3s disables that service for pulls with `use_local_image_pull` in its template. `image_pull_with_sync_fs` (1.7 and 2.0, #9401)
 * also disables it, in case k3s changes that.
 *
 * k3s contains containerd 2 since v1.31.6 and v1.32.2, and renders `config-v3.toml.tmpl` (docs.k3s.io, Configuring containerd). Its
 * base template contains a table `io.containerd.cri.v1.images`, and with a second one, containerd would not start (k3s-io/docs#566). So
 * that setting is in a file of `config-v3.toml.d`, which k3s imports since v1.36.0 (k3s-io/k3s#13680). containerd merges the tables.
 */
import {
  differingFiles,
  type Host,
  pendingMark,
  type Step,
  type TextFile,
  withLines,
  writeDiffering,
  writtenHead,
} from '@skolo/setup/engine';
import { k3sPlace, nodeCheckFiles } from './image-store-check.ts';
import { type Role, startMs, units } from './unit.ts';

const folder = '/var/lib/rancher/k3s/agent/etc/containerd';

const syncFs = `[plugins.'io.containerd.service.v1.diff-service']
  sync_fs = true
`;

const template: TextFile = {
  path: `${folder}/config-v3.toml.tmpl`,
  content: `${writtenHead}{{ template "base" . }}

${syncFs}`,
  mode: 0o644,
};

const dropIn: TextFile = {
  path: `${folder}/config-v3.toml.d/50-skolo.toml`,
  content: `${writtenHead}version = 3

[plugins.'io.containerd.cri.v1.images']
  image_pull_with_sync_fs = true
`,
  mode: 0o644,
};

const checkFiles = nodeCheckFiles(k3sPlace);

/** For a computer without k3s. */
export const imageStoreFiles: readonly TextFile[] = [template, dropIn, ...checkFiles];

/** An operator's template stays unchanged. k3s renders one for containerd 1.7 only if none exists for version 2. */
const findTemplates = `cd ${folder} 2> /dev/null || exit 0
for each in config.toml.tmpl config-v3.toml.tmpl; do
  [ ! -e "$each" ] || grep -q '^# Written by skolo' "$each" || grep -q '^ *sync_fs *= *true' "$each" ||
    echo "by hand: ${folder}/$each is not from skolo, and does not set sync_fs; add [plugins.'io.containerd.service.v1.diff-service'] with sync_fs = true, or remove the file"
done`;
const hasOther = `for each in config.toml.tmpl config-v3.toml.tmpl; do
  [ ! -e ${folder}/"$each" ] || grep -q '^# Written by skolo' ${folder}/"$each" || exit 0
done
exit 1`;

async function wantedFiles(host: Host): Promise<readonly TextFile[]> {
  return (await host.run(hasOther)).code === 0 ? [dropIn, ...checkFiles] : imageStoreFiles;
}

/** The step of these settings. k3s loads them again after a change. */
export function imageStoreStep(role: Role): Step {
  const name = 'image-store';
  const pending = pendingMark(name);
  return {
    name,
    about: 'container images survive a power cut',
    async check(host) {
      const differs = await differingFiles(host, await wantedFiles(host));
      const isPending = `[ ! -e ${pending.path} ] || echo 'containerd has not read its settings yet'`;
      return withLines({ differs }, await host.need(`${isPending}\n${findTemplates}`));
    },
    async apply(host) {
      await host.need(pending.set);
      await writeDiffering(host, await wantedFiles(host));
      // Pods continue without it.
      await host.need(
        `systemctl daemon-reload
case $(systemctl is-active ${units[role]}) in active | activating) systemctl restart ${units[role]} ;; esac && ${pending.clear}`,
        { deadlineMs: startMs },
      );
    },
  };
}
