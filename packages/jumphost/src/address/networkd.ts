/** Files of systemd-networkd (systemd.network(5)). */
import type { FixedAddress } from './interfaces.ts';

/** Keys of [Network] that a fixed address replaces. Others of the previous file stay: name servers, routes, rules. */
const replaced = /^\s*(DHCP|Address|Gateway|LinkLocalAddressing)\s*=/i;

/** Where the address that skolo sets is. Its name sorts before others, and the first one that matches counts. */
export const networkdFile = {
  /** @param name of the interface, or the variable of a shell that has it */
  path: (name: string) => `/etc/systemd/network/05-skolo-${name}.network`,
  head: '# Written by skolo: fixed address.',
};

/**
 * The previous file for this interface alone, with a fixed address.
 *
 * @param previous the file that is in force; it may match other interfaces, too
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
