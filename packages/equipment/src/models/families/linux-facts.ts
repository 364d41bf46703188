/** The commands that `linuxConnectedHosts` may send after the list of links. */
export function linuxHosts(...leases: readonly string[]): string[] {
  return [
    'if there is a bridge: PATH=$PATH:/usr/sbin:/sbin bridge fdb show',
    'if it has no such program, for each bridge: cat /sys/class/net/BRIDGE/brforward, and grep ^0x /sys/class/net/BRIDGE/brif/*/port_no /dev/null',
    'cat /proc/net/arp',
    ...leases,
  ];
}
