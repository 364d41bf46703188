/** Handlers of the HTTP API. The endpoints that receive alerts are in `receive/`. */
import type { alertToPubsubApi, SinkStatus } from '@skolo/api';
import { HttpProblem, type RouteHandlers } from '@skolo/common';
import type { DeadLetters } from './dead-letters.ts';
import type { Intake } from './intake.ts';
import { NotAccepted } from './receive/batch.ts';
import { retryDeadLetters } from './retry-dead-letters.ts';
import type { SinkView, Status } from './status.ts';

export interface ApiDeps {
  status: Status;
  location(): string;
  deadLetters: DeadLetters;
  intake: Intake;
}

export function apiHandlers({
  status,
  location,
  deadLetters,
  intake,
}: ApiDeps): RouteHandlers<typeof alertToPubsubApi> {
  return {
    alerts: async () => ({ status: 200, body: { alerts: status.alerts() } }),
    async status() {
      const { healthy, why, lastHeard } = status.health();
      const refusing = status.refusing();
      const damage = status.damage();
      return {
        status: 200,
        body: {
          location: location(),
          healthy,
          ...(why !== undefined && { why }),
          ...(lastHeard !== undefined && { lastHeard: timeOf(lastHeard) }),
          receivers: status.receivers(),
          firing: status.firing(),
          spool: {
            ...status.spool(),
            ...(refusing !== undefined && { refusing }),
            ...(damage !== undefined && { damage }),
          },
          sinks: status.sinks().map(shownSink),
        },
      };
    },
    deadLetters: async ({ query }) => ({
      status: 200,
      body: { deadLetters: await deadLetters.list({ limit: query.limit }) },
    }),
    async retryDeadLetters({ body }) {
      const { sink } = body;
      const names = status.sinks().map(({ name }) => name);
      if (sink !== undefined && !names.includes(sink)) {
        throw new HttpProblem(404, `no sink ${sink} in rack.yaml; sinks: ${names.join(', ')}`);
      }
      try {
        return { status: 200, body: await retryDeadLetters({ deadLetters, intake }, names, sink) };
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
