/** The HTTP API: what fires, what waits, what was refused. Alerts come in elsewhere (`receive/`). */
import type { alertToPubsubApi, SinkStatus } from '@skolo/api';
import type { RouteHandlers } from '@skolo/common';
import type { DeadLetters } from './dead-letters.ts';
import type { SinkView, View } from './view.ts';

export interface ApiDeps {
  view: View;
  location(): string;
  deadLetters: Pick<DeadLetters, 'list'>;
}

export function apiHandlers({
  view,
  location,
  deadLetters,
}: ApiDeps): RouteHandlers<typeof alertToPubsubApi> {
  return {
    alerts: async () => ({ status: 200, body: { alerts: view.alerts() } }),
    async status() {
      const { healthy, why, lastHeard } = view.health();
      const refusing = view.refusing();
      const damage = view.damage();
      return {
        status: 200,
        body: {
          location: location(),
          healthy,
          ...(why !== undefined && { why }),
          ...(lastHeard !== undefined && { lastHeard: timeOf(lastHeard) }),
          receivers: view.receivers(),
          firing: view.firing(),
          spool: {
            ...view.spool(),
            ...(refusing !== undefined && { refusing }),
            ...(damage !== undefined && { damage }),
          },
          sinks: view.sinks().map(shownSink),
        },
      };
    },
    deadLetters: async ({ query }) => ({
      status: 200,
      body: { deadLetters: await deadLetters.list({ limit: query.limit }) },
    }),
  };
}

function shownSink(sink: SinkView): SinkStatus {
  const { name, kind, depth, oldestSeconds, lastSuccess, failingSince, reason, detail } = sink;
  return {
    name,
    kind,
    depth,
    oldestSeconds,
    ...(lastSuccess !== undefined && { lastSuccess: timeOf(lastSuccess) }),
    ...(failingSince !== undefined && { failingSince: timeOf(failingSince) }),
    ...(reason !== undefined && { reason }),
    ...(detail !== undefined && { detail }),
  };
}

function timeOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
