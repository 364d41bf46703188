import type { SkoloCommand } from '../../command.ts';
import { connectTo } from '../../service-client.ts';

export type AlertToPubsub = Awaited<ReturnType<typeof alertToPubsub>>;

export async function alertToPubsub(command: SkoloCommand) {
  const { alertToPubsubApi } = await import('@skolo/api');
  return connectTo({
    api: alertToPubsubApi,
    service: 'alert-to-pubsub',
    port: 'public',
    globals: command.globals(),
  });
}

/** What `GET /v1/status` answers. */
export type AlertToPubsubStatus = Awaited<
  ReturnType<Parameters<Parameters<AlertToPubsub['ask']>[0]>[0]['status']>
>;
