/** Handlers of the HTTP API. The endpoints that receive alerts are in `receive/`. */
import type { alertToPubsubApi, SinkStatus } from '@skolo/api';
import { isoTime } from '@skolo/base';
import { HttpProblem, type RouteHandlers } from '@skolo/common';
import type { SinkView } from './delivery/sinks.ts';
import type { Intake } from './intake/intake.ts';
import { retryDeadLetters } from './intake/retry-dead-letters.ts';
import { Rejection } from './receive/rejection.ts';
import type { DeadLetters } from './state/dead-letters.ts';
import type { Status } from './status.ts';

interface ApiDeps {
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
      const body = {
        location: location(),
        healthy,
        why,
        lastHeard: isoTime(lastHeard),
        receivers: status.receivers(),
        firing: status.firing(),
        unseen: status.unseen(),
        spool: { ...status.spool(), rejecting: status.rejecting(), damage: status.damage() },
        sinks: status.sinks().map(shownSink),
      };
      return { status: 200, body };
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
        if (!(error instanceof Rejection)) throw error;
        throw new HttpProblem(503, `nothing was retried: ${error.message}`);
      }
    },
  };
}

function shownSink(sink: SinkView): SinkStatus {
  const { wantsHeartbeat: _, lastHeartbeat: __, accepted: ___, ...view } = sink;
  const { lastSuccess, failingSince, ...shown } = view;
  return { ...shown, lastSuccess: isoTime(lastSuccess), failingSince: isoTime(failingSince) };
}
