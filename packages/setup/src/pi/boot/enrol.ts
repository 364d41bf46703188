/**
 * Scripts of a Pi with a shared image, which requests its identity from the jumphost, and retries. The scripts use curl and openssl,
 * which Raspberry Pi OS and Ubuntu contain. The endpoint is machine-state, whose API is described in packages/api/src/enrolment.ts.
 */

import type { TextFile } from '@skolo/setup/engine';
import { agentFiles } from '@skolo/setup/k3s';
import { stringify } from 'yaml';
import type { PiSetup } from '../setup.ts';
import { waitsAlone } from './clock.ts';
import type { Method } from './customization.ts';
import { netplanOf, networkManagerFiles } from './network.ts';
import { bracketed, hostsOf, nameFile, textFile } from './root-files.ts';
import { putFunction, stateFolder } from './setup-script.ts';

export const enrolUnits = ['skolo-enrol.service', 'skolo-lockdown.path', 'skolo-lockdown.service'];
/** Programs that a base image must contain. */
export const enrolPrograms = ['curl', 'openssl'];

const templates = '/usr/local/share/skolo-enrol';
const enrolScript = '/usr/local/sbin/skolo-enrol';
const lockdownScript = '/usr/local/sbin/skolo-lockdown';

/** The common beginning of both scripts. Tests run them with a different root. */
const common = `set -u
umask 077
export LC_ALL=C
url=$1 pin=$2
root=\${SKOLO_ROOT-}
state=$root${stateFolder}
run=$root/run/skolo-enrol
mkdir -p "$state" "$run"

# ask FILE ARGUMENT…: sends a request, prints the status, and writes the response to FILE. Only the server with the pinned key is trusted.
# The dates of its certificate are ignored, because the clock of this computer may start in 1970.
ask() {
  answer=$1; shift
  curl -q --silent --show-error --noproxy '*' --insecure --pinnedpubkey "$pin" --cert "$state/cert.pem" --key "$state/key.pem" \\
    --connect-timeout 10 --max-time 90 --output "$answer" --write-out '%{http_code}' "$@"
}
`;

const enrol = `#!/bin/sh
# Written by skolo. Requests the name of this computer from the jumphost, until it has joined the cluster.
${common}
joined=$root/var/lib/rancher/k3s/agent/client-kubelet.crt

# say TEXT: prints to the log and above the login prompt on a screen. The text may come from the network.
say() {
  text=$(printf '%s' "$1" | tr -cd ' -~' | cut -c 1-300)
  [ "$text" != "\${said-}" ] || return 0
  said=$text
  echo "$text"
  mkdir -p "$root/run/issue.d" && (umask 022; printf 'skolo: %s\\nserial number %s\\n\\n' "$text" "$serial" > "$root/run/issue.d/skolo.issue")
}

# pause ROUND: sleeps longer with each round, for a random time, so that computers do not retry together.
pause() {
  most=$((5 << ($1 < 5 ? $1 - 1 : 4)))
  [ "$most" -le 60 ] || most=60
  random=$(od -An -N2 -tu2 /dev/urandom)
  sleep $((most / 2 + random % (most / 2 + 1)))
}

${putFunction}
# Each SD card generates its own key and keeps it.
make_key() {
  [ ! -s "$state/cert.pem" ] || return 0
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 -out "$state/key.new" &&
    openssl req -x509 -new -key "$state/key.new" -subj /CN=skolo -days 3650 -out "$state/cert.new" &&
    sync && mv -f "$state/key.new" "$state/key.pem" && mv -f "$state/cert.new" "$state/cert.pem" && sync
}

tree() { tr -d '\\0' < "$root/proc/device-tree/$1" | tr -cd 'A-Za-z0-9 .,()+-' | cut -c 1-100; }

body() {
  macs=
  for each in "$root"/sys/class/net/*; do
    [ -e "$each/device" ] && mac=$(cat "$each/address") || continue
    printf '%s' "$mac" | grep -Eqx '([0-9a-f]{2}:){5}[0-9a-f]{2}' && macs="$macs\${macs:+,}\\"$mac\\""
  done
  printf '{"serial":"%s","model":"%s","macs":[%s]' "$serial" "$(tree model)" "$macs"
  [ ! -s "$state/secret" ] || printf ',"secret":"%s"' "$(tr -cd 'A-Za-z0-9._-' < "$state/secret")"
  printf '}'
}

value() { sed -n "s/^$1=//p" "$run/answer" | head -n 1; }

# Restores pairing records of iPhones before usbmuxd creates new ones. Other files are ignored, because a task may have written the archive.
restore_lockdown() {
  status=$(ask "$run/lockdown" "$url/v1/lockdown") || return 1
  [ "$status" != 404 ] || return 0
  [ "$status" = 200 ] || return 1
  rm -rf "$run/unpacked" && mkdir "$run/unpacked" && tar -xzf "$run/lockdown" -C "$run/unpacked" || return 1
  mkdir -p "$root/var/lib/lockdown"
  for each in "$run"/unpacked/*.plist; do
    if [ -f "$each" ] && [ ! -L "$each" ]; then put "$root/var/lib/lockdown/\${each##*/}" 600 < "$each" || return 1; fi
  done
  rm -rf "$run/unpacked" "$run/lockdown"
}

# become FOLDER: installs the templates in FOLDER, filled with this name and address.
become() {
  (cd "$root${templates}/$1" 2> /dev/null && find . -type f) | while read -r each; do
    from=$root${templates}/$1/$each
    if [ -n "$address" ]; then sed -e "s/@NAME@/$name/g" -e "s/@ADDRESS@/$address/g" "$from"
    else sed -e "s/@NAME@/$name/g" -e /@ADDRESS@/d "$from"; fi | put "$root/$each" "$(stat -c %a "$from")" || exit 1
  done
}

take() {
  name=$(value name) address=$(value address)
  printf '%s' "$name" | grep -Eqx '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?' || return 1
  [ -z "$address" ] || printf '%s' "$address" | grep -Eqx '[0-9]{1,3}([.][0-9]{1,3}){3}' || return 1
  value token | grep -Eqx 'K10[0-9a-f]{64}::[a-z0-9]{6}[.][a-z0-9]{16}' || return 1
  value token | put "$root/etc/rancher/k3s/token" 600 || return 1
  sync
  [ "$(cat "$root${nameFile}" 2> /dev/null)" != "$name $address" ] || return 0
  restore_lockdown && become every && { [ -z "$address" ] || become fixed; } || return 1
  printf '%s\\n' "$name" | put "$root/etc/hostname" 644 || return 1
  sync
  printf '%s\\n' "$name $address" | put "$root${nameFile}" 644 || return 1
  sync
  is_new=yes
}

# The key is enrolled, so the secret of the image is no longer needed.
wipe_secret() {
  [ -e "$state/secret" ] || return 0
  dd if=/dev/zero of="$state/secret" bs=100 count=1 conv=notrunc,fsync 2> /dev/null
  rm -f "$state/secret"
}

serial=unknown
until serial=$(tree serial-number | tr A-F a-f) && printf '%s' "$serial" | grep -Eqx '[0-9a-f]{16}'; do
  serial=unknown
  say 'this Pi has no serial number, so it cannot enrol'
  sleep 60
done
round=0
until [ -s "$joined" ]; do
  round=$((round + 1)) is_new=
  make_key || { say 'generating the key failed'; pause "$round"; continue; }
  status=$(body | ask "$run/answer" --header 'content-type: application/json' --data-binary @- "$url/v1/enrol" 2> "$run/error")
  code=$?
  if [ "$code" = 90 ]; then
    say "$url does not have the key that this image expects; if the jumphost was replaced, burn a new image"
  elif [ "$code" != 0 ]; then
    say "the request to $url failed: $(tail -n 1 "$run/error")"
  elif [ "$status" = 202 ]; then
    say "enrolment pending: $(cat "$run/answer")"
  elif [ "$status" != 200 ]; then
    say "enrolment failed ($status): $(cat "$run/answer")"
  elif ! take; then
    say "cannot apply the response from $url; trying again"
  else
    rm -f "$run/answer"
    wipe_secret
    # Reboots, so that every program starts with the new name and address.
    if [ -n "$is_new" ]; then say "enrolled as $name; rebooting"; systemctl reboot; exit 0; fi
    say "enrolled as $name; joining the cluster"
    systemctl restart --no-block k3s-agent.service
    left=120
    until [ -s "$joined" ] || [ "$left" = 0 ]; do left=$((left - 1)); sleep 5; done
    round=0
    continue
  fi
  rm -f "$run/answer"
  pause "$round"
done
say "$(cut -d ' ' -f 1 "$root${nameFile}") has joined the cluster"
rm -f "$root/run/issue.d/skolo.issue"
systemctl disable skolo-enrol.service
`;

const lockdown = `#!/bin/sh
# Written by skolo. Saves the pairing records of iPhones on the jumphost, for the next SD card.
${common}
[ -s "$root${nameFile}" ] || exit 0
cd "$root/var/lib/lockdown" 2> /dev/null || exit 0
records=
for each in *.plist; do
  [ "$each" = SystemConfiguration.plist ] || [ ! -f "$each" ] || records=yes
done
# An empty folder does not replace the saved records.
[ -n "$records" ] || exit 0
archive=$(tar -czf - -- *.plist | base64 -w 0) || exit 1
status=$(printf '{"archive":"%s"}' "$archive" | ask "$run/stored" --request PUT --header 'content-type: application/json' --data-binary @- "$url/v1/lockdown") || exit 1
[ "$status" = 204 ] || { cat "$run/stored"; exit 1; }
`;

/** Files that only a shared image contains. */
export function commonFiles(setup: PiSetup, method: Method): TextFile[] {
  const { cluster, enrolment } = setup;
  if (cluster === undefined || enrolment === undefined) return [];
  const words = `https://${bracketed(cluster.server)}:${enrolment.port} ${enrolment.pin}`;
  return [
    textFile(enrolScript, enrol, 0o755),
    textFile(lockdownScript, lockdown, 0o755),
    textFile('/etc/systemd/system/skolo-enrol.service', enrolUnit(words)),
    textFile('/etc/systemd/system/skolo-lockdown.path', lockdownPath),
    textFile('/etc/systemd/system/skolo-lockdown.service', lockdownUnit(words)),
    // Otherwise a connected phone gets a new pairing before the previous one is restored.
    textFile(
      '/etc/systemd/system/usbmuxd.service.d/50-skolo.conf',
      `# Written by skolo.\n[Unit]\nConditionPathExists=${nameFile}\n`,
    ),
    ...templateFiles(setup, method),
  ];
}

/** Files of a machine, with placeholders for its name and address. */
function templateFiles(setup: PiSetup, method: Method): TextFile[] {
  const { cluster, enrolment } = setup;
  const [name, address] = ['@NAME@', '@ADDRESS@'];
  const every = [
    textFile('/etc/hosts', hostsOf({ ...setup, identity: { ...setup.identity, hostname: name } })),
    ...agentFiles({ machine: { name, address }, server: cluster?.server ?? '' }),
  ];
  const under = (folder: string, files: readonly TextFile[]) =>
    files.map((each) => ({ ...each, path: `${templates}/${folder}${each.path}` }));
  const { subnet } = enrolment ?? {};
  if (subnet === undefined) return under('every', every);
  const fixed = {
    ...setup,
    wifi: 'off' as const,
    identity: { hostname: name, wired: { address, ...subnet } },
  };
  const content = stringify(netplanOf(fixed, method));
  const network = method.startsWith('cloud-init')
    ? // Wi-Fi is in the file of cloud-init, which has a smaller number.
      [{ path: '/etc/netplan/60-skolo.yaml', content, mode: 0o600 }]
    : networkManagerFiles(fixed);
  return [...under('every', every), ...under('fixed', network)];
}

function enrolUnit(words: string): string {
  return `# Written by skolo.
[Unit]
Description=skolo: enrolment of this computer
${waitsAlone}
Wants=network-online.target
After=network-online.target cloud-final.service
ConditionPathExists=!/var/lib/rancher/k3s/agent/client-kubelet.crt
[Service]
Type=exec
ExecStart=${enrolScript} ${words}
Restart=on-failure
RestartSec=60
[Install]
WantedBy=multi-user.target
`;
}

const lockdownPath = `# Written by skolo.
[Unit]
Description=skolo: watch pairing records of iPhones
[Path]
PathChanged=/var/lib/lockdown
MakeDirectory=true
[Install]
WantedBy=multi-user.target
`;

/** Also at each boot, because an attempt may have failed. */
function lockdownUnit(words: string): string {
  return `# Written by skolo.
[Unit]
Description=skolo: save pairing records of iPhones on the jumphost
${waitsAlone}
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0
[Service]
Type=oneshot
ExecStart=${lockdownScript} ${words}
Restart=on-failure
RestartSec=300
[Install]
WantedBy=multi-user.target
`;
}
