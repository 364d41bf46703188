import type { SkoloCommand } from '../../command.ts';
import { connectTo } from '../../service-client.ts';

/** The metadata server, whose own API is on its metrics port: the public one speaks only Google's protocol. */
export async function metadataServer(command: SkoloCommand) {
  const { metadataServerApi } = await import('@skolo/api');
  return connectTo({
    api: metadataServerApi,
    service: 'metadata-server',
    port: 'metrics',
    globals: command.globals(),
  });
}
