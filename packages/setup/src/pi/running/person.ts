/** A Pi's user, and its keyboard, language and time zone. */
import { script, shellWord, withArguments } from '@skolo/base';
import { checkByScript, type Step } from '@skolo/setup/engine';
import type { PiSetup } from '../setup.ts';

/** Groups of Raspberry Pi OS's first user; missing ones are omitted. */
const groups =
  'adm dialout cdrom sudo audio video plugdev games users input render netdev gpio i2c spi';

/** A shell function, `has FILE KEY`. A line that starts with # is a comment. Source: sshd(8). */
const hasKey = `has() { [ -e "$1" ] && grep -v '^[[:space:]]*#' "$1" | grep -qF "$2"; }
`;

export function userStep({ user }: Pick<PiSetup, 'user'>): Step {
  const name = shellWord(user.name);
  // Type and key, without the comment.
  const keys = user.keys.map((key) => key.split(' ', 2).join(' '));
  return {
    name: 'user',
    about: `${user.name} can sign in with your keys and use sudo without a password`,
    check:
      checkByScript(`if ! getent passwd ${name} > /dev/null; then echo 'the user '${name}' is missing'; exit 0; fi
${hasKey}home=$(getent passwd ${name} | cut -d : -f 6); file=$home/.ssh/authorized_keys
for each in ${keys.map(shellWord).join(' ')}; do
  has "$file" "$each" || echo "a key is not in authorized_keys: $(echo "$each" | cut -c -40)…"
done
[ ! -e "$file" ] || [ "$(stat -c '%a %U' "$file")" = "600 "${name} ] || echo "$file has mode and owner $(stat -c '%a %U' "$file")"
sudo -n -l -U ${name} 2>/dev/null | grep -q 'NOPASSWD: ALL' || echo ${name}' cannot use sudo without a password'`),
    async apply(host) {
      const add = script(new URL('./add-user.sh', import.meta.url));
      const pairs = user.keys.flatMap((key, at) => [keys[at] ?? '', key]);
      await host.need(`${hasKey}${withArguments(add, user.name, groups, ...pairs)}`);
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
      const set = script(new URL('./set-place.sh', import.meta.url));
      await host.need(withArguments(set, timezone, keyboard, locale), { deadlineMs: 300_000 });
    },
  };
}
