/**
 * Debian's own images for Raspberry Pis (raspi.debian.net), which do not contain a customisation program: systemd runs a script
 * once, from the kernel command line. The raspi-firmware package rewrites config.txt and cmdline.txt at the first boot and with each
 * kernel, so permanent words are in its settings, and config.txt is not changed.
 * Sources: raspi_master.yaml and rootfs of salsa.debian.org/raspi-team/image-specs; the hook z50-raspi-firmware of raspi-firmware
 * 1.20220830 (bookworm) and 1.20240424 (trixie); interfaces(5); wpa_supplicant.conf(5).
 */

import { script, shellWord, withArguments } from '@skolo/base';
import type { TextFile } from '@skolo/setup/engine';
import { PiError } from '../errors.ts';
import type { PiSetup } from '../setup.ts';
import type { FirstRunSteps } from './firstrun.ts';
import { builtInDrivers, wifiKey } from './network.ts';
import { textFile } from './root-files.ts';

/** Words that raspi-firmware adds each time it writes cmdline.txt. */
export const extraCmdline = '/etc/default/raspi-extra-cmdline';
/** Rewrites cmdline.txt and config.txt with each kernel. */
export const raspiFirmwareHook = '/etc/kernel/postinst.d/z50-raspi-firmware';

const head = '# Written by skolo.\n';
/** The kernel of this image numbers ports as it finds them, phones included (`net.ifnames=0`), and ifupdown knows only names. */
const port = 'wired0';
const wifiConf = '/etc/wpa_supplicant/skolo.conf';

/** @param words permanent words for cmdline.txt @throws PiError It does not support these network settings. */
export function debianFiles(setup: PiSetup, words: readonly string[]): TextFile[] {
  const { identity, nameServers, domain, wifi } = setup;
  if (identity.wired === 'dhcp' && nameServers.length > 0) {
    throw new PiError(
      `${identity.hostname}: Debian's own image gets its name servers from DHCP; omit --dns, or assign a fixed address`,
    );
  }
  return [
    textFile(extraCmdline, `${words.join(' ')}\n`),
    linkFile('wired', `Driver=${builtInDrivers.join(' ')}`),
    ...(identity.mac ? [linkFile('wired-mac', `PermanentMACAddress=${identity.mac}`)] : []),
    textFile('/etc/network/interfaces.d/eth0', wiredStanza(setup)),
    ...(nameServers.length === 0
      ? []
      : [
          textFile(
            '/etc/resolv.conf',
            `${head}${domain === undefined ? '' : `search ${domain}\n`}${nameServers.map((each) => `nameserver ${each}\n`).join('')}`,
          ),
        ]),
    ...(wifi === 'off'
      ? // Its kernel knows no `dtoverlay=disable-wifi`.
        [textFile('/etc/modprobe.d/skolo-wifi.conf', `${head}blacklist brcmfmac\n`)]
      : [
          textFile(
            '/etc/network/interfaces.d/wlan0',
            `${head}allow-hotplug wlan0\niface wlan0 inet dhcp\n    wpa-conf ${wifiConf}\n`,
          ),
          textFile(
            wifiConf,
            `country=${wifi.country}\nnetwork={\n    ssid=${Buffer.from(wifi.ssid).toString('hex')}\n    psk=${wifiKey(wifi)}\n}\n`,
            0o600,
          ),
        ]),
  ];
}

/** Source: systemd.link(5). */
function linkFile(name: string, match: string): TextFile {
  const text = `${head}[Match]\n${match}\n\n[Link]\nName=${port}\n`;
  return textFile(`/etc/systemd/network/10-skolo-${name}.link`, text);
}

function wiredStanza({ identity: { wired } }: PiSetup): string {
  const inet =
    wired === 'dhcp'
      ? `iface ${port} inet dhcp\n`
      : `iface ${port} inet static\n    address ${wired.address}/${wired.prefix}\n${wired.gateway === undefined ? '' : `    gateway ${wired.gateway}\n`}`;
  // Booting does not wait for a cable.
  return `${head}allow-hotplug ${port}\n${inet}iface ${port} inet6 auto\n`;
}

/** @param words permanent words for cmdline.txt */
export function debianSteps(setup: PiSetup, words: readonly string[]): FirstRunSteps {
  const { identity, user, timezone, keyboard, locale } = setup;
  const name = shellWord(identity.hostname);
  const zone = shellWord(`/usr/share/zoneinfo/${timezone}`);
  return {
    name: `  echo ${name} > /etc/hostname
  hostname ${name}`,
    user: withArguments(
      script(new URL('./debian-user.sh', import.meta.url)),
      user.name,
      ...user.keys,
    ),
    place: `  [ -e ${zone} ]
  ln -sfn ${zone} /etc/localtime
  echo ${shellWord(timezone)} > /etc/timezone
  printf 'XKBMODEL="pc105"\\nXKBLAYOUT="%s"\\n' ${shellWord(keyboard)} > /etc/default/keyboard
  ${locale === 'C.UTF-8' ? '' : localeCommands(locale)}echo ${shellWord(`LANG=${locale}`)} > /etc/default/locale`,
    // raspi-firmware may have rewritten cmdline.txt before this script.
    kernel: `  for word in ${words.map(shellWord).join(' ')}; do
    grep -qwF -e "$word" "$boot/cmdline.txt" || sed -i "1s/[[:space:]]*$/ $word/" "$boot/cmdline.txt"
  done`,
  };
}

function localeCommands(locale: string): string {
  return `command -v locale-gen || { echo 'the locales package is missing; build the image with --locale C.UTF-8'; exit 1; }
  grep -m 1 -F ${shellWord(`${locale} `)} /usr/share/i18n/SUPPORTED >> /etc/locale.gen
  locale-gen
  `;
}
