/**
 * The script that configures a fresh system in all methods of customisation. It is on the boot partition and runs at the
 * first boot, as root. It may be interrupted and run again.
 */

import { shellWord } from '@skolo/base';
import type { TextFile } from '@skolo/setup/engine';
import { noSwap } from './no-swap.ts';

/** On the boot partition. */
export const setupFile = 'skolo-setup.sh';
export const programFile = 'skolo-k3s';
export const tokenFile = 'skolo-token';
/** The secret of a shared image. */
export const secretFile = 'skolo-secret';
/** Enrolment files, on the root partition. */
export const stateFolder = '/var/lib/skolo-enrol';
/** The error, for somebody who reads the SD card elsewhere. */
export const errorFile = 'skolo-error.txt';
/** Where Raspberry Pi OS since Bookworm, Ubuntu and Debian mount it. */
export const bootFolder = '/boot/firmware';

/** Of a shell. */
export const putFunction = `# put PATH MODE: writes standard input completely or not at all.
put() {
  mkdir -p "$(dirname "$1")" && cat > "$1.skolo-new" && chmod "$2" "$1.skolo-new" && mv -f "$1.skolo-new" "$1"
}
`;

/** Of a shell, with `log` and `failed`. */
export const stepFunction = `step() {
  echo "$1" >> "$log"
  # Not before \`||\`, because a shell ignores \`set -e\` there.
  ( set -e; "$1" ) >> "$log" 2>&1
  [ $? = 0 ] || { failed="$failed $1"; echo "$1 failed" >> "$log"; }
}
`;

interface ScriptNeeds {
  files: readonly TextFile[];
  /** SHA-256 of the k3s binary; undefined: it does not join a cluster. */
  programSha256: string | undefined;
  /** Wi-Fi is used. */
  hasWifi: boolean;
  /** Enrolment units. */
  units: readonly string[];
}

/** `sh skolo-setup.sh [--no-start]`: without starting services, if the computer reboots anyway. */
export function setupScript({ files, programSha256, hasWifi, units }: ScriptNeeds): string {
  const started = [
    'skolo-clock.service',
    ...(programSha256 === undefined ? [] : ['k3s-agent.service']),
    ...units,
  ].join(' ');
  return `#!/bin/sh
# Written by skolo. Configures a fresh system, as root. It can run again.
# Its log is /var/log/skolo-setup.log. Failures are also listed in ${errorFile} next to this file.
set -u
umask 022
export LC_ALL=C.UTF-8
boot=$(cd "$(dirname "$0")" && pwd)
log=/var/log/skolo-setup.log
failed=

${putFunction}
# step NAME: runs the function and records a failure.
${stepFunction}
files() {
${files.map(putText).join('\n')}
}

no_swap() {
${noSwap}}
${hasWifi ? wifiStep : ''}${programSha256 === undefined ? '' : joinStep(programSha256)}
services() {
  systemctl enable ssh.service || systemctl enable sshd.service
  systemctl enable ${started}
}

start() {
  systemctl daemon-reexec
  systemctl restart systemd-journald.service
  systemctl try-restart systemd-timesyncd.service chrony.service ssh.service || true
  systemctl start --no-block ${started}
}

step files
step no_swap
${hasWifi ? 'step wifi\n' : ''}${programSha256 === undefined ? '' : 'step k3s\n'}step services
[ "\${1-}" = --no-start ] || step start
if [ -n "$failed" ]; then
  { echo "failed:$failed"; tail -n 50 "$log"; } > "$boot/${errorFile}"
  sync
  exit 1
fi
rm -f "$boot/${errorFile}"
sync
`;
}

/** The delimiter cannot be a line in these files. */
const mark = 'END_OF_SKOLO_FILE';

function putText({ path, content, mode }: TextFile): string {
  const text = content.endsWith('\n') ? content : `${content}\n`;
  return `put ${shellWord(path)} ${mode.toString(8)} <<'${mark}'\n${text}${mark}`;
}

/** In Raspberry Pi OS, NetworkManager keeps Wi-Fi off until a country is set. */
const wifiStep = `
wifi() {
  rfkill unblock wifi || true
  for each in /var/lib/systemd/rfkill/*:wlan; do [ ! -e "$each" ] || echo 0 > "$each"; done
  state=/var/lib/NetworkManager/NetworkManager.state
  [ ! -e "$state" ] || sed -i 's/^WirelessEnabled=false/WirelessEnabled=true/' "$state"
  # A running NetworkManager does not read the file again.
  nmcli radio wifi on || true
}
`;

/** Used secrets are removed from the boot partition, which everybody who has the SD card can read. */
function joinStep(sha256: string): string {
  return `
k3s() {
  program=/usr/local/bin/k3s
  if [ -e "$boot/${programFile}" ]; then
    cp "$boot/${programFile}" "$program.skolo-new"
    echo "${sha256}  $program.skolo-new" | sha256sum -c -
    chmod 755 "$program.skolo-new"
    sync "$program.skolo-new"
    mv -f "$program.skolo-new" "$program"
    rm -f "$boot/${programFile}"
  fi
  move ${tokenFile} /etc/rancher/k3s/token
  move ${secretFile} ${stateFolder}/secret
}

# move FILE PATH: moves a secret from the boot partition and overwrites it there.
move() {
  [ -e "$boot/$1" ] || return 0
  put "$2" 600 < "$boot/$1"
  sync
  size=$(wc -c < "$boot/$1")
  dd if=/dev/zero of="$boot/$1" bs="$size" count=1 conv=notrunc,fsync
  rm -f "$boot/$1"
}
`;
}
