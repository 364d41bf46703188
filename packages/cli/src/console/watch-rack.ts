import { join } from 'node:path';
import type { DeskRack } from '@skolo/api';
import type { FleetRack } from '@skolo/fleet';
import type { SkoloCommand } from '../command.ts';
import { savedTokenFile } from '../desk-files.ts';
import { readToken } from '../service-client.ts';
import { WatchedRack } from './watched-rack.ts';

/**
 * A rack through its jumphost, until the command ends. ssh asks for nothing: nobody could tell for which of the racks.
 *
 * @param tokenFile instead of the saved token
 */
export function watchRack(
  command: SkoloCommand,
  rack: FleetRack,
  { tokenFile, onConnection }: { tokenFile?: string; onConnection(rack: DeskRack): void },
): WatchedRack {
  const { io } = command;
  return new WatchedRack({
    name: rack.name,
    async open(signal) {
      const [{ openJumphost }, { readRack }, { serviceUrl }] = await Promise.all([
        import('@skolo/fleet'),
        import('@skolo/rack'),
        import('@skolo/rack/service-urls'),
      ]);
      const baseUrl = serviceUrl(await readRack(join(rack.overlay, 'rack.yaml')), 'machine-state');
      const jumphost = await openJumphost(rack, { env: io.env, mayAsk: false, signal });
      command.atEnd(jumphost.close);
      return { baseUrl, fetch: jumphost.fetch };
    },
    async savedToken() {
      const file = tokenFile ?? (await savedTokenFile(io.env, rack.name));
      return file === undefined ? undefined : await readToken(file);
    },
    now: io.now,
    onConnection,
  });
}
