/** The state of the bot: what it gave, and what the agent knows. */
import type { DeviceView } from '../devices/device.ts';
import type { AgentView } from './agent-view.ts';
import type { Given } from './dimensions.ts';
import { noTasks } from './no-tasks.ts';

/**
 * Everything given is in it (the bot's own check of its disks reads `disks` from here), but for `quarantined` and
 * `maintenance`: those are ours, as text or absent, since their being there is what Swarming looks at.
 *
 * `devices` is by serial, with `state`, `battery.level` and `temp`, as Swarming's own pages show it (luci-go,
 * swarming/server/ui2/modules/bot-list/bot-list-helpers.js).
 */
export function stateFor(given: Given, view: AgentView): Given {
  const { quarantined: _, maintenance: __, ...kept } = given;
  const { quarantined, maintenance } = noTasks(view);
  const devices = view.devices.map((device) => [keyOf(device), factsOf(device)] as const);
  return {
    ...kept,
    ...(view.slice && { sk_rack: view.slice.rack }),
    ...(devices.length > 0 && { devices: Object.fromEntries(devices) }),
    ...(quarantined !== undefined && { quarantined }),
    ...(maintenance !== undefined && { maintenance }),
  };
}

function keyOf({ name, reading }: DeviceView): string {
  return reading?.serial || name;
}

const stateOf = { present: 'available', missing: 'missing', unknown: 'unknown' } as const;

function factsOf({ name, kind, state, since, readAt, why, reading }: DeviceView): Given {
  return {
    name,
    kind,
    state: stateOf[state],
    since: since.toISOString(),
    ...(readAt && { read_at: readAt.toISOString() }),
    ...(why !== undefined && { why }),
    ...(reading && {
      temp: reading.temperatures,
      ...(reading.batteryPercent !== undefined && { battery: { level: reading.batteryPercent } }),
      ...(reading.thermalStatus !== undefined && { thermal_status: reading.thermalStatus }),
      ...(reading.uptimeSeconds !== undefined && { uptime: reading.uptimeSeconds }),
    }),
  };
}
