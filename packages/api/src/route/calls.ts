/**
 * The calls of a typed client: their types and URLs. Programs use them through `createClient`, and the console directly in its pages, so
 * this file imports no schemas at runtime.
 */
import type { z } from 'zod';
import type { Api, JsonAnswer, RouteSpec } from './route.ts';

/** Arguments of a call. */
export type ClientRequest<R extends RouteSpec> = Part<'params', R['params']> &
  Part<'query', R['query']> &
  Part<'headers', R['headers']> &
  Part<'body', R['body']> & { signal?: AbortSignal | undefined } & Limits;

/** Per call; overrides the client's options. */
interface Limits {
  timeoutMs?: number | undefined;
  mostBytes?: number | undefined;
}

/** A response of text or bytes. */
interface ClientContent {
  bytes: Uint8Array<ArrayBuffer>;
  headers: Pick<Headers, 'get'>;
}

/** A response of server-sent events; `id` is that of the last event that had one. */
interface ClientEvents<Events extends NonNullable<RouteSpec['events']>> {
  events: AsyncIterable<
    {
      [Name in keyof Events]: { name: Name; data: z.output<Events[Name]>; id?: string };
    }[keyof Events]
  >;
  headers: Pick<Headers, 'get'>;
}

/** The body of the 2xx response; undefined without a body. */
export type ClientAnswer<R extends RouteSpec> = R extends { types: readonly string[] }
  ? ClientContent
  : R extends { events: infer Events extends NonNullable<RouteSpec['events']> }
    ? ClientEvents<Events>
    : JsonAnswer<R>;

/** A call for each route. */
export type Client<A extends Api> = { readonly [Name in keyof A]: Call<A[Name]> };

type Call<R extends RouteSpec> =
  Record<never, never> extends ClientRequest<R>
    ? (request?: ClientRequest<R>) => Promise<ClientAnswer<R>>
    : (request: ClientRequest<R>) => Promise<ClientAnswer<R>>;

/**
 * A key is absent without a schema, optional if everything in the schema is, and otherwise required. Not distributive: for a generic route,
 * the four parts would be too many unions for TypeScript.
 */
type Part<Key extends string, S> = [S] extends [z.ZodType]
  ? Record<never, never> extends Sent<S>
    ? { [K in Key]?: Sent<S> }
    : { [K in Key]: Sent<S> }
  : Record<never, never>;

/** The input of a schema; for coerced values the output, because their input is `unknown`. */
type Sent<S extends z.ZodType> =
  z.input<S> extends Record<string, unknown>
    ? {
        [K in keyof z.input<S>]: unknown extends z.input<S>[K]
          ? K extends keyof z.output<S>
            ? z.output<S>[K]
            : never
          : z.input<S>[K];
      }
    : z.input<S>;

/**
 * A method for each route.
 *
 * @param routes by their names in the API
 * @param call checks the response, or trusts whoever did
 */
export function clientOf<A extends Api, Spec>(
  routes: Readonly<Record<keyof A, Spec>>,
  call: (spec: Spec, request: AnyRequest) => Promise<unknown>,
): Client<A> {
  const calls = Object.entries<Spec>(routes).map(([name, spec]) => [
    name,
    (request: AnyRequest = {}) => call(spec, request),
  ]);
  // The keys and types of the calls are those of the API, which `Object.entries` loses.
  return Object.fromEntries(calls) as Client<A>;
}

/** The request of any route. */
export interface AnyRequest extends Limits {
  params?: Record<string, unknown>;
  query?: Record<string, unknown>;
  headers?: Record<string, unknown>;
  body?: unknown;
  signal?: AbortSignal;
}

/** How the detail of a 404 begins if no route has the path, as since version 0.2.0. */
export const noSuchPath = 'no such path: ';

/** Not Implemented: the status of a call whose route an older service does not have. */
export const olderStatus = 501;

/**
 * A 404 or 405 that is not about a thing: the service is older than its client, and does not have the route.
 *
 * @param who the service, for the text
 * @returns the text; undefined: the problem is another one
 */
export function whyOlder(
  who: string,
  { method, path }: { method: string; path: string },
  { status, detail = '' }: { status: number; detail?: string | undefined },
): string | undefined {
  if (status !== 405 && !(status === 404 && detail.startsWith(noSuchPath))) return undefined;
  return `${who} is older than this skolo, and does not have ${method.toUpperCase()} ${path}; upgrade it as in docs/change/new-version.md, or use the version of skolo that it has`;
}

/** The headers of a request that have a value. */
export function headersOf({ headers = {} }: AnyRequest): Record<string, string> {
  const sent = Object.entries(headers).filter(([, value]) => value !== undefined);
  return Object.fromEntries(sent.map(([name, value]) => [name, String(value)]));
}

/** @throws TypeError A part of the path is empty, or a parser would treat it as a directory. */
export function urlOf(spec: { path: string }, request: AnyRequest, baseUrl: string): string {
  const path = spec.path.replace(/\{([^{}]*)\}/g, (_, param: string) => {
    const value = String(request.params?.[param] ?? '');
    // URL parsers treat `.` and `..` as directories, encoded or not.
    if (['', '.', '..'].includes(value)) {
      throw new TypeError(`'${value}' is not a valid ${param} for ${spec.path}`);
    }
    return encodeURIComponent(value);
  });
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(request.query ?? {})) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== undefined) query.append(key, String(each));
    }
  }
  const search = query.size > 0 ? `?${query}` : '';
  return `${baseUrl.replace(/\/+$/, '')}${path}${search}`;
}
