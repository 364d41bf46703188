import { models } from '@skolo/equipment/models';
import type { Machine } from '../rack/rack.ts';
import { formatOutlet } from '../schema/outlets.ts';
import type { Draft } from './draft.ts';
import type { Omissions } from './omissions.ts';

/**
 * A machine with one feed, which is a network port, is plugged into this port: PoE. rack.yaml can name another uplink. A port that is the uplink of
 * something else has its error as a feed.
 */
export function inferUplinks({ rack }: Draft, omissions: Omissions | undefined): void {
  const entries = [rack.jumphost, ...rack.equipment.values(), ...rack.machines.values()];
  const taken = new Set(
    entries.flatMap((entry) =>
      entry?.uplink === undefined || entry.uplink === 'internet' ? [] : formatOutlet(entry.uplink),
    ),
  );
  for (const machine of rack.machines.values()) {
    const [feed, ...others] = machine.power;
    if (feed === undefined || others.length > 0 || machine.uplink !== undefined) continue;
    if (omissions?.dropped('machines', machine.name)?.has('uplink')) continue;
    const equipment = rack.equipment.get(feed.device);
    const network = models.get(equipment?.model ?? '')?.network;
    const port = equipment && network?.find(feed.outlet, equipment.options);
    if (port === undefined) continue;
    const uplink = { device: feed.device, outlet: port };
    if (!taken.has(formatOutlet(uplink)))
      Object.assign(machine, { uplink, uplinkIsInferred: true });
  }
}

/** The machine as in rack.yaml. */
export function withoutInferred({ uplink, uplinkIsInferred, ...machine }: Machine): Machine {
  return { ...machine, ...(uplink && !uplinkIsInferred && { uplink }) };
}
