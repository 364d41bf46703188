/**
 * Finds the port into which each network card is plugged, and its address, from what switches and routers report. Pure. A port
 * only belongs to a machine if it sees a single card; a port with several cards, or with another switch, leads to another part of the
 * network.
 */
import type { ConnectedHosts } from '@skolo/api';
import { models } from '@skolo/equipment/models';
import {
  type Equipment,
  formatOutlet,
  type Jumphost,
  type Machine,
  type Outlet,
  type Rack,
} from '@skolo/rack';

/** An entry of rack.yaml that is plugged into the network. */
export interface Entry {
  name: string;
  mac: string | undefined;
  address: string | undefined;
  uplink: Outlet | undefined;
  power: readonly Outlet[];
  /** Absent for a machine or the jumphost. */
  equipment?: Equipment;
}

export function entriesOf(rack: Rack): Entry[] {
  const plain = [rack.jumphost, ...rack.machines.values()];
  return [
    ...plain.map(entryOf),
    ...[...rack.equipment.values()].map((equipment) => ({ ...entryOf(equipment), equipment })),
  ];
}

function entryOf({ name, mac, address, uplink, power }: Machine | Jumphost | Equipment): Entry {
  return { name, mac, address, uplink: uplink === 'internet' ? undefined : uplink, power };
}

/** Whether others are plugged into it. */
export function isNetwork({ equipment }: Entry): boolean {
  return equipment !== undefined && models.get(equipment.model)?.network !== undefined;
}

/** A switch or router, and the ports at which others see it. */
interface Network {
  name: string;
  ids: ReadonlySet<string>;
  uplink: Outlet | undefined;
  ports: readonly Outlet[];
}

export class Seen {
  /** Cards at each port of a MAC table, by device and port. */
  private readonly atPort = new Map<string, Map<string, Set<string>>>();
  private readonly links = new Map<string, Map<string, boolean>>();
  private readonly macsOf = new Map<string, Set<string>>();
  private readonly leasedTo = new Map<string, Set<string>>();
  private readonly names = new Map<string, string>();
  private readonly own = new Map<string, readonly string[]>();
  private readonly network: readonly Network[];
  private readonly witnesses = new Map<string, Set<string>>();

  constructor(rack: Rack, readings: readonly ConnectedHosts[]) {
    for (const { equipment, hosts, ports, own } of readings) {
      this.own.set(equipment, own);
      this.links.set(equipment, new Map(ports.map(({ name, up }) => [name, up])));
      const table = new Map<string, Set<string>>();
      for (const { mac, port, address, hostname, source } of hosts) {
        add(this.witnesses, mac, equipment);
        if (source === 'mac-table' && port !== undefined) add(table, port, mac);
        if (hostname !== undefined) this.names.set(mac, hostname);
        if (address !== undefined)
          add(source === 'lease' ? this.leasedTo : this.macsOf, address, mac);
      }
      if (table.size > 0) this.atPort.set(equipment, table);
    }
    this.network = entriesOf(rack)
      .filter(isNetwork)
      .map((entry): Network => {
        const ids = this.idsOf(entry);
        const { name, uplink } = entry;
        return { name, ids, uplink, ports: this.portsOf(ids) };
      });
  }

  /** Its cards: those that rack.yaml or the device itself names, otherwise the one that has its address. */
  idsOf({ name, mac, address }: Entry): ReadonlySet<string> {
    const known = [...(mac === undefined ? [] : [mac]), ...(this.own.get(name) ?? [])];
    if (known.length > 0) return new Set(known);
    const holders = address === undefined ? new Set<string>() : this.holdersOf(address);
    return holders.size === 1 ? holders : new Set();
  }

  /** Which card has an address now; a lease only counts if no card has responded for the address. */
  holdersOf(address: string): ReadonlySet<string> {
    return this.macsOf.get(address) ?? this.leasedTo.get(address) ?? new Set();
  }

  addressesOf(mac: string): string[] {
    const of = (table: ReadonlyMap<string, ReadonlySet<string>>) =>
      [...table].flatMap(([address, macs]) => (macs.has(mac) ? [address] : []));
    const now = of(this.macsOf);
    return now.length > 0 ? now : of(this.leasedTo);
  }

  hostnameOf(mac: string): string | undefined {
    return this.names.get(mac);
  }

  isSeen(mac: string): boolean {
    const inTable = [...this.atPort.values()].some((ports) =>
      [...ports.values()].some((macs) => macs.has(mac)),
    );
    return inTable || this.addressesOf(mac).length > 0;
  }

  /** The only device that reports the card; undefined: there are several. */
  onlyWitnessOf(mac: string): string | undefined {
    const [equipment, second] = this.witnesses.get(mac) ?? [];
    return second === undefined ? equipment : undefined;
  }

  /** Whether its MAC table was read. */
  hasTable(equipment: string): boolean {
    return this.atPort.has(equipment);
  }

  /** Undefined: the port was not read. */
  isUp({ device, outlet }: Outlet): boolean | undefined {
    return this.links.get(device)?.get(outlet);
  }

  cardsAt({ device, outlet }: Outlet): ReadonlySet<string> {
    return this.atPort.get(device)?.get(outlet) ?? new Set();
  }

  /** Ports in all MAC tables that see one of these cards. */
  portsOf(ids: ReadonlySet<string>): Outlet[] {
    return [...this.atPort].flatMap(([equipment, ports]) =>
      [...ports].flatMap(([outlet, macs]) =>
        [...ids].some((id) => macs.has(id)) ? [{ device: equipment, outlet }] : [],
      ),
    );
  }

  /** Ports with a single card, and that card. */
  singles(): { port: Outlet; mac: string }[] {
    return [...this.atPort].flatMap(([equipment, ports]) =>
      [...ports].flatMap(([outlet, macs]) => {
        const [mac, second] = macs;
        const port = { device: equipment, outlet };
        return mac === undefined || second !== undefined || this.isTrunk(port)
          ? []
          : [{ port, mac }];
      }),
    );
  }

  /** Whether another part of the network is behind it: several cards, or another switch or router. */
  isTrunk(port: Outlet): boolean {
    return this.cardsAt(port).size > 1 || this.network.some((each) => this.isBehind(each, port));
  }

  /** Ports that it may be plugged into directly. */
  placesOf(ids: ReadonlySet<string>): Outlet[] {
    return this.portsOf(ids).filter((port) => !this.isTrunk(port));
  }

  /**
   * Switch ports that a switch or router is plugged into directly, without another one in between. A switch between two others is seen by
   * both from different sides; one whose table was not read may be anywhere.
   */
  neighboursOf(entry: Entry): Outlet[] {
    const all = this.portsOf(this.idsOf(entry)).filter(({ device }) => device !== entry.name);
    const from = (equipment: string) =>
      this.network.find(({ name }) => name === equipment)?.ports ?? [];
    return all.filter((port) => {
      const others = this.network.filter(({ name }) => name !== port.device && name !== entry.name);
      return !others.some((other) => {
        if (!this.isBehind(other, port)) return false;
        if (!this.hasTable(other.name)) return true;
        const there = all.find(({ device }) => device === other.name);
        const back = from(port.device).find(({ device }) => device === other.name);
        return there !== undefined && there.outlet !== back?.outlet;
      });
    });
  }

  private isBehind({ name, ids, uplink, ports }: Network, port: Outlet): boolean {
    if (name === port.device) return false;
    const cards = this.cardsAt(port);
    if ([...ids].some((id) => cards.has(id))) return true;
    // A silent one is assumed to be where rack.yaml has it.
    const isSilent = ports.every(({ device }) => device !== port.device);
    return isSilent && uplink !== undefined && formatOutlet(uplink) === formatOutlet(port);
  }
}

function add(map: Map<string, Set<string>>, key: string, value: string): void {
  map.set(key, (map.get(key) ?? new Set()).add(value));
}
