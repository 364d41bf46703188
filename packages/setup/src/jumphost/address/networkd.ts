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

/** Of a shell. udev's database is read without its programs, which a container lacks. */
export const matchFunction = `# match_of INTERFACE: prints its line in [Match]: its path, because an update may change its name. On USB, the name contains the MAC
# address, and is the same in another socket.
match_of() {
  path=$(sed -n '/usb/!s/^E:ID_PATH=//p' "/run/udev/data/n$(cat "/sys/class/net/$1/ifindex")" 2> /dev/null || true)
  # Ports of one card may share it.
  if [ "$(grep -lxF "E:ID_PATH=$path" /run/udev/data/n* 2> /dev/null | wc -l)" = 1 ]; then echo "Path=$path"; else echo "Name=$1"; fi
}
`;

/**
 * The previous file, only for this interface and with a fixed address.
 *
 * @param previous the active file, which may also match other interfaces
 * @param match the line in [Match] that identifies the interface
 */
export function withFixedAddress(
  previous: string,
  fixed: FixedAddress,
  match = `Name=${fixed.name}`,
): string {
  const { address, prefix, gateway } = fixed;
  const sections = sectionsOf(previous).filter(
    (each) => !['Match', 'Address', 'DHCPv4', 'DHCP'].includes(each.title),
  );
  const network = sections.filter((each) => each.title === 'Network').flatMap((each) => each.lines);
  const others = sections.filter((each) => each.title !== 'Network');
  return [
    networkdFile.head,
    ...['[Match]', match, '', '[Network]', 'DHCP=no', `Address=${address}/${prefix}`],
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
