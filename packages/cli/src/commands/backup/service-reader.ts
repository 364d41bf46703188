import type { SkoloCommand } from '../../command.ts';
import { contentOf } from './content.ts';
import type { Reader } from './reader.ts';
import { routerBackup } from './service.ts';

/** What the service has. */
export async function serviceReader(command: SkoloCommand): Promise<Reader> {
  const service = await routerBackup(command);
  return {
    async versions(device, limit) {
      const request = { params: { device }, query: { limit } };
      const { versions } = await service.ask((client) => client.versions(request));
      return versions;
    },
    content: (device, version, secrets) =>
      service.ask(() => contentOf(service, { device, version, secrets })),
    diff(device, versions, secrets) {
      const query = { ...versions, secrets: secrets ? ('true' as const) : ('false' as const) };
      return service.ask((client) => client.diff({ params: { device }, query }));
    },
    restoreSteps: (device, version) =>
      service.ask((client) => client.restoreSteps({ params: { device, version } })),
  };
}
