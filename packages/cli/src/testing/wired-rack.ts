/** A rack's actual cabling: what each switch and the router sees, as switches in a tree learn it. */
import type { ConnectedHost, ConnectedHosts } from '@skolo/api';

/** Where something is plugged in. */
export interface Place {
  device: string;
  port: string;
}

export interface Wired {
  /** Switches by name, with where they are plugged in: `router` or another switch. */
  switches: ReadonlyMap<string, Place>;
  /** Everything else that sends packets. */
  hosts: readonly { mac: string; place: Place; address?: string; hostname?: string }[];
  /** Ports of each switch; the uplink is the last one. */
  portCount: number;
}

/** What its own cable is in, which no rack.yaml has. */
function upPort({ portCount }: Pick<Wired, 'portCount'>): string {
  return String(portCount);
}

const routerMac = '80:2a:a8:00:00:01';

export function switchMac(name: string): string {
  const number = Number(/\d+$/.exec(name)?.[0] ?? 0);
  return `f0:9f:c2:00:00:${number.toString(16).padStart(2, '0')}`;
}

/** All switches and the router, except for those in `without`. */
export function readingsOf(wired: Wired, without: readonly string[] = []): ConnectedHosts[] {
  const readAt = '2026-11-21T12:00:00Z';
  const targets = [
    ...wired.hosts.map(({ mac, place }) => ({ mac, place })),
    ...[...wired.switches].map(([name, place]) => ({ mac: switchMac(name), place })),
  ];
  const all = [...wired.switches.keys()].map((name): ConnectedHosts => {
    const seen = new Map<string, string>([[routerMac, upPort(wired)]]);
    for (const { mac, place } of targets) {
      if (mac !== switchMac(name)) seen.set(mac, portTo(wired, name, place));
    }
    const hosts = [...seen].map(
      ([mac, port]): ConnectedHost => ({ mac, port, source: 'mac-table' }),
    );
    const used = new Set(seen.values());
    const ports = Array.from({ length: wired.portCount }, (_, at) => String(at + 1)).map(
      (name) => ({
        name,
        up: used.has(name),
      }),
    );
    return { equipment: name, readAt, hosts, ports, own: [switchMac(name)] };
  });
  const router: ConnectedHosts = {
    equipment: 'router',
    readAt,
    hosts: wired.hosts.flatMap(({ mac, address, hostname }): ConnectedHost[] => [
      ...(address === undefined ? [] : [{ mac, address, source: 'arp' as const }]),
      ...(address === undefined || hostname === undefined
        ? []
        : [{ mac, address, hostname, source: 'lease' as const }]),
    ]),
    ports: [],
    own: [routerMac],
  };
  return [...all, router].filter(({ equipment }) => !without.includes(equipment));
}

/** The switch port at which packets from that place arrive. */
function portTo(wired: Wired, equipment: string, place: Place): string {
  for (let at: Place | undefined = place; at !== undefined; at = wired.switches.get(at.device)) {
    if (at.device === equipment) return at.port;
  }
  return upPort(wired);
}
