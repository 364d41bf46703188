/**
 * The bot's hooks over HTTP, on loopback only. Their answers are known before the request: a hook never waits for a device, a disk or
 * another server.
 */

import type { Server } from 'node:http';
import { isObject } from '@skolo/base';
import {
  type AppOptions,
  type BoundRoute,
  browserProblem,
  type ConnectionLimits,
  type Emit,
  forbid,
  HttpProblem,
  hostCheck,
  httpApp,
  newServer,
  pathOf,
  type Stage,
  wrongMethod,
} from '@skolo/common/light';
import { z } from 'zod';
import { noBot } from '../bot/bot-settings.ts';
import type { AgentEvent } from '../events.ts';
import { type Hook, type HookRequest, type HookWork, hooks } from './hooks.ts';
import type { Given } from './state.ts';

export interface HookDeps {
  core: AppOptions;
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
  const measure: Stage = (_request, response, next) => {
    const startedAt = performance.now();
    response.once('close', () => {
      const hook = response.locals.exchange.route.slice(1);
      const seconds = (performance.now() - startedAt) / 1000;
      const ok = response.statusCode === 200;
      if (hooks.has(hook)) emit({ type: 'hook', hook, ok, seconds });
    });
    next();
  };
  const routes = [healthz, ...[...hooks].map((hook) => routeOf(...hook, work))];
  const stages = [loopbackOnly, namedHost, programsOnly, hookPath, measure];
  const { listener } = httpApp(options, routes, { stages });
  return newServer({ serverOptions: limits, connections, handler: listener });
}

const query = z.looseObject({});
const mostBodyBytes = 1024 * 1024;
/** As received: zod would drop a key `__proto__`. */
const body = z.custom<Given>(isObject, {
  error: ({ input }) =>
    `must be the bot's dict as JSON, but is ${input === undefined ? 'empty' : 'not an object'}`,
});

function routeOf(name: string, { method, answer, withoutBot }: Hook, work: HookWork): BoundRoute {
  const path = `/${name}` as const;
  const route = {
    path,
    summary: name,
    role: 'anyone' as const,
    query,
    mostBodyBytes,
    answers: { 200: z.unknown() },
  };
  return {
    name,
    spec: method === 'GET' ? { ...route, method: 'get' } : { ...route, method: 'post', body },
    label: path,
    handler(request) {
      const { machine, hasBot = true } = work.view();
      const respond = hasBot || !hooks.has(name) ? answer : withoutBot;
      if (respond === undefined) {
        throw new HttpProblem(409, `${machine}: ${noBot}; stop this bot, or remove the setting`);
      }
      const given = (request.body ?? {}) as Given;
      const query = request.query as HookRequest['query'];
      return { status: 200, body: respond(work, { given, query }) };
    },
  };
}

const loopbackAddress = /^(?:::ffff:)?127\.|^::1$/;

const loopbackOnly = forbid(({ socket }) =>
  loopbackAddress.test(socket.remoteAddress ?? '')
    ? undefined
    : 'hooks can only be called from this machine',
);

/** Only loopback. A page whose name was resolved to loopback sends its own name. */
const foreignHost = hostCheck([]);
const namedHost = forbid((request) =>
  request.headers.host === undefined || foreignHost(request) !== undefined
    ? 'the Host header must be a loopback address; use http://127.0.0.1'
    : undefined,
);

const programsOnly = forbid(browserProblem);

/** A hook is called for its effect, so HEAD is not GET. */
const hookPath: Stage = (request, _response, next) => {
  const { method, url = '' } = request;
  if (!/^\/[^/]*$/.test(pathOf(request))) {
    throw new HttpProblem(404, 'the request target is not the path of a hook');
  }
  if (method === 'HEAD') throw wrongMethod(url.slice(0, 100), method, 'GET');
  next();
};
