/**
 * The doors: what Alertmanager and Prometheus post is understood, handed on, and answered once it is kept. Alertmanager
 * repeats what is answered with 4xx as long as the alert lives, and Prometheus repeats nothing at all: so good alerts are
 * never refused for bad ones beside them.
 *
 * Not on express: its part of a request was more than all the rest, the disk included.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Door } from '@skolo/alerts';
import {
  browserProblem,
  type Clock,
  httpRequestDuration,
  type Logger,
  plainHeaders,
  requestIdFrom,
  statusOf,
  toProblem,
} from '@skolo/common';
import type { AlertToPubsubSettings } from '@skolo/rack';
import type { Registry } from 'prom-client';
import { accepted, refused, sendProblem } from './answers.ts';
import type { DoorAuth } from './auth.ts';
import { BodiesInFlight, readBody, tooMany } from './body.ts';
import { type Batch, type Intake, NotAccepted, type Received } from './heard.ts';
import { parseJson } from './json.ts';
import { bytesOf, readMessage } from './messages.ts';
import { Refused, type RefusedWhy } from './refused.ts';

export interface DoorsDeps {
  intake: Intake;
  settings: () => Pick<AlertToPubsubSettings, 'maxBodyBytes'>;
  auth: Pick<DoorAuth, 'check'>;
  metrics: Registry;
  clock: Clock;
  log: Pick<Logger, 'warn' | 'error'>;
  /** Kept and answered. */
  onReceived(received: Received): void;
  onRefused(refusal: { door: Door; why: RefusedWhy }): void;
  /** Each overrides a default. */
  tuning?: Partial<Tuning>;
}

export interface Tuning {
  /** Of all bodies that are being read or kept, unpacked, and of what is made of them. */
  mostInFlightBytes: number;
  /** For one body to arrive. */
  bodyTimeoutMs: number;
}

const usual: Tuning = { mostInFlightBytes: 256 * 2 ** 20, bodyTimeoutMs: 30_000 };

const doorsByPath = new Map<string, Door>([
  ['/webhook', 'webhook'],
  ['/api/v1/alerts', 'v1'],
  ['/api/v2/alerts', 'v2'],
]);

/** Answers a request that hands in alerts; false where it is another one. */
export type TakeAlerts = (request: IncomingMessage, response: ServerResponse) => boolean;

/** Ask it first: `(request, response) => take(request, response) || app(request, response)`. */
export function createDoors(deps: DoorsDeps): TakeAlerts {
  const { intake, clock, onReceived, onRefused, settings, auth, log } = deps;
  const { mostInFlightBytes, bodyTimeoutMs } = { ...usual, ...deps.tuning };
  const inFlight = new BodiesInFlight();
  const warn = seldomWarnings(deps);
  const duration = httpRequestDuration(deps.metrics);

  async function receive(door: Door, request: IncomingMessage): Promise<Received> {
    const browser = browserProblem(request);
    if (browser !== undefined) throw new Refused('browser', 403, browser);
    await auth.check(request.headers.authorization);
    const share = inFlight.share(mostInFlightBytes);
    try {
      const limits = { mostBytes: settings().maxBodyBytes, timeoutMs: bodyTimeoutMs };
      const body = await readBody(request, share, limits);
      let taken = 0;
      function read(): Batch {
        const batch = readMessage(parseJson(body), door, clock.now());
        const bytes = bytesOf(batch);
        if (!share.take(bytes - taken)) throw tooMany();
        taken = bytes;
        return batch;
      }
      return await intake.accept(read, body.length);
    } finally {
      share.release();
    }
  }

  /** Never throws. */
  async function answer(door: Door, request: IncomingMessage, response: ServerResponse) {
    const requestId = requestIdFrom(request.headers['x-request-id']?.toString());
    const headers = { ...plainHeaders, 'x-request-id': requestId };
    try {
      const received = await receive(door, request);
      onReceived(received);
      accepted(response, received, headers);
    } catch (error) {
      const refusal = refusalOf(error);
      onRefused({ door, why: refusal?.why ?? 'failed' });
      if (refusal === undefined) {
        log.error({ requestId, err: error }, 'request failed');
        sendProblem(response, toProblem(error), headers);
        return;
      }
      warn(door, refusal);
      if (refusal.why === 'gone') response.destroy();
      else refused(response, door, refusal, headers);
    }
  }

  return function takeAlerts(request, response) {
    if (request.method !== 'POST') return false;
    const { url = '' } = request;
    // Mostly the URL is the path already.
    const route = doorsByPath.has(url)
      ? url
      : (url.split('?', 1)[0]?.replace(/(?<=.)\/$/, '') ?? '');
    const door = doorsByPath.get(route);
    if (door === undefined) return false;
    const began = performance.now();
    response.once('close', () => {
      const seconds = (performance.now() - began) / 1000;
      duration.observe({ method: 'POST', route, code: statusOf(response) }, seconds);
    });
    void answer(door, request, response);
    return true;
  };
}

function refusalOf(error: unknown): Refused | undefined {
  if (error instanceof Refused) return error;
  if (!(error instanceof NotAccepted)) return undefined;
  const seconds = Math.max(1, Math.ceil(error.retryAfterSeconds));
  const headers = { 'retry-after': String(seconds) };
  return new Refused('full', 503, error.message, { headers, cause: error });
}

const warnEverySeconds = 60;

/** Who is sent away comes again, many times: one line a minute for each door and reason. */
function seldomWarnings({ clock, log }: DoorsDeps): (door: Door, refusal: Refused) => void {
  const last = new Map<string, { at: number; since: number }>();
  return (door, { why, message, cause }) => {
    const key = `${door} ${why}`;
    const known = last.get(key);
    const now = clock.uptime();
    if (known !== undefined && now - known.at < warnEverySeconds) {
      known.since += 1;
      return;
    }
    const err = cause instanceof Error && !(cause instanceof NotAccepted) ? { err: cause } : {};
    log.warn({ door, why, detail: message, unsaid: known?.since ?? 0, ...err }, 'alerts refused');
    last.set(key, { at: now, since: 0 });
  };
}
