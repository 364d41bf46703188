/**
 * config.txt, the firmware's settings. Sections such as `[pi4]` apply to some models, `[all]` ends them.
 * Source: raspberrypi.com/documentation/computers/config_txt.html.
 */
const head = '# Written by skolo, which overwrites changes below this line.';

/** Lines of it. */
export const watchdogLine = 'dtparam=watchdog=on';
export const noWifiLine = 'dtoverlay=disable-wifi';

/** Appends these lines for all models. Another edit replaces them. */
export function editConfigTxt(text: string, lines: readonly string[]): string {
  const [before = ''] = text.replaceAll('\r\n', '\n').split(`\n[all]\n${head}\n`, 1);
  const kept = before.trimEnd();
  return lines.length === 0 ? `${kept}\n` : `${kept}\n\n[all]\n${head}\n${lines.join('\n')}\n`;
}

/** The lines that `editConfigTxt` has written. */
export function ownConfigLines(text: string): string[] {
  const [, own = ''] = text.replaceAll('\r\n', '\n').split(`\n[all]\n${head}\n`, 2);
  return own.split('\n').filter((line) => line !== '');
}

/** Where the firmware finds cmdline.txt on the boot partition. Since 25.10, Ubuntu has it in a directory. */
export function cmdlinePath(configTxt: string): string {
  const settings = new Map<string, string>();
  let isForAll = true;
  for (const line of configTxt.split(/\r?\n/)) {
    const [, section] = /^\s*\[(.*)\]\s*$/.exec(line) ?? [];
    if (section !== undefined) isForAll = section === 'all';
    const [, key = '', value = ''] = /^\s*(cmdline|os_prefix)\s*=\s*(\S+)\s*$/.exec(line) ?? [];
    if (isForAll && key !== '') settings.set(key, value);
  }
  return `${settings.get('os_prefix') ?? ''}${settings.get('cmdline') ?? 'cmdline.txt'}`;
}
