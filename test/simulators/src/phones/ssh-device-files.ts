/** What is on a device behind sshd: its files, and the scripts that stand between sshd and its shell. */

export const sshDeviceFiles = {
  chromeos: {
    // Of an Acer Chromebook, as Skia's lab recorded it.
    'etc/lsb-release': `CHROMEOS_DEVSERVER=
CHROMEOS_RELEASE_APPID={9A3BE5D2-C3DC-4AE6-9943-E2C113895DC5}
CHROMEOS_RELEASE_BOARD=octopus-signed-mp-v23keys
CHROMEOS_RELEASE_BRANCH_NUMBER=56
CHROMEOS_RELEASE_BUILDER_PATH=octopus-release/R89-13729.56.0
CHROMEOS_RELEASE_BUILD_NUMBER=13729
CHROMEOS_RELEASE_BUILD_TYPE=Official Build
CHROMEOS_RELEASE_CHROME_MILESTONE=89
CHROMEOS_RELEASE_DESCRIPTION=13729.56.0 (Official Build) stable-channel octopus
CHROMEOS_RELEASE_KEYSET=mp-v23
CHROMEOS_RELEASE_NAME=Chrome OS
CHROMEOS_RELEASE_PATCH_NUMBER=0
CHROMEOS_RELEASE_TRACK=stable-channel
CHROMEOS_RELEASE_UNIBUILD=1
CHROMEOS_RELEASE_VERSION=13729.56.0
DEVICETYPE=CHROMEBOOK
GOOGLE_RELEASE=13729.56.0
`,
  },
  linux: {
    'etc/os-release': `PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION="12 (bookworm)"
ID=debian
`,
    'etc/hostname': 'skia-e-linux-1\n',
  },
} as const;

/**
 * Run for each session. It asks over the port how to behave, and sends /etc, /proc and /sys of the command into the folder.
 */
export function sessionScript(folder: string, port: number): string {
  return `#!/bin/bash
exec 3<>/dev/tcp/127.0.0.1/${port} || exit 1
printf 'session\\0%s\\0' "$SSH_ORIGINAL_COMMAND" >&3
read -r uptime fault <&3 || exit 1
root='${folder}/root' out='${folder}'/out.$$
echo "$uptime $uptime" >"$out"
mv "$out" "$root/proc/uptime"
case $fault in
hangs) read -r _ <&3; exit 1 ;;
garbage) head -c 900 /dev/urandom; exit 0 ;;
empty-answers) exit 0 ;;
esac
exec 3>&-
command=$(sed -E "s,(^|[^[:alnum:]_./-])/(proc|etc|sys)/,\\1$root/\\2/,g" <<<"$SSH_ORIGINAL_COMMAND")
PATH='${folder}/bin':$PATH bash -c "$command" >"$out" 2>"$out.errors"
status=$?
sed "s,$root,,g" "$out.errors" >&2
case $fault in
drops-mid-way) head -c $(($(wc -c <"$out") / 2)) "$out"; kill -9 $PPID ;;
crlf) sed "s,$root,,g; s,$,\\r," "$out" ;;
*) sed "s,$root,,g" "$out" ;;
esac
rm -f "$out" "$out.errors"
exit $status
`;
}

export function rebootScript(port: number): string {
  return `#!/bin/bash
exec 3<>/dev/tcp/127.0.0.1/${port} || exit 1
printf 'reboot\\0' >&3
read -r answer <&3
[ "$answer" = done ] && exit 0
echo 'reboot: must be superuser.' >&2
exit 1
`;
}
