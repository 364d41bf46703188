/** The user of a Pi, and what is there for people: keyboard, language, time zone. */
import { shellWord } from '@skolo/base';
import { checkByScript, type Guard, guardedStep, type Step, sshTrial } from '@skolo/computers';
import { sshdFile } from '../boot/root-files.ts';
import type { PiSetup } from '../setup.ts';

/** Groups of the first user of Raspberry Pi OS; those that are not there are left out. */
const groups =
  'adm dialout cdrom sudo audio video plugdev games users input render netdev gpio i2c spi';

export function userStep({ user }: Pick<PiSetup, 'user'>): Step {
  const name = shellWord(user.name);
  // Type and key; the comment is for people.
  const keys = user.keys.map((key) => key.split(' ', 2).join(' '));
  // A line that begins with # is a comment. Source: sshd(8).
  const place = `home=$(getent passwd ${name} | cut -d : -f 6); file=$home/.ssh/authorized_keys
has() { [ -e "$1" ] && grep -v '^[[:space:]]*#' "$1" | grep -qF "$2"; }`;
  return {
    name: 'user',
    about: `${user.name} gets in with your keys, and becomes root`,
    check:
      checkByScript(`if ! getent passwd ${name} > /dev/null; then echo 'there is no user '${name}; exit 0; fi
${place}
for each in ${keys.map(shellWord).join(' ')}; do
  has "$file" "$each" || echo "a key does not get in: $(echo "$each" | cut -c -40)…"
done
[ ! -e "$file" ] || [ "$(stat -c '%a %U' "$file")" = "600 "${name} ] || echo "$file is $(stat -c '%a of %U' "$file")"
sudo -n -l -U ${name} 2>/dev/null | grep -q 'NOPASSWD: ALL' || echo ${name}' does not become root without a password'`),
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
# A last line may lack its end.
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

/** No password gets in any more. A mistake takes itself back: only a new session, with a key, keeps it. */
export function sshStep(guard: Guard): Step {
  return guardedStep(
    {
      name: 'ssh',
      about: 'keys get in, and no password does',
      // sudo says who has signed in; it is not there for root.
      files: async (host) => {
        const user = (await host.need('echo "$SUDO_USER"')).trim();
        return [sshdFile(user === '' ? 'prohibit-password' : 'no')];
      },
      trial: sshTrial,
      activate: 'mkdir -p /run/sshd && sshd -t && systemctl reload ssh.service',
      verify: `mkdir -p /run/sshd
settings=$(sshd -T) || echo 'sshd does not accept its own settings: sshd -t'
for each in passwordauthentication kbdinteractiveauthentication; do
  echo "$settings" | grep -qix "$each no" || echo "sshd has $each on; correct the file of /etc/ssh/sshd_config.d that comes first"
done`,
    },
    guard,
  );
}

export function placeStep({ timezone, keyboard, locale }: PiSetup): Step {
  const zone = shellWord(`/usr/share/zoneinfo/${timezone}`);
  const language = shellWord(locale);
  const layout = shellWord(keyboard);
  const lineOf = (key: string, file: string) =>
    `sed -n 's/^${key}=//p' ${file} 2>/dev/null | tr -d '"' | tail -n 1`;
  return {
    name: 'place',
    about: `time zone ${timezone}, keyboard ${keyboard}, language ${locale}`,
    check:
      checkByScript(`now=$(readlink -f /etc/localtime); [ "$now" = "$(readlink -f ${zone})" ] || echo "its time zone is \${now#/usr/share/zoneinfo/}"
now=$(${lineOf('XKBLAYOUT', '/etc/default/keyboard')}); [ "$now" = ${layout} ] || echo "its keyboard is \${now:-not set}"
now=$(${lineOf('LANG', '/etc/default/locale')}); [ "$now" = ${language} ] || echo "its language is \${now:-not set}"`),
    async apply(host) {
      await host.need(
        `set -e
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
[ -e ${zone} ] || { echo 'there is no time zone ${timezone}; apt-get install tzdata, or correct its name' >&2; exit 1; }
ln -sfn ${zone} /etc/localtime
echo ${shellWord(timezone)} > /etc/timezone
# put KEY VALUE FILE: of a file of variables, which may be a link.
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
     else echo 'it has no languages; apt-get install locales' >&2; exit 1
     fi > /dev/null ;;
esac
put LANG ${language} /etc/default/locale`,
        { deadlineMs: 300_000 },
      );
    },
  };
}
