/**
 * Finds what loses power or network when outlets are turned off, and decides which must not be: the jumphost, its own switch or the
 * controller depends on them. Pure.
 */
import { dependsOn, feedsKnown, formatOutlet, goesDark, type Outlet, type Rack } from '@skolo/rack';
import type { Feed } from '../state/records.ts';

/** Why this outlet must not be turned off automatically, given the current rack.yaml; undefined: it may be. */
export function whyNeeded(rack: Rack, outlet: Outlet): string | undefined {
  return whyDaemonNeeds(rack, [outlet], goesDark(rack, outlet));
}

/**
 * Who still has power and network. If one of two feeds is off already, the other one is the last.
 *
 * @param already the outlets that are off already
 */
export function goesDarkNow(
  rack: Rack,
  feeds: readonly Outlet[],
  already: readonly Feed[],
): string[] {
  const off = already.map(({ controller, outlet }) => ({ device: controller, outlet }));
  const darkAlready = new Set(off.length === 0 ? [] : goesDark(rack, off));
  return goesDark(rack, [...feeds, ...off]).filter((name) => !darkAlready.has(name));
}

/** Why cutting these outlets would make it impossible to turn them on again; undefined: it is possible. */
export function whyDaemonNeeds(
  rack: Rack,
  feeds: readonly Outlet[],
  dark: readonly string[],
): string | undefined {
  const unknown = feeds.find((feed) => !feedsKnown(rack, feed));
  if (unknown !== undefined)
    return `rack.yaml has errors, so the dependents of ${formatOutlet(unknown)} are unknown; to list the errors, run skolo check rack`;
  const needed = new Set(dependsOn(rack, rack.jumphost.name));
  const own = feeds.find((feed) => needed.has(formatOutlet(feed)));
  if (own !== undefined)
    return `${rack.jumphost.name}, where this daemon runs, depends on ${formatOutlet(own)}`;
  if (dark.includes(rack.jumphost.name))
    return `${rack.jumphost.name}, where this daemon runs, would lose power or network`;
  const controller = feeds.find(({ device }) => dark.includes(device));
  if (controller !== undefined)
    return `${controller.device}, which switches the outlet, would lose power or network as well`;
  for (const { device } of feeds) {
    const address = gatewayOf(rack, device);
    const gateway = dark.find((name) => address !== undefined && addressOf(rack, name) === address);
    if (gateway !== undefined)
      return `${device}, which switches the outlet, is reached through ${gateway}`;
  }
  return undefined;
}

/**
 * The broker or web service through which a switch is controlled: its host may have another name in the rack. An address that other devices
 * share with a machine means nothing: their ports are forwarded.
 */
function gatewayOf({ equipment }: Rack, name: string): string | undefined {
  const item = equipment.get(name);
  return item !== undefined && behindGateways.has(item.model) ? item.address : undefined;
}

const behindGateways: ReadonlySet<string> = new Set(['mqtt-switch', 'http-switch']);

function addressOf({ machines, equipment }: Rack, name: string): string | undefined {
  return (machines.get(name) ?? equipment.get(name))?.address;
}
