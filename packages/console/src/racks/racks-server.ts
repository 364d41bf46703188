/**
 * `skolo console RACK…`: one sign-in for several racks. `/` is the page with all of them, and `/RACK/` the console of one, whose requests
 * go through its tunnel with that rack's token. The command serves the pages itself: a rack's responses are only data, so that no rack can
 * affect another one.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  ApiError,
  type Client,
  type ConsoleSession,
  consoleApi,
  consoleRacksApi,
  createClient,
} from '@skolo/api';
import { errorText, parseJson } from '@skolo/base';
import { HttpProblem, readText } from '@skolo/common/light';
import type { z } from 'zod';
import { originProblem } from '../serve/origin.ts';
import { type Pages, servePage } from '../serve/pages.ts';
import { passOn } from '../serve/pass-on.ts';
import { sendProblem } from '../serve/send-problem.ts';
import { Sessions } from '../serve/sessions.ts';
import { type WatchedRack, worstFirst } from './watched-rack.ts';

interface Deps {
  racks: readonly WatchedRack[];
  pages: Pages;
  /** Milliseconds since 1970. */
  now(): number;
}

interface RacksConsole {
  listener(request: IncomingMessage, response: ServerResponse): void;
  /** Code of the link to the page: signs in once, within a minute. */
  createCode(): string;
}

const mostBodyBytes = 16 * 1024;
/** The command's own; each rack identifies the caller by that rack's token. */
const owner = { token: '', name: 'workstation' };
const noSession = 'run skolo console again; each link can be used only once, within a minute';

export function createRacksConsole({ racks, pages, now }: Deps): RacksConsole {
  const sessions = new Sessions('workstation', { now });
  const byName = new Map(racks.map((rack) => [rack.name, rack]));

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request;
    const [path = ''] = url.split('?', 1);
    const [, first = '', rest] = /^\/([^/]*)(\/.*)?$/.exec(path) ?? [];
    const rack = byName.get(decoded(first));
    const session = sessions.find(headers.cookie);
    const why = originProblem(request, session !== undefined);
    if (why !== undefined) throw new HttpProblem(403, why);
    if (servePage(pages, request, response, path === '/' ? '/racks.html' : path)) return;
    if (rack && rest === undefined) {
      response.writeHead(308, { location: `/${first}/` }).end();
      return;
    }
    if (rack && servePage(pages, request, response, rest)) return;
    if (method === 'POST' && path === consoleRacksApi.signIn.path)
      return await signIn(request, response);
    if (!session) throw new HttpProblem(401, noSession);
    if (method === 'GET' && path === consoleRacksApi.racks.path) {
      sendJson(response, 200, { racks: worstFirst(racks.map((each) => each.current())) });
    } else if (rack && rest === consoleApi.session.path) {
      await answerSession(rack, request, response);
    } else if (rack && rest && /^\/(v1|services)\//.test(rest)) {
      const { way, token } = rack;
      if (!way) throw notReached(rack);
      await passOn(request, response, {
        name: rack.name,
        url: `${way.baseUrl.replace(/\/+$/, '')}${url.slice(first.length + 1)}`,
        rack: way.rack,
        headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }) },
        fetch: way.fetch,
      });
    } else throw new HttpProblem(404, `${path}: page not found; the list of racks is at /`);
  }

  async function signIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { code } = await bodyOf(request, consoleRacksApi.signIn.body);
    if (sessions.redeem(code) === undefined) throw new HttpProblem(401, noSession);
    response.writeHead(204, { 'set-cookie': sessions.begin(owner, false).cookie }).end();
  }

  /** Who a rack's token belongs to, sets another one, or removes it. A page never receives it. */
  async function answerSession(
    rack: WatchedRack,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    if (request.method === 'DELETE') {
      rack.useToken(undefined);
      response.writeHead(204).end();
      return;
    }
    const isNew = request.method === 'POST';
    const given = isNew ? (await bodyOf(request, consoleApi.signIn.body)).token : rack.token;
    const found = await ask(rack, given, (client) => client.session());
    if (isNew) rack.useToken(given);
    const body: ConsoleSession = { ...found, hasOtherRacks: racks.length > 1 };
    sendJson(response, isNew ? 201 : 200, body);
  }

  return {
    listener(request, response) {
      answer(request, response).catch((error: unknown) => sendProblem(response, error));
    },
    createCode: () => sessions.createLink(owner).code,
  };
}

async function ask<T>(
  rack: WatchedRack,
  token: string | undefined,
  question: (client: Client<typeof consoleApi>) => Promise<T>,
): Promise<T> {
  if (!rack.way) throw notReached(rack);
  try {
    return await question(createClient(consoleApi, { ...rack.way, token }));
  } catch (cause) {
    const status = cause instanceof ApiError ? cause.status : 503;
    throw new HttpProblem(status, errorText(cause), { cause });
  }
}

function notReached(rack: WatchedRack): HttpProblem {
  const { why = 'the connection is being opened' } = rack.current();
  return new HttpProblem(503, `${rack.name}: ${why}`);
}

async function bodyOf<S extends z.ZodType>(
  request: IncomingMessage,
  schema: S,
): Promise<z.output<S>> {
  const body = schema.safeParse(parseJson(await readText(request, mostBodyBytes)));
  if (!body.success) throw new HttpProblem(400, 'the request body is not valid for this path');
  return body.data;
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
  response.writeHead(status, headers).end(JSON.stringify(body));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
