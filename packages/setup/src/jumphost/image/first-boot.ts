/**
 * The first boot of a computer with the image: it waits for a USB stick and reads its identity from it, once. Afterwards, sticks are
 * ignored. cloud-init is not used, because it applies a new identity whenever it finds another stick, and boots without one.
 */

import { inFront, script, withVariables } from '@skolo/base';
import { fileStep, type Step, writtenHead } from '@skolo/setup/engine';
import { matchFunction, networkdFile } from '../address/networkd.ts';
import { probe, probeFile } from '../address/probe.ts';
import { identityFile, identityHead } from './identity.ts';

/** The stick's file, written when all its settings are on the disk. */
const identityMark = '/etc/skolo/identity';
const firstBootScript = '/usr/local/sbin/skolo-first-boot';
const unit = 'skolo-first-boot.service';

/**
 * Nothing is changed before the whole stick has been parsed, and the mark is written last. An interrupted boot starts again.
 * `--check FILE` only prints the errors in a file.
 */
export const firstBoot = inFront(
  withVariables(script(new URL('./first-boot.sh', import.meta.url)), {
    mark: identityMark,
    head: identityHead,
    file: identityFile,
    networkd_head: networkdFile.head,
    probe: probeFile,
  }),
  matchFunction,
);

const unitText = `${writtenHead}[Unit]
Description=skolo: name, address and keys from a USB stick, at the first boot
ConditionPathExists=!${identityMark}
Wants=network-pre.target
Before=network-pre.target systemd-networkd.service ssh.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${firstBootScript}
TimeoutStartSec=infinity
Restart=on-failure
RestartSec=5
[Install]
WantedBy=multi-user.target
`;

/** The computer waits for a stick when it first boots. systemd-networkd sets the address. */
export function firstBootStep(): Step {
  return fileStep({
    name: 'first-boot',
    about: 'the image reads its identity from a USB stick when it first boots',
    files: [
      { path: firstBootScript, content: firstBoot, mode: 0o755 },
      { path: probeFile, content: probe, mode: 0o755 },
      { path: `/etc/systemd/system/${unit}`, content: unitText },
    ],
    activate: `systemctl enable --quiet ${unit} systemd-networkd.service`,
    verify: `for each in ${unit} systemd-networkd.service; do
  systemctl is-enabled -q $each 2>/dev/null || echo "$each does not start at boot"
done`,
  });
}
