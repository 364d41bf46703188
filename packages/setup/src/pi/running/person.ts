/** A Pi's user, and its keyboard, language and time zone. */
import { shellWord } from '@skolo/base';
import { checkByScript, type Step } from '@skolo/setup/engine';
import type { PiSetup } from '../setup.ts';

/** Groups of Raspberry Pi OS's first user; missing ones are omitted. */
const groups =
  'adm dialout cdrom sudo audio video plugdev games users input render netdev gpio i2c spi';

export function userStep({ user }: Pick<PiSetup, 'user'>): Step {
  const name = shellWord(user.name);
  // Type and key, without the comment.
  const keys = user.keys.map((key) => key.split(' ', 2).join(' '));
  // A line that starts with # is a comment. Source: sshd(8).
  const place = `home=$(getent passwd ${name} | cut -d : -f 6); file=$home/.ssh/authorized_keys
has() { [ -e "$1" ] && grep -v '^[[:space:]]*#' "$1" | grep -qF "$2"; }`;
  return {
    name: 'user',
    about: `${user.name} can sign in with your keys and use sudo without a password`,
    check:
      checkByScript(`if ! getent passwd ${name} > /dev/null; then echo 'the user '${name}' is missing'; exit 0; fi
${place}
for each in ${keys.map(shellWord).join(' ')}; do
  has "$file" "$each" || echo "a key is not in authorized_keys: $(echo "$each" | cut -c -40)…"
done
[ ! -e "$file" ] || [ "$(stat -c '%a %U' "$file")" = "600 "${name} ] || echo "$file has mode and owner $(stat -c '%a %U' "$file")"
sudo -n -l -U ${name} 2>/dev/null | grep -q 'NOPASSWD: ALL' || echo ${name}' cannot use sudo without a password'`),
    async apply(host) {
      await host.need(`set -e
if ! getent passwd ${name} > /dev/null; then
  some=
  for each in ${groups}; do ! getent group "$each" > /dev/null || some="$some,$each"; done
  useradd --create-home --shell /bin/bash --groups "\${some#,}" ${name}
fi
${place}
group=$(id -g ${name})
install -d -m 700 -o ${name} -g "$group" "$home/.ssh"
[ ! -e "$file" ] || cat "$file" > "$file.skolo-new"
# The last line may lack a newline.
[ ! -s "$file.skolo-new" ] || [ -z "$(tail -c 1 "$file.skolo-new")" ] || echo >> "$file.skolo-new"
add() { has "$file.skolo-new" "$1" || printf '%s\\n' "$2" >> "$file.skolo-new"; }
${user.keys.map((key, at) => `add ${shellWord(keys[at] ?? '')} ${shellWord(key)}`).join('\n')}
chmod 600 "$file.skolo-new"
chown ${name}:"$group" "$file.skolo-new"
sync "$file.skolo-new"
mv -f "$file.skolo-new" "$file"`);
      await host.write({
        path: '/etc/sudoers.d/010_skolo',
        content: `${user.name} ALL=(ALL) NOPASSWD: ALL\n`,
        mode: 0o440,
      });
    },
  };
}

/** A script: no other sshd file enables passwords. */
export const passwordsOff = `mkdir -p /run/sshd
settings=$(sshd -T) || echo 'the sshd configuration is invalid; run sshd -t'
for each in passwordauthentication kbdinteractiveauthentication; do
  echo "$settings" | grep -qix "$each no" || echo "sshd has $each enabled; fix the first file in /etc/ssh/sshd_config.d that sets it"
done`;

export function placeStep({
  timezone,
  keyboard,
  locale,
}: Pick<PiSetup, 'timezone' | 'keyboard' | 'locale'>): Step {
  const zone = shellWord(`/usr/share/zoneinfo/${timezone}`);
  const language = shellWord(locale);
  const layout = shellWord(keyboard);
  const lineOf = (key: string, file: string) =>
    `sed -n 's/^${key}=//p' ${file} 2>/dev/null | tr -d '"' | tail -n 1`;
  return {
    name: 'place',
    about: `time zone ${timezone}, keyboard ${keyboard}, language ${locale}`,
    check:
      checkByScript(`now=$(readlink -f /etc/localtime); [ "$now" = "$(readlink -f ${zone})" ] || echo "the time zone is \${now#/usr/share/zoneinfo/}"
now=$(${lineOf('XKBLAYOUT', '/etc/default/keyboard')}); [ "$now" = ${layout} ] || echo "the keyboard is \${now:-not set}"
now=$(${lineOf('LANG', '/etc/default/locale')}); [ "$now" = ${language} ] || echo "the language is \${now:-not set}"`),
    async apply(host) {
      await host.need(
        `set -e
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
[ -e ${zone} ] || { echo 'the time zone ${timezone} does not exist; run apt-get install tzdata, or fix its name' >&2; exit 1; }
ln -sfn ${zone} /etc/localtime
echo ${shellWord(timezone)} > /etc/timezone
# put KEY VALUE FILE: sets a variable in FILE, which may be a link.
put() {
  touch "$3"
  { grep -v "^$1=" "$3" || true; printf '%s="%s"\\n' "$1" "$2"; } > "$3.skolo-new"
  cat "$3.skolo-new" > "$3"
  rm -f "$3.skolo-new"
}
[ -e /etc/default/keyboard ] || printf 'XKBMODEL="pc105"\\nXKBVARIANT=""\\nXKBOPTIONS=""\\nBACKSPACE="guess"\\n' > /etc/default/keyboard
put XKBLAYOUT ${layout} /etc/default/keyboard
! command -v setupcon > /dev/null || setupcon --force --save-only || true
case ${language} in
  C.UTF-8 | C | POSIX) ;;
  *) if command -v raspi-config > /dev/null; then raspi-config nonint do_change_locale ${language}
     elif [ -e /etc/locale.gen ]; then
       grep -q ^${language} /etc/locale.gen || sed -i "s/^# *\\("${language}" .*\\)/\\1/" /etc/locale.gen
       locale-gen
     else echo 'no locales are available; run apt-get install locales' >&2; exit 1
     fi > /dev/null ;;
esac
put LANG ${language} /etc/default/locale`,
        { deadlineMs: 300_000 },
      );
    },
  };
}
