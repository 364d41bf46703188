/** The HTTP API: what fires, what waits, what was set aside. Alerts come in elsewhere (`receive/`). */
import type { alertToPubsubApi, SinkStatus } from '@skolo/api';
import { HttpProblem, type RouteHandlers } from '@skolo/common';
import type { DeadLetters } from './dead-letters.ts';
import { NotAccepted } from './receive/heard.ts';
import type { Retried } from './retry.ts';
import type { SinkView, View } from './view.ts';

export interface ApiDeps {
  view: View;
  location(): string;
  deadLetters: Pick<DeadLetters, 'list'>;
  /** @throws NotAccepted */
  retry(sink: string | undefined): Promise<Retried>;
}

export function apiHandlers({
  view,
  location,
  deadLetters,
  retry,
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
    async retryDeadLetters({ body }) {
      const { sink } = body;
      if (sink !== undefined && !view.sinks().some(({ name }) => name === sink)) {
        const names = view.sinks().map(({ name }) => name);
        throw new HttpProblem(404, `no sink ${sink} in rack.yaml; sinks: ${names.join(', ')}`);
      }
      try {
        return { status: 200, body: await retry(sink) };
      } catch (error) {
        if (!(error instanceof NotAccepted)) throw error;
        throw new HttpProblem(503, `nothing was retried: ${error.message}`);
      }
    },
  };
}

function shownSink(sink: SinkView): SinkStatus {
  const { name, kind, depth, oldestSeconds, setAside, lastSuccess } = sink;
  const { failingSince, reason, detail, down } = sink;
  return {
    name,
    kind,
    depth,
    oldestSeconds,
    setAside,
    ...(lastSuccess !== undefined && { lastSuccess: timeOf(lastSuccess) }),
    ...(failingSince !== undefined && { failingSince: timeOf(failingSince) }),
    ...(reason !== undefined && { reason }),
    ...(detail !== undefined && { detail }),
    ...(down && { down }),
  };
}

function timeOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
