/**
 * rpi-preseed in the newest Raspberry Pi OS: one TOML file. Its own keys are used for what they support since version 1.0, and the
 * setup script for the rest.
 * Source: github.com/raspberrypi/rpi-preseed, schema and src/lib/toml.sh: strings on one line, with \\ and " as the only escapes.
 */
import type { PiSetup } from '../setup.ts';
import { bootFolder, setupFile } from './setup-script.ts';

export const preseedFile = 'rpi-preseed.toml';

export function preseedFiles(setup: PiSetup): Record<string, string> {
  const { identity, user, timezone, keyboard, locale } = setup;
  const list = (values: readonly string[]) => `[${values.map(quoted).join(', ')}]`;
  return {
    [preseedFile]: `# Written by skolo.
config_version = "1.0"

[system]
hostname = ${quoted(identity.hostname)}

[user]
name = ${quoted(user.name)}
passwordless_sudo = true

[ssh]
enabled = true
password_authentication = false
authorized_keys = ${list(user.keys)}

[locale]
keymap = ${quoted(keyboard)}
timezone = ${quoted(timezone)}
locales = ${list([locale])}
lang = ${quoted(locale)}

[runcmd]
early = ${list([`sh ${bootFolder}/${setupFile}`])}
early_cmd_timeout = 25
`,
  };
}

/** Setups do not contain control characters. */
function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
