/** Files of systemd-networkd (systemd.network(5)). */
import type { FixedAddress } from './interfaces.ts';

/** Keys in [Network] that a fixed address replaces. Others from the previous file stay, such as name servers and routes. */
const replaced = /^\s*(DHCP|Address|Gateway|LinkLocalAddressing)\s*=/i;

/** The file with the address that skolo sets. Its name sorts first, and the first matching file applies. */
export const networkdFile = {
  /** @param name the interface, or a shell variable that contains it */
  path: (name: string) => `/etc/systemd/network/05-skolo-${name}.network`,
  head: '# Written by skolo: fixed address.',
};

/**
 * The previous file, only for this interface and with a fixed address.
 *
 * @param previous the active file, which may also match other interfaces
 */
export function withFixedAddress(previous: string, fixed: FixedAddress): string {
  const { name, address, prefix, gateway } = fixed;
  const sections = sectionsOf(previous).filter(
    (each) => !['Match', 'Address', 'DHCPv4', 'DHCP'].includes(each.title),
  );
  const network = sections.filter((each) => each.title === 'Network').flatMap((each) => each.lines);
  const others = sections.filter((each) => each.title !== 'Network');
  return [
    networkdFile.head,
    ...['[Match]', `Name=${name}`, '', '[Network]', 'DHCP=no', `Address=${address}/${prefix}`],
    ...(gateway === undefined ? [] : [`Gateway=${gateway}`]),
    ...network.filter((line) => !replaced.test(line)),
    ...others.flatMap(({ title, lines }) => ['', `[${title}]`, ...lines]),
    '',
  ].join('\n');
}

interface Section {
  title: string;
  lines: string[];
}

function sectionsOf(text: string): Section[] {
  const sections: Section[] = [];
  for (const line of text.split('\n')) {
    const title = /^\s*\[(.+)\]\s*$/.exec(line)?.[1];
    if (title !== undefined) sections.push({ title, lines: [] });
    else if (/^\s*[^#;\s]/.test(line)) sections.at(-1)?.lines.push(line);
  }
  return sections;
}
