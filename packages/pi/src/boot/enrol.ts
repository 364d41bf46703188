/**
 * A Pi with a shared image asks the jumphost who it is. Scripts and units for curl and openssl, which Raspberry Pi OS and Ubuntu
 * have. The endpoint is machine-state, which describes its API in packages/api/src/enrolment.ts.
 */
import type { TextFile } from '@skolo/computers';
import { agentFiles } from '@skolo/k3s';
import { stringify } from 'yaml';
import type { Method } from '../image/customization.ts';
import type { PiSetup } from '../setup.ts';
import { waitsAlone } from './clock.ts';
import { netplanOf, networkManagerFiles } from './network.ts';
import { bracketed, hostsOf, nameFile, textFile } from './root-files.ts';
import { putFunction, stateFolder } from './setup-script.ts';

export const enrolUnits = ['skolo-enrol.service', 'skolo-lockdown.path', 'skolo-lockdown.service'];
/** Programs that a base needs. */
export const enrolPrograms = ['curl', 'openssl'];

const templates = '/usr/local/share/skolo-enrol';
const enrolScript = '/usr/local/sbin/skolo-enrol';
const lockdownScript = '/usr/local/sbin/skolo-lockdown';

/** What both scripts begin with. Tests run them in another root. */
const common = `set -u
umask 077
export LC_ALL=C
url=$1 pin=$2
root=\${SKOLO_ROOT-}
state=$root${stateFolder}
run=$root/run/skolo-enrol
mkdir -p "$state" "$run"

# ask FILE ARGUMENT…: prints the status; FILE gets the answer. Only the server with the pinned key is asked, whatever its certificate
# says: this computer may begin in 1970.
ask() {
  answer=$1; shift
  curl -q --silent --show-error --noproxy '*' --insecure --pinnedpubkey "$pin" --cert "$state/cert.pem" --key "$state/key.pem" \\
    --connect-timeout 10 --max-time 90 --output "$answer" --write-out '%{http_code}' "$@"
}
`;

const enrol = `#!/bin/sh
# Written by skolo. Asks the jumphost who this computer is, until it has joined its cluster.
${common}
joined=$root/var/lib/rancher/k3s/agent/client-kubelet.crt

# say TEXT: to the log, and above the prompt of a screen. The text may come from elsewhere.
say() {
  text=$(printf '%s' "$1" | tr -cd ' -~' | cut -c 1-300)
  [ "$text" != "\${said-}" ] || return 0
  said=$text
  echo "$text"
  mkdir -p "$root/run/issue.d" && (umask 022; printf 'skolo: %s\\nserial number %s\\n\\n' "$text" "$serial" > "$root/run/issue.d/skolo.issue")
}

# pause ROUND: longer and longer, and not all at once.
pause() {
  most=$((5 << ($1 < 5 ? $1 - 1 : 4)))
  [ "$most" -le 60 ] || most=60
  random=$(od -An -N2 -tu2 /dev/urandom)
  sleep $((most / 2 + random % (most / 2 + 1)))
}

${putFunction}
# Each card makes a key of its own, and keeps it.
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

# Pairing records of iPhones, before usbmuxd makes others. Only such files: a task may have written the archive.
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

# become FOLDER: the files of a folder of templates, for this name and address.
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

# The key is enrolled, and the server needs the secret of the image no more.
wipe_secret() {
  [ -e "$state/secret" ] || return 0
  dd if=/dev/zero of="$state/secret" bs=100 count=1 conv=notrunc,fsync 2> /dev/null
  rm -f "$state/secret"
}

serial=unknown
until serial=$(tree serial-number | tr A-F a-f) && printf '%s' "$serial" | grep -Eqx '[0-9a-f]{16}'; do
  serial=unknown
  say 'has no serial number, so it cannot ask who it is'
  sleep 60
done
round=0
until [ -s "$joined" ]; do
  round=$((round + 1)) is_new=
  make_key || { say 'cannot make its key'; pause "$round"; continue; }
  status=$(body | ask "$run/answer" --header 'content-type: application/json' --data-binary @- "$url/v1/enrol" 2> "$run/error")
  code=$?
  if [ "$code" = 90 ]; then
    say "$url has another key than the one in this image; if the jumphost is a new one, burn a new image"
  elif [ "$code" != 0 ]; then
    say "no answer: $(tail -n 1 "$run/error")"
  elif [ "$status" = 202 ]; then
    say "waits: $(cat "$run/answer")"
  elif [ "$status" != 200 ]; then
    say "is rejected: $(cat "$run/answer")"
  elif ! take; then
    say "cannot use the answer of $url, and asks again"
  else
    rm -f "$run/answer"
    wipe_secret
    # With its name and address from the start.
    if [ -n "$is_new" ]; then say "is $name, and restarts"; systemctl reboot; exit 0; fi
    say "is $name, and joins"
    systemctl restart --no-block k3s-agent.service
    left=120
    until [ -s "$joined" ] || [ "$left" = 0 ]; do left=$((left - 1)); sleep 5; done
    round=0
    continue
  fi
  rm -f "$run/answer"
  pause "$round"
done
say "is $(cut -d ' ' -f 1 "$root${nameFile}"), and has joined"
rm -f "$root/run/issue.d/skolo.issue"
systemctl disable skolo-enrol.service
`;

const lockdown = `#!/bin/sh
# Written by skolo. Keeps what makes iPhones trust this computer on the jumphost, for the next card.
${common}
[ -s "$root${nameFile}" ] || exit 0
cd "$root/var/lib/lockdown" 2> /dev/null || exit 0
records=
for each in *.plist; do
  [ "$each" = SystemConfiguration.plist ] || [ ! -f "$each" ] || records=yes
done
# An empty folder is no reason to forget what is kept.
[ -n "$records" ] || exit 0
archive=$(tar -czf - -- *.plist | base64 -w 0) || exit 1
status=$(printf '{"archive":"%s"}' "$archive" | ask "$run/stored" --request PUT --header 'content-type: application/json' --data-binary @- "$url/v1/lockdown") || exit 1
[ "$status" = 204 ] || { cat "$run/stored"; exit 1; }
`;

/** Files of a shared image that a machine's own image does not have. */
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
    // Else a phone that is plugged in gets a new pairing before the previous one is there.
    textFile(
      '/etc/systemd/system/usbmuxd.service.d/50-skolo.conf',
      `# Written by skolo.\n[Unit]\nConditionPathExists=${nameFile}\n`,
    ),
    ...templateFiles(setup, method),
  ];
}

/** Files of a machine, with marks for its name and its address. */
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
  const network =
    method === 'cloud-init'
      ? // Wi-Fi is in the file of cloud-init, which has a smaller number.
        [{ path: '/etc/netplan/60-skolo.yaml', content: stringify(netplanOf(fixed)), mode: 0o600 }]
      : networkManagerFiles(fixed);
  return [...under('every', every), ...under('fixed', network)];
}

function enrolUnit(words: string): string {
  return `# Written by skolo.
[Unit]
Description=skolo: who this computer is
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
Description=skolo: pairing records of iPhones have changed
[Path]
PathChanged=/var/lib/lockdown
MakeDirectory=true
[Install]
WantedBy=multi-user.target
`;

/** At each start, too: an attempt may have failed. */
function lockdownUnit(words: string): string {
  return `# Written by skolo.
[Unit]
Description=skolo: keeps pairing records of iPhones on the jumphost
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
