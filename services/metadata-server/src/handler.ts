/**
 * A request on the public port goes caller → identity → document → rendering. A plain node:http
 * handler, without a line of log for each request.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { type Clock, cameThroughProxy, type FindMac, type RateLimiter } from '@skolo/common';
import type { Caller } from './caller/caller-lookup.ts';
import type { CallerStats } from './caller/caller-stats.ts';
import { type Answer, errorPage, retryAfter, send } from './document/answers.ts';
import { type Found, look } from './document/look.ts';
import { type MetadataRequest, parseUrl } from './document/request.ts';
import type { Watchers } from './document/watchers.ts';
import type { EmitMetadata } from './events.ts';
import type { KnownCaller, RackState } from './state/rack-state.ts';
import type { HeldToken, RenewedToken } from './tokens/renewed-token.ts';
import {
  accessTokenAnswer,
  idTokenAnswer,
  noIdTokens,
  noTokenAnswer,
  patienceMs,
} from './tokens/token-answers.ts';
import type { Tokens } from './tokens/tokens.ts';

interface HandlerDeps {
  /** What is in force now. */
  state: () => RackState;
  tokens: Tokens;
  watchers: Watchers;
  limiter: RateLimiter;
  stats: CallerStats;
  findMac: FindMac;
  clock: Clock;
  emit: EmitMetadata;
}

/** One request and its response. */
interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  asked: MetadataRequest;
  known: KnownCaller;
}

/** URLs whose parsing is kept: bots ask for the same few. */
const mostUrls = 1000;
const longestKeptUrl = 300;

/** A caller that has too much open tries again after that. */
const busySeconds = 5;

/** As Google's server ends a refused connection. */
const closing = ['Connection', 'close'];

/**
 * Whose budget a token of the caller's choice counts for. Addresses that rack.yaml does not give to a machine share one: a machine
 * may take as many of them as it likes.
 */
function whoPays({ kind, machine }: Caller): string {
  return machine === undefined ? kind : `machine ${machine.name}`;
}

export function createHandler(deps: HandlerDeps): RequestListener {
  const { emit } = deps;
  const urls = new Map<string, MetadataRequest>();

  function parsed(url: string): MetadataRequest {
    const known = urls.get(url);
    if (known) return known;
    const asked = parseUrl(url);
    if (urls.size >= mostUrls) urls.clear();
    if (url.length <= longestKeptUrl) urls.set(url, asked);
    return asked;
  }

  function reply({ response, asked, known }: Exchange, answer: Answer): void {
    send(response, answer);
    const identity = known.caller.identity?.name ?? 'none';
    emit({ type: 'answered', pathClass: asked.pathClass, status: answer.status, identity });
  }

  /** Who asks, and may they? */
  function admit(request: IncomingMessage, response: ServerResponse): void {
    const remote = request.socket.remoteAddress ?? '';
    const peer = deps.state().callerAt(remote);
    const forwardedFor = String(request.headers['x-forwarded-for'] ?? '');
    const isProxied = cameThroughProxy(request);
    const origin = isProxied ? deps.state().callerBehind(remote, forwardedFor) : peer;
    const known = origin ?? peer;
    const asked = parsed(request.url ?? '/');
    const exchange: Exchange = { request, response, asked, known };

    deps.stats.asked(known.record, deps.clock.now(), asked.pathClass === 'token');
    const waitSeconds = deps.limiter.take(known.caller.address);
    const foreignHost = deps.state().checkHost(request);
    if (waitSeconds > 0) {
      const why = 'This address sends too many requests.';
      reply(exchange, errorPage(429, why, retryAfter(waitSeconds)));
    } else if (foreignHost !== undefined) {
      emit({ type: 'foreign-host', caller: known.caller, why: foreignHost });
      reply(exchange, errorPage(403, `${foreignHost}.`, closing));
    } else if (!origin) {
      const why = 'Requests with X-Forwarded-For, Forwarded or Via are not answered.';
      reply(exchange, errorPage(403, why, closing));
    } else serveIfItsMac(exchange);
  }

  /** At once where rack.yaml says nothing of its MAC. */
  function serveIfItsMac(exchange: Exchange): void {
    const { access, caller } = exchange.known;
    if (!access || caller.machine?.mac === undefined) serve(exchange);
    else {
      checkMac(exchange)
        .then((agrees) => agrees && serve(exchange))
        .catch(fail(exchange));
    }
  }

  async function checkMac(exchange: Exchange): Promise<boolean> {
    const { caller } = exchange.known;
    const found = await deps.findMac(caller.address).then(
      (seen) => ({ seen }),
      (error: unknown) => ({ seen: undefined, error }),
    );
    if (found.seen === caller.machine?.mac) return true;
    emit({ type: 'mac-mismatch', caller, ...found });
    reply(exchange, errorPage(403, 'This address belongs to another machine.', closing));
    return false;
  }

  function serve(exchange: Exchange): void {
    const { access, caller } = exchange.known;
    if (!access) emit({ type: 'unknown-caller', caller });
    const found = find(exchange);
    if (found.kind === 'answer') reply(exchange, found.answer);
    else if (exchange.asked.waitForChange && mustWait(found, exchange)) {
      watch(exchange, versionOf(found, exchange.known));
    } else if (found.kind === 'content') reply(exchange, found.answer);
    else if (found.kind === 'access-token') serveAccessToken(exchange);
    else serveIdToken(exchange);
  }

  /** An ID token is made for its request, and a token that is not there yet is worth having at once. */
  function mustWait(found: Found, { asked, known }: Exchange): boolean {
    if (found.kind === 'content') return (asked.lastEtag ?? found.etag) === found.etag;
    // It has no ETag: whoever sends one has seen something else. Without one, Go's client sends an empty last_etag.
    if (found.kind !== 'access-token' || asked.lastEtag) return false;
    return known.access?.usualToken.fresh() !== undefined;
  }

  function find({ request, asked, known }: Exchange): Found {
    if (!known.access) {
      const why = `${known.caller.address} has no identity in this rack's rack.yaml.`;
      return { kind: 'answer', answer: errorPage(403, why, closing) };
    }
    return look(asked, known.access.document, request);
  }

  function serveAccessToken(exchange: Exchange): void {
    const { asked, known } = exchange;
    if (!known.access) return;
    const { account, usualToken } = known.access;
    const isUsual = asked.scopes.length === 0;
    const fresh = isUsual ? usualToken.fresh() : undefined;
    const answer = (held: HeldToken) => accessTokenAnswer(held, deps.clock.uptime(), asked.alt);
    const token = () =>
      isUsual ? usualToken : deps.tokens.accessToken(account, asked.scopes, whoPays(known.caller));
    if (fresh) reply(exchange, answer(fresh));
    else serveWhenThere(exchange, token, answer);
  }

  function serveIdToken(exchange: Exchange): void {
    const { asked, known } = exchange;
    if (!known.access) return;
    const { account } = known.access;
    const token = () => deps.tokens.idToken(account, asked.audience, whoPays(known.caller));
    if (account.source.idToken) serveWhenThere(exchange, token, idTokenAnswer);
    else reply(exchange, noIdTokens(account.identity.name));
  }

  function serveWhenThere(
    exchange: Exchange,
    token: () => RenewedToken,
    answer: (held: HeldToken) => Answer,
  ): void {
    const before = deps.state();
    const hungUp = new AbortController();
    exchange.request.once('close', () => hungUp.abort());
    const held = async () => await token().get(patienceMs, hungUp.signal);
    held()
      .then(answer, (problem: unknown) => {
        return noTokenAnswer(problem, exchange.known.caller.identity?.name ?? 'none');
      })
      .then((made) => {
        if (hungUp.signal.aborted) return;
        // rack.yaml changed while it waited: the caller may be somebody else now.
        if (deps.state() !== before) serveIfItsMac(lookUpAgain(exchange));
        else reply(exchange, made);
      })
      .catch(fail(exchange));
  }

  function lookUpAgain(exchange: Exchange): Exchange {
    return { ...exchange, known: deps.state().callerAt(exchange.known.caller.address) };
  }

  /** What a watch compares: the ETag, or the token itself, which has none. */
  function versionOf(found: Found, known: KnownCaller): string | undefined {
    if (found.kind === 'content') return found.etag;
    if (found.kind === 'access-token') return known.access?.usualToken.unexpired()?.value;
    return undefined;
  }

  function watch(exchange: Exchange, version: string | undefined): void {
    const { timeoutSeconds } = exchange.asked;
    const atOnce: MetadataRequest = { ...exchange.asked, waitForChange: false };
    const now = () => ({ ...lookUpAgain(exchange), asked: atOnce });
    const { address } = exchange.known.caller;
    const { watches } = deps.state().rack.services['metadata-server'].perCaller;
    if (deps.watchers.countOf(address) >= watches) {
      const why = `${address} has ${watches} requests that wait for a change already.`;
      reply(exchange, errorPage(429, why, retryAfter(busySeconds)));
      return;
    }
    deps.watchers.add({
      caller: address,
      request: exchange.request,
      timeoutSeconds: timeoutSeconds === 'invalid' ? 0 : timeoutSeconds,
      answerNow: () => serveIfItsMac(now()),
      answerIfChanged() {
        const current = now();
        if (versionOf(find(current), current.known) === version) return false;
        serveIfItsMac(current);
        return true;
      },
    });
  }

  function fail(exchange: Exchange): (error: unknown) => void {
    return (error) => {
      emit({ type: 'request-failed', error });
      if (!exchange.response.headersSent) {
        reply(exchange, errorPage(500, 'The request could not be answered.'));
      }
    };
  }

  return admit;
}
