/**
 * The bot's hooks over HTTP, on loopback only. Their answers are known before the request: a hook never waits for a device, a disk or
 * another server.
 */

import type { IncomingMessage, Server } from 'node:http';
import { isObject } from '@skolo/base';
import {
  type BoundRoute,
  browserProblem,
  type ConnectionLimits,
  Core,
  type CoreOptions,
  type Emit,
  HttpProblem,
  newServer,
  wrongMethod,
} from '@skolo/common/light';
import { z } from 'zod';
import { noBot } from '../bot/bot-settings.ts';
import type { AgentEvent } from '../events.ts';
import { type Hook, type HookRequest, type HookWork, hooks } from './hooks.ts';
import type { Given } from './state.ts';

export interface HookDeps {
  core: CoreOptions;
  connections: ConnectionLimits;
  work: HookWork;
  emit: Emit<AgentEvent>;
}

/** Tasks on this machine can reach it: connections are closed soon. */
const limits = {
  requestTimeout: 10_000,
  connectionsCheckingInterval: 5000,
  keepAliveTimeout: 5000,
};

/** It must listen on loopback. */
export function createHookServer({ core: options, connections, work, emit }: HookDeps): Server {
  const healthz = routeOf('healthz', { method: 'GET', answer: () => ({ ok: true }) }, work);
  const core = new Core(options, [healthz, ...[...hooks].map((hook) => routeOf(...hook, work))]);
  return newServer({
    serverOptions: limits,
    connections,
    handler(request, response) {
      const exchange = core.begin(request, response);
      const rejected = problemOf(request);
      if (rejected !== undefined) return exchange.fail(rejected);
      const startedAt = performance.now();
      void core.answer(exchange).then(() => {
        const hook = exchange.route.slice(1);
        const seconds = (performance.now() - startedAt) / 1000;
        const ok = response.statusCode === 200;
        if (hooks.has(hook)) emit({ type: 'hook', hook, ok, seconds });
      });
    },
  });
}

const query = z.looseObject({});
const mostBodyBytes = 1024 * 1024;
/** As received: zod would drop a key `__proto__`. */
const body = z.custom<Given>(isObject, {
  error: ({ input }) =>
    `must be the bot's dict as JSON, but is ${input === undefined ? 'empty' : 'not an object'}`,
});

function routeOf(name: string, { method, answer }: Hook, work: HookWork): BoundRoute {
  const path = `/${name}` as const;
  const route = { path, summary: name, query, mostBodyBytes, answers: { 200: z.unknown() } };
  return {
    name,
    spec: method === 'GET' ? { ...route, method: 'get' } : { ...route, method: 'post', body },
    pattern: new RegExp(`^${path}$`),
    label: path,
    handler(request) {
      const { machine, hasBot = true } = work.view();
      if (!hasBot && hooks.has(name)) {
        throw new HttpProblem(409, `${machine}: ${noBot}; stop this bot, or remove the setting`);
      }
      const given = (request.body ?? {}) as Given;
      const query = request.query as HookRequest['query'];
      return { status: 200, body: answer(work, { given, query }) };
    },
  };
}

/** `Host` as sent by a program on this machine. A page whose name was resolved to loopback sends its own name. */
const loopbackHost = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;
const loopbackAddress = /^(?:::ffff:)?127\.|^::1$/;

/** Hooks are for programs on this machine, not for browsers. */
function problemOf(request: IncomingMessage): HttpProblem | undefined {
  const { headers, socket, method, url = '' } = request;
  if (!loopbackAddress.test(socket.remoteAddress ?? '')) {
    return new HttpProblem(403, 'hooks can only be called from this machine');
  }
  if (!loopbackHost.test(headers.host ?? '')) {
    const why = 'the Host header must be a loopback address; use http://127.0.0.1';
    return new HttpProblem(403, why);
  }
  const browser = browserProblem(request);
  if (browser !== undefined) return new HttpProblem(403, browser);
  if (!url.startsWith('/')) return new HttpProblem(404, 'the request target is not a path');
  // A hook is called for its effect.
  if (method === 'HEAD') return wrongMethod(url.slice(0, 100), method, 'GET');
  return undefined;
}
