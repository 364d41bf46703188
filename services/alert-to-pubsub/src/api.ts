/** Handlers of the HTTP API. The endpoints that receive alerts are in `receive/`. */
import type { alertToPubsubApi, SinkStatus } from '@skolo/api';
import { isoTime } from '@skolo/base';
import { type Clock, HttpProblem, type RouteHandlers } from '@skolo/common';
import type { SinkView } from './delivery/sinks.ts';
import type { Intake } from './intake/intake.ts';
import { retryDeadLetters } from './intake/retry-dead-letters.ts';
import { testAlert } from './intake/test-alert.ts';
import { Rejection } from './receive/rejection.ts';
import type { DeadLetters } from './state/dead-letters.ts';
import type { Status } from './status.ts';

interface ApiDeps {
  status: Status;
  location(): string;
  deadLetters: DeadLetters;
  intake: Intake;
  clock: Pick<Clock, 'now'>;
}

export function apiHandlers({
  status,
  location,
  deadLetters,
  intake,
  clock,
}: ApiDeps): RouteHandlers<typeof alertToPubsubApi> {
  /** @returns all sinks in rack.yaml @throws HttpProblem 404 */
  function sinksWith(sink: string | undefined): string[] {
    const names = status.sinks().map(({ name }) => name);
    if (sink === undefined || names.includes(sink)) return names;
    throw new HttpProblem(404, `no sink ${sink} in rack.yaml; sinks: ${names.join(', ')}`);
  }
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
      const retry = retryDeadLetters({ deadLetters, intake }, sinksWith(sink), sink);
      return { status: 200, body: await retry.catch(rejected('nothing was retried')) };
    },
    async sendTest({ params: { sink } }) {
      sinksWith(sink);
      // Its end follows, because nobody has sent it.
      const sent = intake.resend([testAlert(clock.now())], sink);
      await sent.catch(rejected('the test was not sent'));
      return { status: 202 };
    },
  };
}

function rejected(what: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof Rejection)) throw error;
    throw new HttpProblem(503, `${what}: ${error.message}`);
  };
}

function shownSink(sink: SinkView): SinkStatus {
  const { wantsHeartbeat: _, lastHeartbeat: __, ...view } = sink;
  const { lastSuccess, failingSince, ...shown } = view;
  return { ...shown, lastSuccess: isoTime(lastSuccess), failingSince: isoTime(failingSince) };
}
