/**
 * What is plugged into the ports of a switch or router, as its MAC table, links, ARP table and leases show it. Whoever
 * moves a cable changes `hosts`: the device is asked anew each time.
 */
import type { OutletBoard } from './device.ts';

interface WiredHost {
  /** Lower case, with colons. */
  mac: string;
  /** As rack.yaml names it. */
  port: string;
  /** 1 when absent. */
  vlan?: number;
  /** For the ARP table. */
  address?: string;
  /** Got its address by DHCP, with this name. */
  hostname?: string;
  /** Of a machine that something else feeds; always when absent. */
  isOn?(): boolean;
}

export interface Wiring {
  hosts: WiredHost[];
  /** All ports, besides those with power and those of the hosts. */
  ports?: readonly string[];
  /** MAC address of the device itself; `02:00:00:00:00:01` when absent. */
  own?: string;
}

/** What a device with this wiring sees now. */
export class Plugged {
  readonly own: string;
  private readonly wiring: Wiring;
  private readonly board: OutletBoard;

  constructor(wiring: Wiring | undefined, board: OutletBoard) {
    this.wiring = wiring ?? { hosts: [] };
    this.board = board;
    this.own = this.wiring.own ?? '02:00:00:00:00:01';
  }

  /** Those with power. */
  hosts(): WiredHost[] {
    const isFed = (port: string) => !this.board.has(port) || this.board.isOn(port);
    return this.wiring.hosts.filter(({ port, isOn }) => isFed(port) && (isOn?.() ?? true));
  }

  links(): { port: string; isUp: boolean }[] {
    const { hosts, ports = [] } = this.wiring;
    const all = [...ports, ...this.board.names(), ...hosts.map(({ port }) => port)];
    const up = new Set(this.hosts().map(({ port }) => port));
    return [...new Set(all)].map((port) => ({ port, isUp: up.has(port) }));
  }
}
