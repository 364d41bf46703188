/**
 * The scripted service: an API of packages/api over a real socket, with an answer for each route. Router, schemas, problems and streams are
 * those of packages/common; with tokens, so are rack.yaml, access control and the audit log.
 */
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Api,
  alertToPubsubApi,
  auditApi,
  consoleApi,
  enrolmentsApi,
  machineStateApi,
  metadataServerApi,
  powerCycleDaemonApi,
  type RouteSpec,
  routerBackupApi,
  swarmingClientApi,
} from '@skolo/api';
import { isSuccess, type RouteAnswer } from '@skolo/api/route';
import { isObject } from '@skolo/base';
import type { Clock, ServiceContext } from '@skolo/common';
import {
  type Access,
  addBuildInfo,
  bindRoutes,
  createLogger,
  HttpProblem,
  httpApp,
  probes,
  type RouteHandlers,
} from '@skolo/common/light';
import { Registry } from 'prom-client';
import { z } from 'zod';
import type { TestTokens } from './tokens.ts';

const apis = {
  'alert-to-pubsub': { ...alertToPubsubApi, ...auditApi },
  'machine-state': {
    ...machineStateApi,
    ...enrolmentsApi,
    ...auditApi,
    createLink: consoleApi.createLink,
  },
  'metadata-server': { ...metadataServerApi, ...auditApi },
  'power-cycle-daemon': { ...powerCycleDaemonApi, ...auditApi },
  'router-backup': { ...routerBackupApi, ...auditApi },
  'swarming-client': swarmingClientApi,
};
type Name = keyof typeof apis;
export type ApiOf<N extends Name> = (typeof apis)[N];

/** The body of the first 2xx response; a whole response, which has a numeric `status`; or an error, which is thrown. */
type Content<R extends RouteSpec> = BodyOf<RouteAnswer<R>> | RouteAnswer<R> | HttpProblem | AsIs;
type BodyOf<A> = A extends { status: infer Status extends number }
  ? `${Status}` extends `2${string}`
    ? A extends { body: infer Body }
      ? Body
      : undefined
    : never
  : never;

export type Answers<A extends Api> = {
  [Route in keyof A]?:
    | undefined
    | Content<A[Route]>
    | ((
        request: Parameters<RouteHandlers<A>[Route]>[0],
      ) => Content<A[Route]> | Promise<Content<A[Route]>>);
};

/** JSON that does not match the schema of its route. Only without tokens. */
class AsIs {
  readonly json: unknown;

  constructor(json: unknown) {
    this.json = json;
  }
}

export function asIs(json: unknown): AsIs {
  return new AsIs(json);
}

/** A request that has reached its answer: the route's name, and the body with the parameters and the query. */
export interface Call {
  name: string;
  body: Record<string, unknown>;
}

interface Host {
  url: string;
  close(): Promise<void>;
}

export interface Scripted<N extends Name> extends Host {
  /** Can be changed at any time. A route without one responds with 500. */
  answers: Answers<ApiOf<N>>;
  calls: Call[];
  /** `GET /v1/…` of all. */
  requests: string[];
  /** Answers every request while it is set, for responses of no such service. */
  instead: RequestListener | undefined;
}

interface Options<N extends Name> {
  calls?: Call[];
  /** Its address; default: 127.0.0.1. */
  host?: string;
  /** Who may call it; default: everybody. */
  access?: Access;
  /** With these, it is a service of a rack, with their roles. */
  tokens?: Pick<TestTokens, 'file'>;
  place?: Place;
  /** With tokens, in place of `createApp`. */
  serve?: (context: ServiceContext, own: Bound<N>) => RequestListener | Promise<RequestListener>;
}

interface Bound<N extends Name> {
  api: (typeof apis)[N];
  handlers: RouteHandlers<(typeof apis)[N]>;
}

/** Its rack; default: a rack4 with anonymous read access. */
export interface Place {
  rack?: string;
  anonymousRead?: readonly string[];
  /** For its state and audit log; default: a directory that is removed with it. */
  stateDir?: string;
  clock?: Clock;
  port?: number;
}

export async function startScripted<N extends Name>(
  name: N,
  answers: Answers<ApiOf<N>>,
  options: Options<N> = {},
): Promise<Scripted<N>> {
  const { calls = [], tokens } = options;
  const requests: string[] = [];
  const scripted: Omit<Scripted<N>, keyof Host> = { answers, calls, requests, instead: undefined };
  const guarded =
    (listener: RequestListener): RequestListener =>
    (request, response) => {
      requests.push(`${request.method} ${request.url}`);
      (scripted.instead ?? listener)(request, response);
    };
  const host =
    tokens === undefined
      ? await startAlone(name, scripted, options, guarded)
      : await startInRack(name, scripted, { ...options, tokens }, guarded);
  return Object.assign(scripted, host);
}

type Guard = (listener: RequestListener) => RequestListener;
/** By route. */
type Script = { answers: object; calls: Call[] };

function handlersOf<A extends Api>(api: A, script: Script): RouteHandlers<A> {
  const handlers = Object.entries<RouteSpec>(api).map(([name, { method, answers }]) => {
    const success = Object.keys(answers).map(Number).find(isSuccess);
    const handler = async (request: { params: object; query: object; body?: object }) => {
      const { params, query, body } = request;
      script.calls.push({ name, body: { ...params, ...query, ...body } });
      const answer: unknown = Reflect.get(script.answers, name);
      if (answer === undefined) throw new HttpProblem(500, `no answer to ${method} ${name}`);
      const content: unknown = typeof answer === 'function' ? await answer(request) : answer;
      if (content instanceof HttpProblem) throw content;
      const isWhole = isObject(content) && typeof content.status === 'number';
      return isWhole ? content : { status: success, body: content };
    };
    return [name, handler];
  });
  // A loop cannot express that each has the types of its own route.
  return Object.fromEntries(handlers) as RouteHandlers<A>;
}

const everybody: Access = {
  admit: () => ({ name: 'anonymous', role: 'admin', by: 'network' }),
  admitMachine: async () => ({ name: 'machine', role: 'operate', by: 'signature' }),
};

/** Without rack.yaml and files, in two milliseconds. */
async function startAlone(
  name: Name,
  script: Script,
  { access = everybody, host = '127.0.0.1' }: Pick<Options<Name>, 'access' | 'host'>,
  guard: Guard,
): Promise<Host> {
  const metrics = new Registry();
  addBuildInfo(metrics, { service: name, version: '1.2.3' });
  const api: Api = apis[name];
  const routes = [
    ...bindRoutes(unchecked(api), handlersOf(api, script)),
    ...probes(metrics, () => ({ ready: true, degraded: [] })),
  ];
  const log = createLogger({ service: name, level: 'silent' });
  const { listener } = httpApp({ log, metrics, access }, routes);
  const server = createServer(guard(listener));
  await once(server.listen(0, host), 'listening');
  const address = server.address();
  return {
    url: `http://${host}:${typeof address === 'object' && address?.port}`,
    async close() {
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Without an audit log. */
function unchecked(api: Api): Api {
  const entries = Object.entries(api).map(([name, spec]) => {
    const answers = Object.entries(spec.answers).map(([status, schema]) => [
      status,
      schema &&
        z.unknown().transform((body) => (body instanceof AsIs ? body.json : schema.parse(body))),
    ]);
    return [name, { ...spec, audits: undefined, answers: Object.fromEntries(answers) }];
  });
  return Object.fromEntries(entries);
}

async function startInRack<N extends Name>(
  name: N,
  script: Script,
  { tokens, place = {}, serve }: Options<N> & Required<Pick<Options<N>, 'tokens'>>,
  guard: Guard,
): Promise<Host> {
  // Loaded here, because most tests need no more than `light`.
  const { createApp, startService } = await import('@skolo/common');
  const { rack = 'rack4', anonymousRead = ['127.0.0.0/8'], clock, port = 0 } = place;
  const { stateDir = await mkdtemp(join(tmpdir(), 'skolo-scripted-')) } = place;
  await mkdir(stateDir, { recursive: true });
  const rackFile = join(stateDir, 'rack.yaml');
  const access = `{ tokens: { file: "${tokens.file}" }, anonymousRead: ${JSON.stringify(anonymousRead)} }`;
  await writeFile(
    rackFile,
    `rack: ${rack}\njumphost: { name: jumphost, address: 127.0.0.1 }\naccess: ${access}\n`,
  );
  const api = { ...apis[name] };
  // `createApp` adds the real one.
  Reflect.deleteProperty(api, 'audit');
  const own = { api, handlers: handlersOf(api, script) };
  const listenerIn = (context: ServiceContext) =>
    serve === undefined ? createApp(context, own) : serve(context, own);
  const service = await startService(
    {
      name,
      start: async (context) => ({
        handler: guard(await listenerIn(context)),
        readiness: () => ({ ready: true, degraded: [] }),
        stop: async () => {},
      }),
    },
    {
      rackFile,
      stateDir,
      host: '127.0.0.1',
      port,
      metricsPort: 0,
      logLevel: 'silent',
      ...(clock && { clock }),
    },
  );
  return {
    url: `http://127.0.0.1:${service.port}`,
    async close() {
      await service.stop();
      if (place.stateDir === undefined) await rm(stateDir, { recursive: true, force: true });
    },
  };
}
