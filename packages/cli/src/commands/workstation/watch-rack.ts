import type { ConsoleRack } from '@skolo/api';
import { WatchedRack } from '@skolo/console/racks';
import type { FleetRack } from '@skolo/fleet';
import type { SkoloCommand } from '../../command.ts';
import { readRackOf } from '../../reach/racks.ts';
import { findToken } from '../../reach/service-client.ts';

interface Options {
  /** Instead of the saved token. */
  tokenFile: string | undefined;
  /** ssh may ask for a passphrase or a host key at the first attempt. With several racks, nobody could tell for which one. */
  mayAsk: boolean;
  onConnection(rack: ConsoleRack): void;
}

/** Keeps a rack reachable through its jumphost until the command ends. */
export function watchRack(
  command: SkoloCommand,
  rack: FleetRack,
  { tokenFile, mayAsk, onConnection }: Options,
): WatchedRack {
  const { io } = command;
  let isFirst = true;
  return new WatchedRack({
    name: rack.name,
    async open(signal) {
      const [{ openJumphost }, { serviceUrl }] = await Promise.all([
        import('@skolo/fleet'),
        import('@skolo/rack/light'),
      ]);
      const own = await readRackOf(rack);
      const baseUrl = serviceUrl(own, 'machine-state');
      const asks = mayAsk && isFirst;
      isFirst = false;
      const jumphost = await openJumphost(rack, { env: io.env, mayAsk: asks, signal });
      command.atEnd(jumphost.close);
      return { baseUrl, rack: own.name, fetch: jumphost.fetch };
    },
    savedToken: async () => (await findToken(io, tokenFile, rack.name))?.token,
    now: io.now,
    onConnection,
  });
}
