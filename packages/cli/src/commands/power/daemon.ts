import type { SkoloCommand } from '../../command.ts';
import { connectTo } from '../../service-client.ts';

export type PowerCycleDaemon = Awaited<ReturnType<typeof powerCycleDaemon>>;

export async function powerCycleDaemon(command: SkoloCommand) {
  const { powerCycleDaemonApi } = await import('@skolo/api');
  return connectTo({
    api: powerCycleDaemonApi,
    service: 'power-cycle-daemon',
    port: 'public',
    globals: command.globals(),
  });
}
