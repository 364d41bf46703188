/**
 * The hooks of the bot over HTTP, on loopback only. What they answer is known before they are asked: nothing here waits
 * for a device, a disk or another server.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import {
  answerStrictly,
  type Clock,
  HttpProblem,
  type Logger,
  requestIdFrom,
  toProblem,
} from '@skolo/common/light';
import { readText } from '../http/read-text.ts';
import { whyRefused } from './caller.ts';
import type { Given } from './dimensions.ts';
import { type Hook, type HookWork, hooks } from './hooks.ts';

export interface HookDeps extends HookWork {
  /** After each call of a hook that there is; `seconds` is what it took. */
  onHook: (name: string, ok: boolean, seconds: number) => void;
  log: Pick<Logger, 'error'>;
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

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refused = whyRefused(request);
    if (refused !== undefined) throw new HttpProblem(403, refused);
    const [path = '', query = ''] = (request.url ?? '').split('?', 2);
    if (path === '/healthz') {
      checkMethod(request, 'GET');
      return send(response, 200, { ok: true });
    }
    const name = path.slice(1);
    const hook = path.startsWith('/') ? hooks.get(name) : undefined;
    if (hook === undefined) throw new HttpProblem(404, `there is no hook ${path.slice(0, 100)}`);
    const startedAt = clock.uptime();
    let ok = false;
    try {
      checkMethod(request, hook.method);
      const given = hook.method === 'POST' ? await readObject(request) : {};
      send(response, 200, hook.answer(deps, { given, query: new URLSearchParams(query) }));
      ok = true;
    } finally {
      onHook(name, ok, clock.uptime() - startedAt);
    }
  }

  function refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    if (response.headersSent || request.socket.destroyed) {
      response.destroy();
      return;
    }
    const problem = toProblem(error);
    if (problem.status >= 500) log.error({ err: error, url: request.url }, 'hook failed');
    for (const [name, value] of Object.entries(problem.headers)) response.setHeader(name, value);
    // What is left of a body that is too large is not read.
    if (!request.complete) response.setHeader('connection', 'close');
    send(response, problem.status, problem, 'application/problem+json');
  }

  const server = answerStrictly(createServer(limits), (request, response) => {
    const header = request.headers['x-request-id'];
    response.setHeader('x-request-id', requestIdFrom(Array.isArray(header) ? header[0] : header));
    answer(request, response).catch((error: unknown) => refuse(request, response, error));
  });
  server.maxConnections = mostConnections;
  return server;
}

function checkMethod({ method, url }: IncomingMessage, takes: Hook['method']): void {
  if (method === takes) return;
  throw new HttpProblem(405, `${url?.slice(0, 100)} does not take ${method}; it takes ${takes}`, {
    headers: { allow: takes },
  });
}

async function readObject(request: IncomingMessage): Promise<Given> {
  const text = await readText(request, mostBodyBytes);
  if (text === undefined) {
    throw new HttpProblem(413, `the body is larger than ${mostBodyBytes} bytes`);
  }
  const expected = 'the body has to be the dict that the bot has, as JSON';
  if (text === '') throw new HttpProblem(400, `${expected}; it is empty`);
  const value = parsed(text);
  if (value === undefined) throw new HttpProblem(400, `${expected}; it is not JSON`);
  if (!isObject(value)) throw new HttpProblem(400, `${expected}; it is no object`);
  return value;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Given {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function send(
  response: ServerResponse,
  status: number,
  body: unknown,
  type = 'application/json',
): void {
  const text = asJson(body);
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

function asJson(body: unknown): string {
  try {
    return JSON.stringify(body);
  } catch (error) {
    // Only what was given can be that deep.
    if (!(error instanceof RangeError)) throw error;
    throw new HttpProblem(400, 'the body is nested too deeply', { cause: error });
  }
}
