/**
 * The hooks of the bot over HTTP, on loopback only. What they answer is known before they are asked: nothing here waits
 * for a device, a disk or another server.
 */
import type { IncomingMessage, Server } from 'node:http';
import {
  browserProblem,
  type Clock,
  Exchange,
  HttpProblem,
  type Logger,
  newServer,
  readText,
  wrongMethod,
} from '@skolo/common/light';
import type { Given } from './dimensions.ts';
import { type Hook, type HookWork, hooks } from './hooks.ts';

export interface HookDeps extends HookWork {
  /** After each call of a hook that there is; `seconds` is what it took. */
  onHook: (name: string, ok: boolean, seconds: number) => void;
  log: Logger;
  clock: Pick<Clock, 'uptime'>;
}

/** A state is some 10 kB. */
const mostBodyBytes = 1024 * 1024;
/** Tasks on this machine can reach it: they hold no connection for long, and not all of them. */
const limits = {
  headersTimeout: 5000,
  requestTimeout: 10_000,
  connectionsCheckingInterval: 5000,
  keepAliveTimeout: 5000,
};
const mostConnections = 256;

/** It listens where it is told to, which has to be loopback. */
export function createHookServer(deps: HookDeps): Server {
  const { log, clock, onHook } = deps;

  async function answer(exchange: Exchange): Promise<void> {
    const { request } = exchange;
    const refused = whyRefused(request);
    if (refused !== undefined) throw new HttpProblem(403, refused);
    const [path = '', query = ''] = (request.url ?? '').split('?', 2);
    if (path === '/healthz') {
      checkMethod(request, 'GET');
      return exchange.sendJson(200, { ok: true });
    }
    const name = path.slice(1);
    const hook = path.startsWith('/') ? hooks.get(name) : undefined;
    if (hook === undefined) throw new HttpProblem(404, `there is no hook ${path.slice(0, 100)}`);
    const startedAt = clock.uptime();
    let ok = false;
    try {
      checkMethod(request, hook.method);
      const given = hook.method === 'POST' ? await readObject(request) : {};
      exchange.sendJson(200, hook.answer(deps, { given, query: new URLSearchParams(query) }));
      ok = true;
    } finally {
      onHook(name, ok, clock.uptime() - startedAt);
    }
  }

  const server = newServer({
    handler(request, response) {
      const exchange = new Exchange(request, response, log);
      answer(exchange).catch((error: unknown) => exchange.fail(error));
    },
    serverOptions: limits,
  });
  server.maxConnections = mostConnections;
  return server;
}

/** Not HEAD either: a hook is called for what it does. */
function checkMethod({ method = '', url = '' }: IncomingMessage, takes: Hook['method']): void {
  if (method !== takes) throw wrongMethod(url.slice(0, 100), method, takes);
}

async function readObject(request: IncomingMessage): Promise<Given> {
  const expected = 'the body has to be the dict that the bot has, as JSON';
  const text = await readText(request, mostBodyBytes);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new HttpProblem(400, `${expected}; it is ${text === '' ? 'empty' : 'not JSON'}`);
  }
  if (isObject(value)) return value;
  throw new HttpProblem(400, `${expected}; it is no object`);
}

function isObject(value: unknown): value is Given {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Who may call the hooks: programs on this machine, and no browser. */
/** `Host` as a program on this machine writes it. A page that had its name resolved to loopback sends its own name. */
const loopbackHost = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;
const loopbackAddress = /^(?:::ffff:)?127\.|^::1$/;

/** Undefined: it may. */
export function whyRefused(request: IncomingMessage): string | undefined {
  const { headers, socket } = request;
  if (!loopbackAddress.test(socket.remoteAddress ?? '')) {
    return 'the hooks are for the bot on this machine only';
  }
  if (!loopbackHost.test(headers.host ?? '')) {
    return 'the Host header has to be a loopback address: use http://127.0.0.1';
  }
  return browserProblem(request);
}
