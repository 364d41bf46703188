/**
 * Decides the order in which a request on the public port is handled: rate limit, `Host`, whether it came through a proxy, the machine's
 * MAC address, identity, document, rendering. A plain node:http handler that logs no line per request.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { type Clock, cameThroughProxy, type FindMac, type RateLimiter } from '@skolo/common';
import type { Caller } from './caller/caller-lookup.ts';
import type { CallerStats } from './caller/caller-stats.ts';
import { type Answer, errorPage, retryAfter, send } from './document/answers.ts';
import { type Found, lookUp } from './document/lookup.ts';
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
  /** The current state. */
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

/** URLs whose parsing is cached: bots request the same few. */
const mostUrls = 1000;
const longestKeptUrl = 300;

/** When a caller with too many open requests may retry. */
const busySeconds = 5;

/** How Google's server ends a rejected connection. */
const closing = ['Connection', 'close'];

/**
 * The budget that pays for a token with parameters chosen by the caller. Addresses that rack.yaml does not assign to a machine share one,
 * because a machine may take as many of them as it likes.
 */
function whoPays({ kind, machine }: Caller): string {
  return machine === undefined ? kind : `machine ${machine.name}`;
}

export function createHandler(deps: HandlerDeps): RequestListener {
  const handler = new Handler(deps);
  return (request, response) => handler.admit(request, response);
}

class Handler {
  private readonly deps: HandlerDeps;
  private readonly urls = new Map<string, MetadataRequest>();

  constructor(deps: HandlerDeps) {
    this.deps = deps;
  }

  private parsed(url: string): MetadataRequest {
    const known = this.urls.get(url);
    if (known) return known;
    const asked = parseUrl(url);
    if (this.urls.size >= mostUrls) this.urls.clear();
    if (url.length <= longestKeptUrl) this.urls.set(url, asked);
    return asked;
  }

  private reply({ response, asked, known }: Exchange, answer: Answer): void {
    send(response, answer);
    const identity = known.caller.identity?.name ?? 'none';
    this.deps.emit({
      type: 'answered',
      pathClass: asked.pathClass,
      status: answer.status,
      identity,
    });
  }

  /** Identifies the caller and checks its access. */
  admit(request: IncomingMessage, response: ServerResponse): void {
    const remote = request.socket.remoteAddress ?? '';
    const peer = this.deps.state().callerAt(remote);
    const forwardedFor = String(request.headers['x-forwarded-for'] ?? '');
    const isProxied = cameThroughProxy(request);
    const origin = isProxied ? this.deps.state().callerBehind(remote, forwardedFor) : peer;
    const known = origin ?? peer;
    const asked = this.parsed(request.url ?? '/');
    const exchange: Exchange = { request, response, asked, known };

    this.deps.stats.asked(known.record, this.deps.clock.now(), asked.pathClass === 'token');
    const waitSeconds = this.deps.limiter.take(known.caller.address);
    const foreignHost = this.deps.state().checkHost(request);
    if (waitSeconds > 0) {
      const why = 'This address is sending too many requests.';
      this.reply(exchange, errorPage(429, why, retryAfter(waitSeconds)));
    } else if (foreignHost !== undefined) {
      this.deps.emit({ type: 'foreign-host', caller: known.caller, why: foreignHost });
      this.reply(exchange, errorPage(403, `${foreignHost}.`, closing));
    } else if (!origin) {
      const why =
        'Requests with X-Forwarded-For, Forwarded or Via are accepted only from trusted proxies.';
      this.reply(exchange, errorPage(403, why, closing));
    } else this.serveIfItsMac(exchange);
  }

  /** Synchronous if rack.yaml does not specify its MAC. */
  private serveIfItsMac(exchange: Exchange): void {
    const { document, caller } = exchange.known;
    if (!document || caller.machine?.mac === undefined) this.serve(exchange);
    else {
      this.checkMac(exchange)
        .then((agrees) => agrees && this.serve(exchange))
        .catch(this.fail(exchange));
    }
  }

  private async checkMac(exchange: Exchange): Promise<boolean> {
    const { caller } = exchange.known;
    const found = await this.deps.findMac(caller.address).then(
      (seen) => ({ seen }),
      (error: unknown) => ({ seen: undefined, error }),
    );
    if (found.seen === caller.machine?.mac) return true;
    this.deps.emit({ type: 'mac-mismatch', caller, ...found });
    this.reply(
      exchange,
      errorPage(403, 'The MAC address of this machine could not be confirmed.', closing),
    );
    return false;
  }

  private serve(exchange: Exchange): void {
    const { document, caller } = exchange.known;
    if (!document) this.deps.emit({ type: 'unknown-caller', caller });
    const found = this.find(exchange);
    if (found.kind === 'answer') this.reply(exchange, found.answer);
    else if (exchange.asked.waitForChange && this.mustWait(found, exchange)) {
      this.watch(exchange, this.versionOf(found, exchange.known));
    } else if (found.kind === 'content') this.reply(exchange, found.answer);
    else if (found.kind === 'access-token') this.serveAccessToken(exchange);
    else this.serveIdToken(exchange);
  }

  /** An ID token is made per request, and a missing token is worth fetching immediately. */
  private mustWait(found: Found, { asked, known }: Exchange): boolean {
    if (found.kind === 'content') return (asked.lastEtag ?? found.etag) === found.etag;
    // It has no ETag: whoever sends one has seen something else. A Go client that has none sends an empty last_etag.
    if (found.kind !== 'access-token' || asked.lastEtag) return false;
    return known.access?.usualToken.fresh() !== undefined;
  }

  private find({ request, asked, known }: Exchange): Found {
    if (!known.document) {
      const why = `${known.caller.address} has no identity in this rack's rack.yaml.`;
      return { kind: 'answer', answer: errorPage(403, why, closing) };
    }
    return lookUp(asked, known.document, request);
  }

  private serveAccessToken(exchange: Exchange): void {
    const { asked, known } = exchange;
    if (!known.access) return;
    const { account, usualToken } = known.access;
    const isUsual = asked.scopes.length === 0;
    const fresh = isUsual ? usualToken.fresh() : undefined;
    const answer = (held: HeldToken) => accessTokenAnswer(held, this.deps.clock, asked.alt);
    const token = () =>
      isUsual
        ? usualToken
        : this.deps.tokens.accessToken(account, asked.scopes, whoPays(known.caller));
    if (fresh) this.reply(exchange, answer(fresh));
    else this.serveWhenThere(exchange, token, answer);
  }

  private serveIdToken(exchange: Exchange): void {
    const { asked, known } = exchange;
    if (!known.access) return;
    const { account } = known.access;
    const token = () => this.deps.tokens.idToken(account, asked.audience, whoPays(known.caller));
    if (account.source.idToken) this.serveWhenThere(exchange, token, idTokenAnswer);
    else this.reply(exchange, noIdTokens(account.identity.name));
  }

  private serveWhenThere(
    exchange: Exchange,
    token: () => RenewedToken,
    answer: (held: HeldToken) => Answer,
  ): void {
    const before = this.deps.state();
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
        if (this.deps.state() !== before) this.serveIfItsMac(this.lookUpAgain(exchange));
        else this.reply(exchange, made);
      })
      .catch(this.fail(exchange));
  }

  private lookUpAgain(exchange: Exchange): Exchange {
    return { ...exchange, known: this.deps.state().callerAt(exchange.known.caller.address) };
  }

  /** What a watch compares: the ETag, or, for tokens, which have none, the token itself. */
  private versionOf(found: Found, known: KnownCaller): string | undefined {
    if (found.kind === 'content') return found.etag;
    if (found.kind === 'access-token') return known.access?.usualToken.unexpired()?.value;
    return undefined;
  }

  private watch(exchange: Exchange, version: string | undefined): void {
    const { timeoutSeconds } = exchange.asked;
    const atOnce: MetadataRequest = { ...exchange.asked, waitForChange: false };
    const now = () => ({ ...this.lookUpAgain(exchange), asked: atOnce });
    const { address } = exchange.known.caller;
    const { watches } = this.deps.state().rack.services['metadata-server'].perCaller;
    if (this.deps.watchers.countOf(address) >= watches) {
      const why = `${address} already has ${watches} requests that are waiting for a change.`;
      this.reply(exchange, errorPage(429, why, retryAfter(busySeconds)));
      return;
    }
    this.deps.watchers.add({
      caller: address,
      request: exchange.request,
      timeoutSeconds: timeoutSeconds === 'invalid' ? 0 : timeoutSeconds,
      answerNow: () => this.serveIfItsMac(now()),
      answerIfChanged: () => {
        const current = now();
        if (this.versionOf(this.find(current), current.known) === version) return false;
        this.serveIfItsMac(current);
        return true;
      },
    });
  }

  private fail(exchange: Exchange): (error: unknown) => void {
    return (error) => {
      this.deps.emit({ type: 'request-failed', error });
      if (!exchange.response.headersSent) {
        this.reply(exchange, errorPage(500, 'The request could not be processed.'));
      }
    };
  }
}
