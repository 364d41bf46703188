/**
 * Decides the order in which a request on the public port is handled: the stages of the metadata protocol, in one list. A stage responds, or
 * calls the next one. Requests that wait for a change do so before MAC, identity and document count, because rack.yaml may give their address
 * to another machine in the meantime. No stage logs a line per request.
 */
import type { RequestListener } from 'node:http';
import { cameThroughProxy, type FindMac, newExpress } from '@skolo/common';
import type { NextFunction, Request, Response } from 'express';
import type { Caller } from './caller/caller-lookup.ts';
import { type Answer, errorPage, retryAfter, send } from './document/answers.ts';
import { type Found, lookUp } from './document/lookup.ts';
import { type MetadataRequest, parsedUrl } from './document/request.ts';
import type { Watchers } from './document/watchers.ts';
import type { EmitMetadata } from './events.ts';
import type { CurrentStateDeps } from './state/current-state.ts';
import type { KnownCaller, RackState } from './state/rack-state.ts';
import type { HeldToken } from './tokens/renewed-token.ts';
import {
  accessTokenAnswer,
  idTokenAnswer,
  noIdTokens,
  noTokenAnswer,
  usualPatienceMs,
} from './tokens/token-answers.ts';

interface AppDeps
  extends Pick<CurrentStateDeps, 'tokens' | 'limiter' | 'stats' | 'clock' | 'emit'> {
  /** The current state. */
  state: () => RackState;
  watchers: Watchers;
  findMac: FindMac;
  /** How long a request waits for a token, in milliseconds. */
  patienceMs?: number | undefined;
}

/** What the stages know of a request. */
interface Locals {
  /** The version of rack.yaml that `known` is from. */
  state: RackState;
  known: KnownCaller;
  /** False: through a proxy that rack.yaml does not list. */
  isTrusted: boolean;
  asked: MetadataRequest;
  /** How often it began again. */
  rounds: number;
  /** Of a token, which the document leaves to the last stage. */
  kind?: 'access-token' | 'id-token';
}

type Exchange = Response<unknown, Locals>;
type Stage = (request: Request, response: Exchange, next: NextFunction) => void | Promise<void>;

/** How often a request begins again because rack.yaml changed while it waited. */
const mostRounds = 2;

/** When a caller with too many open requests may retry. */
const busySeconds = 5;

/** How Google's server ends a rejected connection. */
const closing = ['Connection', 'close'];

export function metadataApp(deps: AppDeps): RequestListener {
  const app = newExpress();
  app.use(called(deps)); //         who, and what: labels of all responses; counted
  app.use(limited(deps)); //        429: before all that costs more
  app.use(namedHost(deps)); //      403: whoever asks
  app.use(throughNoProxy(deps)); // 403: only trusted ones name the caller
  app.use(changed(deps)); //        wait_for_change, 429: before all that a change of rack.yaml may change
  app.use(ownMac(deps)); //         403: the address is the machine's
  app.use(document(deps)); //       200 301 400 403 404 405 503; leaves tokens to the next one
  app.use(tokens(deps)); //         200 404 429 503; from the first one again if rack.yaml changed meanwhile
  app.use(failed(deps)); //         500: whatever is thrown
  return (request, response) =>
    app(request, response, () => {
      // Express finds no path in a target such as foo://h. The first stage parses the target as it was sent.
      request.url = '/';
      app(request, response, () => response.destroy());
    });
}

function called({ state, stats, clock }: AppDeps): Stage {
  return (request, response, next) => {
    const now = state();
    const { remoteAddress = '' } = request.socket;
    const peer = now.callerAt(remoteAddress);
    const origin = cameThroughProxy(request)
      ? now.callerBehind(remoteAddress, request.get('x-forwarded-for') ?? '')
      : peer;
    const known = origin ?? peer;
    const asked = parsedUrl(request.originalUrl);
    const { rounds = 0 } = response.locals;
    if (rounds === 0) stats.asked(known.record, clock.now(), asked.pathClass === 'token');
    response.locals = { state: now, known, isTrusted: origin !== undefined, asked, rounds };
    next();
  };
}

function limited({ limiter, emit }: AppDeps): Stage {
  return (_request, response, next) => {
    const { known, rounds } = response.locals;
    const waitSeconds = rounds === 0 ? limiter.take(known.caller.address) : 0;
    if (waitSeconds <= 0) return next();
    const why = 'This address is sending too many requests.';
    reply(emit, response, errorPage(429, why, retryAfter(waitSeconds)));
  };
}

function namedHost({ emit }: AppDeps): Stage {
  return (request, response, next) => {
    const { state, known } = response.locals;
    const why = state.checkHost(request);
    if (why === undefined) return next();
    emit({ type: 'foreign-host', caller: known.caller, why });
    reply(emit, response, errorPage(403, `${why}.`, closing));
  };
}

function throughNoProxy({ emit }: AppDeps): Stage {
  return (_request, response, next) => {
    if (response.locals.isTrusted) return next();
    const why =
      'Requests with X-Forwarded-For, Forwarded or Via are accepted only from trusted proxies.';
    reply(emit, response, errorPage(403, why, closing));
  };
}

/** What MAC, identity or document reject does not wait: the next stages do so at once. */
function changed(deps: AppDeps): Stage {
  function lookUpAgain(locals: Locals): Locals {
    const state = deps.state();
    return Object.assign(locals, { state, known: state.callerAt(locals.known.caller.address) });
  }
  const hold: Stage = async (request, response, next) => {
    const { locals } = response;
    if (await otherMac(deps, locals.known)) return next();
    const { asked, known, state } = lookUpAgain(locals);
    const found = find(locals, request);
    if (!mustWait(locals, found)) return next();
    const { address: caller } = known.caller;
    const { watches } = state.rack.services['metadata-server'].perCaller;
    if (deps.watchers.countOf(caller) >= watches) {
      const why = `${caller} already has ${watches} requests that are waiting for a change.`;
      return reply(deps.emit, response, errorPage(429, why, retryAfter(busySeconds)));
    }
    const version = versionOf(locals, found);
    const timeoutSeconds = asked.timeoutSeconds === 'invalid' ? 0 : asked.timeoutSeconds;
    const hasChanged = () => versionOf(lookUpAgain(locals), find(locals, request)) !== version;
    const end = () => {
      lookUpAgain(locals);
      next();
    };
    deps.watchers.add({ caller, request, timeoutSeconds, hasChanged, end });
  };
  // Most requests wait for nothing, and a promise takes longer than a stage.
  return (request, response, next) => {
    const { asked, rounds } = response.locals;
    return asked.waitForChange && rounds === 0 ? hold(request, response, next) : next();
  };
}

function ownMac(deps: AppDeps): Stage {
  const check: Stage = async (_request, response, next) => {
    const { known } = response.locals;
    const other = await otherMac(deps, known);
    if (beginsAgain(deps, response, next)) return;
    if (!other) return next();
    deps.emit({ type: 'mac-mismatch', caller: known.caller, ...other });
    const why = 'The MAC address of this machine could not be confirmed.';
    reply(deps.emit, response, errorPage(403, why, closing));
  };
  return (request, response, next) =>
    hasMac(response.locals.known) ? check(request, response, next) : next();
}

function document({ emit }: AppDeps): Stage {
  return (request, response, next) => {
    const { locals } = response;
    const { caller, document } = locals.known;
    if (!document) emit({ type: 'unknown-caller', caller });
    const found = find(locals, request);
    if ('answer' in found) return reply(emit, response, found.answer);
    locals.kind = found.kind;
    next();
  };
}

function tokens(deps: AppDeps): Stage {
  const { clock, emit } = deps;
  function answerOf({ asked, kind }: Locals, held: HeldToken): Answer {
    if (kind === 'id-token') return idTokenAnswer(held);
    return accessTokenAnswer(held, clock, asked.alt);
  }
  const wait: Stage = async (request, response, next) => {
    const { locals } = response;
    const hungUp = new AbortController();
    request.once('close', () => hungUp.abort());
    const made = await issued(deps, locals, hungUp.signal).then(
      (held) => answerOf(locals, held),
      (error: unknown) => noTokenAnswer(error, identityOf(locals)),
    );
    if (hungUp.signal.aborted || beginsAgain(deps, response, next)) return;
    reply(emit, response, made);
  };
  return (request, response, next) => {
    const { locals } = response;
    const { asked, known, kind } = locals;
    const isUsual = kind === 'access-token' && asked.scopes.length === 0;
    const fresh = isUsual && known.access ? deps.tokens.fresh(known.access.usualToken) : undefined;
    return fresh ? reply(emit, response, answerOf(locals, fresh)) : wait(request, response, next);
  };
}

/** @throws NoToken */
async function issued(
  { tokens, patienceMs = usualPatienceMs }: AppDeps,
  locals: Locals,
  signal: AbortSignal,
) {
  const { asked, kind, known } = locals;
  const { access, caller } = known;
  if (!access) throw new TypeError(`${asked.path}: a token, but no identity`);
  const { account, usualToken } = access;
  let token = usualToken;
  if (kind === 'id-token') token = tokens.idToken(account, asked.audience, whoPays(caller));
  else if (asked.scopes.length > 0) {
    token = tokens.accessToken(account, asked.scopes, whoPays(caller));
  }
  return await tokens.get(token, patienceMs, signal);
}

/** Express knows it by its four parameters. */
function failed({ emit }: AppDeps) {
  return (error: unknown, _request: Request, response: Exchange, _next: NextFunction): void => {
    emit({ type: 'request-failed', error });
    if (response.headersSent) return;
    reply(emit, response, errorPage(500, 'The request could not be processed.'));
  };
}

/** Writes and counts each response. */
function reply(emit: EmitMetadata, response: Exchange, answer: Answer): void {
  const { pathClass } = response.locals.asked;
  const identity = identityOf(response.locals);
  send(response, answer);
  emit({ type: 'answered', pathClass, status: answer.status, identity });
}

function identityOf({ known }: Locals): string {
  return known.caller.identity?.name ?? 'none';
}

/** After a wait. False: rack.yaml is still the same. Otherwise, the caller may be somebody else now. */
function beginsAgain({ state, emit }: AppDeps, response: Exchange, next: NextFunction): boolean {
  const { locals, req } = response;
  if (state() === locals.state) return false;
  locals.rounds += 1;
  const why = 'The configuration of this server is changing. Try again.';
  if (locals.rounds > mostRounds) reply(emit, response, errorPage(503, why, retryAfter(1)));
  else req.app(req, response, next);
  return true;
}

function hasMac({ document, caller }: KnownCaller): boolean {
  return document !== undefined && caller.machine?.mac !== undefined;
}

/** What the kernel has instead of the MAC in rack.yaml; undefined if they are the same, or there is none to compare. */
async function otherMac({ findMac }: AppDeps, known: KnownCaller) {
  if (!hasMac(known)) return undefined;
  const { address, machine } = known.caller;
  const found = await findMac(address).then(
    (seen) => ({ seen }),
    (error: unknown) => ({ seen: undefined, error }),
  );
  return found.seen === machine?.mac ? undefined : found;
}

function find(locals: Locals, request: Request): Found {
  const { asked, known } = locals;
  const { caller, document, access } = known;
  if (!document) {
    const why = `${caller.address} has no identity in this rack's rack.yaml.`;
    return { kind: 'answer', answer: errorPage(403, why, closing) };
  }
  const found = lookUp(asked, document, request);
  if (found.kind !== 'id-token' || access?.account.source.idToken) return found;
  return { kind: 'answer', answer: noIdTokens(identityOf(locals)) };
}

/** An ID token is made per request, and a missing token is worth fetching immediately. */
function mustWait({ asked, known }: Locals, found: Found): boolean {
  if (found.kind === 'content') return (asked.lastEtag ?? found.etag) === found.etag;
  // It has no ETag: whoever sends one has seen something else. A Go client that has none sends an empty last_etag.
  if (found.kind !== 'access-token' || asked.lastEtag) return false;
  return known.access?.usualToken.token.fresh() !== undefined;
}

/** What a watch compares: the ETag, or, for tokens, which have none, the token itself. */
function versionOf({ known }: Locals, found: Found): string | undefined {
  if (found.kind === 'content') return found.etag;
  if (found.kind === 'access-token') return known.access?.usualToken.token.unexpired()?.value;
  return undefined;
}

/**
 * The budget that pays for a token with parameters chosen by the caller. Addresses that rack.yaml does not assign to a machine share one,
 * because a machine may take as many of them as it likes.
 */
function whoPays({ kind, machine }: Caller): string {
  return machine === undefined ? kind : `machine ${machine.name}`;
}
