import type { SkoloCommand } from '../../command.ts';
import { connectTo } from '../../service-client.ts';

export type RouterBackup = Awaited<ReturnType<typeof routerBackup>>;

export async function routerBackup(command: SkoloCommand) {
  const { routerBackupApi } = await import('@skolo/api');
  return connectTo({
    api: routerBackupApi,
    service: 'router-backup',
    port: 'public',
    globals: command.globals(),
  });
}
