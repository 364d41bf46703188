/** Commands for `configure` on an EdgeRouter. */
import type { Rack } from '../rack/rack.ts';
import { hostsOf, namesOf } from './hosts.ts';

/**
 * The commands can be repeated: `inet` has one value, which is replaced. A removed alias stays until
 * `delete system static-host-mapping host-name NAME`. The operator commits and saves.
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
