/**
 * A service's HTTP API as data: one {@link RouteSpec} per route, with its role, schemas, audit line, and whether it may be repeated. The
 * server's handlers, the client and `/openapi.json` are all derived from it, so they cannot disagree.
 */
import type { z } from 'zod';
import { type AuditedElsewhere, type Audits, whyNotAudited } from './audited-fields.ts';

/** Each role includes the previous ones. */
export type Role = 'view' | 'operate' | 'admin';

/** `texts`: masking and comparing configurations. `readings`: sessions with devices. */
export type WorkLimit = 'texts' | 'readings';

/**
 * What a token may do beyond its role, for programs for which `operate` would be too much: say that jobs run on the machines that it lists,
 * or end the holds of incidents that are over.
 */
export type Right = 'busy' | 'endsOnIt';

/** Who may call a route. There is no default, so that no route is open by omission. */
type Admission =
  /** Minimum role of the caller; `anyone`: no token is needed. */
  | {
      role: Role | 'anyone';
      machine?: never;
      /** Admits a token with this right, too. `on`: only for the targets that the token lists; this parameter names one. */
      right?: { name: Right; on?: string };
    }
  /** Only for machines, which ask on their own behalf and sign with their agent's key. */
  | { machine: true; role?: never; right?: never };

export type RouteSpec = RouteParts & Admission;

interface RouteParts {
  method: 'get' | 'post' | 'put' | 'delete';
  /** As in OpenAPI: `/v1/clients/{name}`. */
  path: `/${string}`;
  /** One line for people. */
  summary: string;
  description?: string;
  /** Headings in the documentation; default: the path segment after the version, such as `clients`. */
  tags?: readonly string[];
  /**
   * What its callers may use up: each call counts 1, before its body is read, and the handler adds what it takes beyond that. Only for
   * routes that admit only callers with a role.
   */
  limit?: WorkLimit;
  /** What happens if the request is sent again; begins with `key` if an `Idempotency-Key` prevents this. Of all routes except `get`. */
  repeated?: string;
  /** What the audit log records. Every route except `get` has it. */
  audits?: Audits | AuditedElsewhere;
  /** A key for each `{name}` in the path. */
  params?: z.ZodObject;
  /** Values arrive as strings, so numbers need `z.coerce.number()`. */
  query?: z.ZodObject;
  /** Request headers of the route, in lower case. */
  headers?: z.ZodObject;
  /** JSON. Not for `get` and `delete`, where HTTP does not define it. */
  body?: z.ZodType;
  /** Maximum size of a body; default 1 MiB, for `anyone` and machines 16 KiB. */
  mostBodyBytes?: number;
  /** By status; undefined: no body. At least one is 2xx. Others are a Problem, or extend it. */
  answers: { readonly [status: number]: z.ZodType | undefined };
  /** Content types of a 2xx response of text or bytes. The first is the usual one, and `answers` has no schema for it. */
  types?: readonly string[];
  /** For a 2xx response of server-sent events: the JSON of each event, by its name. `answers` has no schema for it. */
  events?: Readonly<Record<string, z.ZodType>>;
}

/** A service's API: each route by the client's method name. */
export type Api = Readonly<Record<string, RouteSpec>>;

/**
 * A route with all its types preserved. Checked when the module is loaded, the earliest possible time.
 *
 * @throws TypeError The route contradicts itself.
 */
export function route<const R extends RouteSpec>(spec: R): R {
  const inPath = pathParams(spec.path).sort();
  const declared = Object.keys(spec.params?.shape ?? {}).sort();
  if (inPath.join() !== declared.join()) {
    const found = `the path contains ${list(inPath)}, but params contains ${list(declared)}`;
    throw new TypeError(`${name(spec)}: ${found}`);
  }
  if (spec.body && (spec.method === 'get' || spec.method === 'delete')) {
    throw new TypeError(`${name(spec)}: a ${spec.method} request must not have a body`);
  }
  if (!Object.keys(spec.answers).some((status) => isSuccess(Number(status)))) {
    throw new TypeError(`${name(spec)}: none of the responses is 2xx`);
  }
  const why = whyNotAudited(spec);
  if (why !== undefined) throw new TypeError(`${name(spec)}: ${why}`);
  return spec;
}

/** The role that a caller needs; undefined: `anyone`, or a machine. */
export function roleOf({ role }: RouteSpec): Role | undefined {
  return role === 'anyone' ? undefined : role;
}

/** The names in the path's braces. */
export function pathParams(path: string): string[] {
  return [...path.matchAll(/\{([^{}]*)\}/g)].map(([, param]) => param ?? '');
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** The parsed request of a handler. */
export interface RouteRequest<R extends RouteSpec> {
  params: OutputOf<R['params'], NoKeys>;
  query: OutputOf<R['query'], NoKeys>;
  /** Only those that the route names. */
  headers: OutputOf<R['headers'], NoKeys>;
  body: OutputOf<R['body'], undefined>;
}

/** A handler's result: one of the route's statuses, and the matching body. */
export type RouteAnswer<R extends RouteSpec> = {
  [Status in keyof R['answers'] & number]: {
    status: Status;
    headers?: Record<string, string>;
  } & AnswerContent<R, R['answers'][Status]>;
}[keyof R['answers'] & number];

type AnswerContent<R extends RouteSpec, Schema> = Schema extends z.ZodType
  ? { body: z.input<Schema> }
  : R extends { types: readonly (infer Type)[] }
    ? { body: string | Uint8Array; type?: Type }
    : R extends { events: infer Events extends EventSchemas }
      ? { follow: (send: SendEvent<Events>) => () => void }
      : { body?: undefined };

type EventSchemas = NonNullable<RouteSpec['events']>;

/** The body of the 2xx response as JSON. */
export type JsonAnswer<R extends RouteSpec> = {
  [Status in keyof R['answers'] & number]: `${Status}` extends `2${string}`
    ? R['answers'][Status] extends z.ZodType
      ? z.output<R['answers'][Status]>
      : undefined
    : never;
}[keyof R['answers'] & number];

/**
 * Sends one event. A handler's `follow` calls it for each, and returns a function that stops it. A client that reconnects sends the last
 * `id` as `Last-Event-ID`.
 */
export type SendEvent<Events extends EventSchemas> = <Name extends keyof Events & string>(
  name: Name,
  data: z.input<Events[Name]>,
  id?: string,
) => void;

type NoKeys = Record<never, never>;
type OutputOf<S, Otherwise> = S extends z.ZodType ? z.output<S> : Otherwise;

function name(spec: RouteSpec) {
  return `${spec.method.toUpperCase()} ${spec.path}`;
}

function list(names: string[]) {
  return names.length === 0 ? 'no parameters' : names.map((each) => `{${each}}`).join(', ');
}
