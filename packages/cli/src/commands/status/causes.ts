import { withoutName } from '@skolo/base';
import type { FleetRack, RackStatus } from '@skolo/fleet';
import type { Remark } from '../../output/overview.ts';

/**
 * Says why racks could not be read, one sentence each. Racks with the same cause get the same text, so that they share a line: the names
 * of rack and jumphost then become RACK and JUMPHOST.
 */
export function causesOf(found: readonly Pick<RackStatus, 'rack' | 'error'>[]): Remark[] {
  const failed = found.flatMap(({ rack, error }) => {
    if (error === undefined) return [];
    const text = withoutName(error.message, rack.name);
    return [{ name: rack.name, text, shared: withoutNames(text, rack) }];
  });
  const groups = Map.groupBy(failed, ({ shared }) => shared);
  return failed.map(({ name, text, shared }) => {
    return { name, text: (groups.get(shared)?.length ?? 0) > 1 ? shared : text };
  });
}

function withoutNames(text: string, rack: FleetRack): string {
  const ways = rack.type === 'k3s' ? rack.ways : [];
  const hosts = ways.flatMap(({ host, jump }) => [host, ...(jump === undefined ? [] : [jump])]);
  let shared = text;
  for (const host of hosts) shared = shared.replaceAll(host, 'JUMPHOST');
  return shared.replaceAll(rack.name, 'RACK');
}
