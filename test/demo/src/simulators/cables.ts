/**
 * The cabling: as rack.yaml has it when an entry is first seen. Edits of rack.yaml move no cables, so that `skolo check cabling` finds their
 * mistakes.
 */
import { sha256 } from '@skolo/base';
import type { Outlet, Rack } from '@skolo/rack';
import type { Wiring } from '@skolo/simulators';

interface Cable {
  name: string;
  mac?: string;
  address?: string;
  uplink?: Outlet | 'internet';
}

export class Cables {
  private readonly wirings = new Map<string, Wiring>();
  private readonly plugged = new Set<string>();

  /** What a device sees at its ports. New cables appear in it. */
  wiringOf(device: string): Wiring {
    const wiring = this.wirings.get(device) ?? { hosts: [], own: macOf(device) };
    this.wirings.set(device, wiring);
    return wiring;
  }

  follow({ equipment, machines, jumphost }: Rack): void {
    const upwards = (name: string) => equipment.get(name)?.uplink;
    for (const cable of [jumphost, ...equipment.values(), ...machines.values()]) {
      if (!this.plugged.has(cable.name)) this.plugIn(cable, upwards);
      this.plugged.add(cable.name);
    }
  }

  /** The devices above also learn its address, at the port that leads to it. */
  private plugIn(
    { name, mac = macOf(name), address, uplink }: Cable,
    upwards: (name: string) => Cable['uplink'],
  ) {
    for (let at = uplink; at !== undefined && at !== 'internet'; at = upwards(at.device)) {
      const host = { mac, port: at.outlet, ...(address !== undefined && { address }) };
      this.wiringOf(at.device).hosts.push(host);
    }
  }
}

/** Constant per name; from the block of the Raspberry Pi Trading Ltd. */
function macOf(name: string): string {
  const hash = sha256(name);
  return `dc:a6:32:${hash.slice(0, 2)}:${hash.slice(2, 4)}:${hash.slice(4, 6)}`;
}
