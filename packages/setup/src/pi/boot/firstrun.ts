/**
 * Raspberry Pi OS Bookworm, the first Trixie image, and Debian's own images: systemd runs a script from the
 * kernel command line, and reboots the computer.
 * Sources: systemd-run-generator(8); customization_generator.cpp of Raspberry Pi Imager; imager_custom of raspberrypi-sys-mods.
 */
import { inFront, script, shellWord, withVariables } from '@skolo/base';
import type { PiSetup } from '../setup.ts';
import { bootFolder, errorFile, setupFile, stepFunction } from './setup-script.ts';

export const firstRunFile = 'firstrun.sh';

/** Words in cmdline.txt, which the script removes. Even a failed script reboots, after writing the reason. */
export const firstRunWords = {
  'systemd.run': `${bootFolder}/${firstRunFile}`,
  'systemd.run_success_action': 'reboot',
  'systemd.run_failure_action': 'reboot',
  'systemd.unit': 'kernel-command-line.target',
};

/** Shell commands by step; a step ends with the first command that fails. `user` creates the user. */
export type FirstRunSteps = Readonly<Record<string, string>>;

/** @param steps of its system, in order */
export function firstRunFiles(setup: PiSetup, steps: FirstRunSteps): Record<string, string> {
  const all = Object.entries({ ...steps, keys: keysStep(setup) });
  const functions = [
    `${stepFunction}${sudoFunction}`,
    ...all.map(([name, commands]) => `${name}() {\n${commands}\n}\n`),
  ].join('\n');
  const text = withVariables(
    inFront(script(new URL('./firstrun.sh', import.meta.url)), functions),
    {
      steps: all.map(([name]) => name).join(' '),
      setup_file: setupFile,
      error_file: errorFile,
      own_file: firstRunFile,
    },
  );
  return { [firstRunFile]: text };
}

function keysStep({ user }: PiSetup): string {
  const name = shellWord(user.name);
  return `  home=$(getent passwd ${name} | cut -d : -f 6)
  group=$(id -g ${name})
  install -d -m 700 -o ${name} -g "$group" "$home/.ssh"
  printf '%s\\n' ${user.keys.map(shellWord).join(' ')} > "$home/.ssh/authorized_keys"
  chmod 600 "$home/.ssh/authorized_keys"
  chown ${name}:"$group" "$home/.ssh/authorized_keys"`;
}

/** Of a shell: `allow_sudo USER`. */
const sudoFunction = `allow_sudo() {
  echo "$1 ALL=(ALL) NOPASSWD: ALL" > /etc/sudoers.d/010_skolo
  chmod 440 /etc/sudoers.d/010_skolo
}
`;

/** With Raspberry Pi OS programs. */
export function raspberryPiSteps(setup: PiSetup): FirstRunSteps {
  const { identity, user, timezone, keyboard, locale } = setup;
  const custom = '/usr/lib/raspberrypi-sys-mods/imager_custom';
  return {
    name: `  ${custom} set_hostname ${shellWord(identity.hostname)}`,
    // The first user has no password, which stays so.
    user: `  if [ -e /usr/lib/userconf-pi/userconf ]; then /usr/lib/userconf-pi/userconf ${shellWord(user.name)} ''; fi
  allow_sudo ${shellWord(user.name)}`,
    place: `  ${custom} set_keymap ${shellWord(keyboard)}
  ${custom} set_timezone ${shellWord(timezone)}
  ${
    // Every system contains it, and raspi-config may not support it.
    locale === 'C.UTF-8'
      ? 'echo LANG=C.UTF-8 > /etc/default/locale'
      : `raspi-config nonint do_change_locale ${shellWord(locale)}`
  }`,
  };
}
