/**
 * The doors: what Alertmanager and Prometheus post is understood, handed on, and answered once it is kept. Alertmanager
 * repeats what is answered with 4xx as long as the alert lives, and Prometheus repeats nothing at all: so good alerts are
 * never refused for bad ones beside them.
 */
import type { Door } from '@skolo/alerts';
import { type Clock, type Logger, otherMethods } from '@skolo/common';
import { type Request, type RequestHandler, type Response, Router } from 'express';
import {
  type AlertmanagerDeps,
  alertsFor,
  groupsFor,
  receivers,
  statusOf,
} from './alertmanager-api.ts';
import { accepted, refused } from './answers.ts';
import { DoorAuth, type DoorAuthDeps } from './auth.ts';
import { BodiesInFlight, readBody } from './body.ts';
import { type Batch, type Intake, NotAccepted } from './heard.ts';
import { parseJson } from './json.ts';
import { readMessage } from './messages.ts';
import { Refused, type RefusedWhy } from './refused.ts';

export interface Received {
  door: Door;
  firing: number;
  resolved: number;
  bad: number;
}

export interface DoorsDeps extends AlertmanagerDeps, DoorAuthDeps {
  intake: Intake;
  clock: Clock;
  log: Pick<Logger, 'warn'>;
  /** Kept and answered. */
  onReceived(received: Received): void;
  onRefused(refusal: { door: Door; why: RefusedWhy }): void;
  /** Each overrides a default. */
  tuning?: Partial<Tuning>;
}

export interface Tuning {
  /** Of all bodies that are being read or kept, unpacked. */
  mostInFlightBytes: number;
  /** For one body to arrive. */
  bodyTimeoutMs: number;
}

const usual: Tuning = { mostInFlightBytes: 256 * 2 ** 20, bodyTimeoutMs: 30_000 };

const paths: readonly [string, Door][] = [
  ['/webhook', 'webhook'],
  ['/api/v1/alerts', 'v1'],
];

/** Mount them before other routes: `createApp({ first: doors(deps), … })`. */
export function doors(deps: DoorsDeps): RequestHandler[] {
  const auth = new DoorAuth(deps);
  const take = taking(deps, auth);
  const router = Router({ caseSensitive: true });
  for (const [path, door] of paths) {
    router.post(path, take(door)).all(path, otherMethods(new Set(['POST'])));
  }
  router.post('/api/v2/alerts', take('v2'));

  const tell = telling(auth);
  const only = otherMethods(new Set(['GET']));
  router
    .get(
      '/api/v2/alerts',
      tell((query) => alertsFor(deps, query)),
    )
    .all('/api/v2/alerts', otherMethods(new Set(['GET', 'POST'])))
    .get(
      '/api/v2/alerts/groups',
      tell((query) => groupsFor(deps, query)),
    )
    .all('/api/v2/alerts/groups', only)
    .get(
      '/api/v2/receivers',
      tell(() => receivers(deps.settings())),
    )
    .all('/api/v2/receivers', only)
    .get(
      '/api/v2/status',
      tell(() => statusOf(deps)),
    )
    .all('/api/v2/status', only)
    .get(
      '/api/v2/silences',
      tell(() => []),
    )
    .post('/api/v2/silences', tell(noSilences))
    .all('/api/v2/silences', only)
    .all('/api/v2/silence/:id', tell(noSilences));
  for (const path of ['/-/ready', '/-/healthy']) {
    router
      .get(path, (_request, response) => void response.type('text/plain').send('OK'))
      .all(path, only);
  }
  return [router];
}

function noSilences(): never {
  throw new Refused(
    'malformed',
    400,
    'nothing is silenced here: every alert is handed on; make silences in the Alertmanager before this, or where the alerts are read',
  );
}

function taking(deps: DoorsDeps, auth: DoorAuth): (door: Door) => RequestHandler {
  const { intake, clock, onReceived, onRefused, settings } = deps;
  const { mostInFlightBytes, bodyTimeoutMs } = { ...usual, ...deps.tuning };
  const inFlight = new BodiesInFlight();
  const warn = seldomWarnings(deps);

  async function receive(door: Door, request: Request): Promise<Batch> {
    await auth.check(request.get('authorization'));
    const share = inFlight.share(mostInFlightBytes);
    try {
      const limits = { mostBytes: settings().maxBodyBytes, timeoutMs: bodyTimeoutMs };
      const batch = readMessage(parseJson(await readBody(request, share, limits)), door);
      await intake.accept(batch);
      return batch;
    } finally {
      share.release();
    }
  }

  return (door) =>
    async function takeAlerts(request, response) {
      try {
        const batch = await receive(door, request);
        onReceived(counted(batch, clock.now()));
        accepted(response, batch);
      } catch (error) {
        const refusal = refusalOf(error);
        onRefused({ door, why: refusal?.why ?? 'failed' });
        if (refusal === undefined) throw error;
        warn(door, refusal);
        if (refusal.why === 'gone') response.destroy();
        else refused(response, door, refusal);
      }
    };
}

function refusalOf(error: unknown): Refused | undefined {
  if (error instanceof Refused) return error;
  if (!(error instanceof NotAccepted)) return undefined;
  const seconds = Math.max(1, Math.ceil(error.retryAfterSeconds));
  const headers = { 'retry-after': String(seconds) };
  return new Refused('full', 503, error.message, { headers, cause: error });
}

function counted({ door, alerts, bad }: Batch, now: number): Received {
  let resolved = 0;
  for (const { status, endsAt } of alerts) {
    const isResolved =
      status === undefined ? endsAt !== undefined && endsAt <= now : status === 'resolved';
    if (isResolved) resolved += 1;
  }
  return { door, firing: alerts.length - resolved, resolved, bad: bad.length };
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

/** What is told is for those who may hand in alerts, too. */
function telling(auth: DoorAuth) {
  return (answer: (query: URLSearchParams) => unknown): RequestHandler =>
    async function tell(request: Request, response: Response) {
      try {
        await auth.check(request.get('authorization'));
        const { searchParams } = new URL(request.url, 'http://localhost');
        response.json(answer(searchParams));
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        refused(response, 'v2', error);
      }
    };
}
