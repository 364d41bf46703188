/**
 * `skolo console RACK…`: one sign-in for several racks. `/` is the page with all of them, and `/RACK/` the console of one, whose requests
 * go through its tunnel with that rack's token. The command serves the pages itself: a rack's responses are only data, so that no rack can
 * affect another one.
 */
import type { IncomingMessage } from 'node:http';
import {
  ApiError,
  type ConsoleSession,
  consoleApi,
  consoleRacksApi,
  createClient,
  route,
} from '@skolo/api';
import { errorText } from '@skolo/base';
import {
  type Access,
  bindRoutes,
  commandApp,
  forbid,
  HttpProblem,
  pathOf,
  type RouteHandlers,
  type Stage,
} from '@skolo/common/light';
import { z } from 'zod';
import { originProblem } from '../serve/origin.ts';
import { type Pages, servePages } from '../serve/pages.ts';
import { passOn } from '../serve/pass-on.ts';
import { Sessions } from '../serve/sessions.ts';
import { type WatchedRack, worstFirst } from './watched-rack.ts';

type Racks = readonly WatchedRack[];

interface Deps {
  racks: Racks;
  pages: Pages;
  /** Whether a request names this server, by a host name that only its user knows. */
  isNamed(request: IncomingMessage): boolean;
  /** Milliseconds since 1970. */
  now(): number;
}

/** `/RACK/v1/session`: the session of one rack, as its pages know it. */
const ofRack = {
  path: '/{rack}/v1/session',
  role: 'view',
  params: z.object({ rack: z.string() }),
} as const;
const rackSessionApi = {
  session: route({ ...consoleApi.session, ...ofRack }),
  signIn: route({ ...consoleApi.signIn, ...ofRack }),
  signOut: route({ ...consoleApi.signOut, ...ofRack }),
};

/** The command's own; each rack identifies the caller by that rack's token. */
const owner = { token: '', name: 'workstation' };
const noSession = 'run skolo console again; each link can be used only once, within a minute';

export function createRacksConsole({ racks, pages, isNamed, now }: Deps) {
  const sessions = new Sessions('workstation', { now });
  const access: Access = {
    admit({ headers }) {
      if (!sessions.find(headers.cookie)) throw new HttpProblem(401, noSession);
      return { name: owner.name, role: 'admin', by: 'token' };
    },
  };
  const routes = [
    ...bindRoutes(consoleRacksApi, {
      racks: () => ({
        status: 200,
        body: { racks: worstFirst(racks.map((each) => each.current())) },
      }),
      signIn({ body }) {
        if (sessions.redeem(body.code) === undefined) throw new HttpProblem(401, noSession);
        return { status: 204, headers: { 'set-cookie': sessions.begin(owner, false).cookie } };
      },
    }),
    ...bindRoutes(rackSessionApi, rackSessions(racks)),
  ];
  const stages = [
    namedHost(isNamed),
    sameOrigin(sessions),
    servePages(pages, pageFor(pages, racks)),
    toRack(access, racks),
  ];
  const { listener } = commandApp(routes, stages, access);
  /** Code of the link to the page: signs in once, within a minute. */
  const createCode = () => sessions.createLink(owner).code;
  return { listener, createCode };
}

function namedHost(isNamed: Deps['isNamed']): Stage {
  const why = 'this port accepts only the URL that skolo opened or printed';
  return forbid((request) => (isNamed(request) ? undefined : why));
}

function sameOrigin(sessions: Sessions): Stage {
  return forbid((request) =>
    originProblem(request, sessions.find(request.headers.cookie) !== undefined),
  );
}

/** A rack's pages are below its name, and `/` is the list of racks. */
function pageFor(pages: Pages, racks: Racks) {
  return (request: IncomingMessage): string => {
    const path = pathOf(request);
    const { rack, rest } = placeIn(racks, request);
    if (path === '/') return '/racks.html';
    return rack && !pages.has(path) ? rest : path;
  };
}

/** Requests of a rack's pages, except those for the session, which belongs to this computer. */
function toRack(access: Access, racks: Racks): Stage {
  return async (request, response, next) => {
    const { rack, first, rest } = placeIn(racks, request);
    if (rack && rest === '') return void response.writeHead(308, { location: `/${first}/` }).end();
    const isOwn = rest === consoleApi.session.path;
    if (!rack || isOwn || !/^\/(v1|services)\//.test(rest)) return next();
    await access.admit(request, 'view', () => response.locals.exchange.log);
    const { way, token, name } = rack;
    if (!way) throw notReached(rack);
    await passOn(request, response, {
      name,
      url: `${way.baseUrl.replace(/\/+$/, '')}${request.url?.slice(first.length + 1)}`,
      rack: way.rack,
      headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }) },
      fetch: way.fetch,
    });
  };
}

/** Who a rack's token belongs to, sets another one, or removes it. A page never receives it. */
function rackSessions(racks: Racks): RouteHandlers<typeof rackSessionApi> {
  function rackNamed(name: string): WatchedRack {
    const rack = racks.find((each) => each.name === name);
    if (rack) return rack;
    throw new HttpProblem(404, `there is no rack ${name}; the list of racks is at /`);
  }
  async function sessionOf(rack: WatchedRack, token: string | undefined): Promise<ConsoleSession> {
    if (!rack.way) throw notReached(rack);
    try {
      const found = await createClient(consoleApi, { ...rack.way, token }).session();
      return { ...found, hasOtherRacks: racks.length > 1 };
    } catch (cause) {
      const status = cause instanceof ApiError ? cause.status : 503;
      throw new HttpProblem(status, errorText(cause), { cause });
    }
  }
  return {
    async session({ params }) {
      const rack = rackNamed(params.rack);
      return { status: 200, body: await sessionOf(rack, rack.token) };
    },
    async signIn({ params, body }) {
      const rack = rackNamed(params.rack);
      const found = await sessionOf(rack, body.token);
      rack.useToken(body.token);
      return { status: 201, body: found };
    },
    signOut({ params }) {
      rackNamed(params.rack).useToken(undefined);
      return { status: 204 };
    },
  };
}

/** `/RACK/v1/…`, as it was sent, so that it can be passed on unchanged. */
function placeIn(racks: Racks, request: IncomingMessage) {
  const [, first = '', rest = ''] = /^\/([^/]*)(\/.*)?$/.exec(pathOf(request)) ?? [];
  return { first, rest, rack: racks.find(({ name }) => encodeURIComponent(name) === first) };
}

function notReached(rack: WatchedRack): HttpProblem {
  const { why = 'the connection is being opened' } = rack.current();
  return new HttpProblem(503, `${rack.name}: ${why}`);
}
