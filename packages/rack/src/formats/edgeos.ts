/** Names as an EdgeRouter takes them, in `configure`. */
import type { Rack } from '../rack.ts';
import { hostsOf, namesOf } from './hosts.ts';

/**
 * Commands that can be repeated: `inet` has one value, which is replaced. An alias that is no longer there stays until
 * `delete system static-host-mapping host-name NAME` before. Commit and save are for whoever pastes them.
 */
export function edgeosCommands(rack: Rack): string {
  return hostsOf(rack)
    .flatMap((host) => {
      const mapping = `set system static-host-mapping host-name ${host.name}`;
      const aliases = namesOf(host, rack.network.domain).filter((name) => name !== host.name);
      return [
        `${mapping} inet ${host.address}`,
        ...aliases.map((alias) => `${mapping} alias ${alias}`),
      ];
    })
    .map((command) => `${command}\n`)
    .join('');
}
