/** Calls to the services from pages, typed by `@skolo/api`, with time limits. Services other than machine-state are at `/services/NAME`. */
import { routes } from 'virtual:routes';
import type { alertToPubsubApi } from '@skolo/api/alert-to-pubsub';
import type { auditApi } from '@skolo/api/audit-log';
import {
  type AnyRequest,
  clientOf,
  headersOf,
  olderStatus,
  urlOf,
  whyOlder,
} from '@skolo/api/calls';
import type { consoleApi } from '@skolo/api/console';
import type { machineStateApi } from '@skolo/api/machine-state';
import type { metadataServerApi } from '@skolo/api/metadata-server';
import type { powerCycleDaemonApi } from '@skolo/api/power-cycle-daemon';
import type { Problem } from '@skolo/api/problem';
import type { RouteSpec } from '@skolo/api/route';
import type { routerBackupApi } from '@skolo/api/router-backup';
import { serverEvents } from '@skolo/api/server-events';
import { plainJson } from './plain.ts';

/** What pages know of a route. */
export type Route = Pick<RouteSpec, 'path'> & { method: string };

type Audited<A> = A & typeof auditApi;

export interface Apis {
  'machine-state': Audited<typeof machineStateApi & typeof consoleApi>;
  'alert-to-pubsub': Audited<typeof alertToPubsubApi>;
  'metadata-server': Audited<typeof metadataServerApi>;
  'power-cycle-daemon': Audited<typeof powerCycleDaemonApi>;
  'router-backup': Audited<typeof routerBackupApi>;
}
/** A service rejected the request, or does not respond (`status` 0). */
export class CallFailed extends Error {
  readonly status: number;
  readonly problem: Partial<Problem>;

  constructor(status: number, problem: Partial<Problem>) {
    super(problem.detail ?? problem.title ?? `status ${status}`);
    this.name = 'CallFailed';
    this.status = status;
    this.problem = problem;
  }
}

const answersWithinMs = 30_000;
/** Services send something every 5 s. */
const silenceMs = 12_000;

export const machineState = clientFor('machine-state', '.');
export const alertToPubsub = clientFor('alert-to-pubsub');
export const metadataServer = clientFor('metadata-server');
export const powerCycleDaemon = clientFor('power-cycle-daemon');
export const routerBackup = clientFor('router-backup');

/** Its calls throw {@link CallFailed}. */
function clientFor<S extends keyof Apis>(service: S, baseUrl = `./services/${service}`) {
  return clientOf<Apis[S], Route>(routes[service], (route, request) =>
    call(service, route, request, baseUrl),
  );
}

async function call(service: string, route: Route, request: AnyRequest, baseUrl: string) {
  const { signal, body } = request;
  const late = new AbortController();
  let timer: number | undefined;
  function allow(ms: number): void {
    clearTimeout(timer);
    timer = window.setTimeout(() => late.abort(), ms);
  }
  let isStream = false;
  try {
    allow(answersWithinMs);
    const response = await fetch(urlOf(route, request, baseUrl), {
      method: route.method,
      headers: {
        ...headersOf(request),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.any([late.signal, ...(signal ? [signal] : [])]),
    });
    const { headers } = response;
    if (!response.ok) {
      const { status } = response;
      const problem = await problemOf(response);
      const older = whyOlder(service, route, { ...problem, status });
      if (older !== undefined) throw new CallFailed(olderStatus, { ...problem, detail: older });
      throw new CallFailed(status, problem);
    }
    const type = headers.get('content-type') ?? '';
    isStream = type.startsWith('text/event-stream');
    if (isStream) {
      allow(silenceMs);
      const onPiece = () => allow(silenceMs);
      const onEnd = () => clearTimeout(timer);
      return { events: eventsOf(response, { onPiece, onEnd }), headers };
    }
    if (type !== '' && !type.includes('json')) {
      return { bytes: new Uint8Array(await response.arrayBuffer()), headers };
    }
    const text = await response.text();
    // The service has validated it with the schemas from which the client's types are derived.
    return text === '' ? undefined : JSON.parse(plainJson(text));
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof CallFailed) throw error;
    const detail = late.signal.aborted
      ? `${service} did not respond in time`
      : 'the console service is unreachable';
    throw new CallFailed(0, { detail });
  } finally {
    if (!isStream) clearTimeout(timer);
  }
}

/** If no chunk arrives in time, the stream fails. */
async function* eventsOf(
  { body }: Response,
  { onPiece, onEnd }: { onPiece(): void; onEnd(): void },
) {
  const reader = body?.getReader();
  async function* pieces() {
    for (;;) {
      const piece = await reader?.read();
      if (piece?.value === undefined) return;
      onPiece();
      yield piece.value;
    }
  }
  try {
    for await (const { data, ...event } of serverEvents(pieces())) {
      yield { ...event, data: JSON.parse(plainJson(data)) };
    }
  } finally {
    onEnd();
    void reader?.cancel().catch(() => undefined);
  }
}

async function problemOf(response: Response): Promise<Partial<Problem>> {
  try {
    return JSON.parse(plainJson(await response.text()));
  } catch {
    return { detail: `unexpected response (${response.status}), probably from a proxy` };
  }
}
