/** Calls of the services, typed by `@skolo/api`. Others than machine-state are behind `/services/NAME`. */
import { routes } from 'virtual:routes';
import type { alertToPubsubApi } from '@skolo/api/alert-to-pubsub';
import type { auditApi } from '@skolo/api/audit';
import type { consoleApi } from '@skolo/api/console';
import type { deskApi } from '@skolo/api/desk';
import type { machineStateApi } from '@skolo/api/machine-state';
import type { metadataServerApi } from '@skolo/api/metadata-server';
import type { powerCycleDaemonApi } from '@skolo/api/power-cycle-daemon';
import type { Problem } from '@skolo/api/problem';
import type { JsonAnswer, RouteSpec } from '@skolo/api/route';
import type { routerBackupApi } from '@skolo/api/router-backup';
import type { z } from 'zod';
import { plainJson } from './plain.ts';

type Audited<A> = A & typeof auditApi;

export interface Apis {
  'machine-state': Audited<typeof machineStateApi & typeof consoleApi>;
  /** Of the page with all racks. */
  desk: typeof deskApi;
  'alert-to-pubsub': Audited<typeof alertToPubsubApi>;
  'metadata-server': Audited<typeof metadataServerApi>;
  'power-cycle-daemon': Audited<typeof powerCycleDaemonApi>;
  'router-backup': Audited<typeof routerBackupApi>;
}
export type ServiceName = keyof Apis;
type RouteOf<S extends ServiceName, N extends keyof Apis[S]> = Extract<Apis[S][N], RouteSpec>;

export interface CallInput<R extends RouteSpec> {
  params?: Record<string, string>;
  query?: Record<string, string | number | undefined>;
  headers?: Record<string, string>;
  body?: R['body'] extends z.ZodType ? z.input<R['body']> : never;
  signal?: AbortSignal | undefined;
}

/** A service rejected the request, or does not answer (`status` 0). */
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

/** @throws CallFailed */
export async function call<S extends ServiceName, N extends keyof Apis[S] & string>(
  service: S,
  name: N,
  input: CallInput<RouteOf<S, N>> = {},
): Promise<JsonAnswer<RouteOf<S, N>>> {
  const response = await send(service, name, input);
  const text = await response.text();
  // The service has checked it by the schema that this type is made of.
  return (text === '' ? undefined : JSON.parse(plainJson(text))) as JsonAnswer<RouteOf<S, N>>;
}

/** @throws CallFailed */
export async function send<S extends ServiceName, N extends keyof Apis[S] & string>(
  service: S,
  name: N,
  { params = {}, query = {}, headers = {}, body, signal }: CallInput<RouteOf<S, N>> = {},
  isStream = false,
): Promise<Response> {
  const [method, path] = routes[service][name];
  const isOwn = service === 'machine-state' || service === 'desk';
  const prefix = isOwn ? '.' : `./services/${service}`;
  const filled = path.replace(/\{(\w+)\}/g, (_, key: string) =>
    encodeURIComponent(params[key] ?? ''),
  );
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined) search.set(key, String(value));
  }
  const signals = [
    ...(signal ? [signal] : []),
    ...(isStream ? [] : [AbortSignal.timeout(answersWithinMs)]),
  ];
  const response = await fetch(`${prefix}${filled}${search.size > 0 ? `?${search}` : ''}`, {
    method,
    headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.any(signals),
  }).catch((error: unknown) => {
    signal?.throwIfAborted();
    const late = error instanceof DOMException && error.name === 'TimeoutError';
    const detail = late
      ? `${service} did not answer in time`
      : 'the console’s service is not reachable';
    throw new CallFailed(0, { detail });
  });
  if (!response.ok) throw new CallFailed(response.status, await problemOf(response));
  return response;
}

async function problemOf(response: Response): Promise<Partial<Problem>> {
  try {
    return JSON.parse(plainJson(await response.text()));
  } catch {
    return { detail: `the answer is ${response.status}, and not from this service` };
  }
}
