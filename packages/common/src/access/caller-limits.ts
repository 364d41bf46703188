/**
 * Limits how many requests each caller may make, by the name with which it signed in. All anonymous callers share one name, because they can
 * change their addresses. A limit rejects requests before they have an effect, so every effect is recorded.
 */
import { Counter, type Registry } from 'prom-client';
import { HttpProblem } from '../http/response/problem.ts';
import type { Clock } from '../process/clock.ts';
import { RateLimiter } from './rate-limiter.ts';

export const anonymous = 'anonymous';

const limits = {
  /**
   * Bytes in the audit log. A command that changes 300 machines one by one writes 300 kB, and a caller may do that
   * ten times in a row. A backup history of 4 GB is restored in pieces that write as much. A script that cycles a machine
   * every five seconds writes 100 B/s. In 400 days, one name fills 35 GB.
   */
  changes: { burst: 4 * 1024 * 1024, perSecond: 1024, what: 'too many changes' },
  /**
   * Lines about rejected requests; a console page requests ten paths. Repetitions do not count. A script that polls
   * with an expired token therefore gets a 401 each time, which tells its owner the reason.
   */
  rejections: { burst: 100, perSecond: 1 / 60, what: 'too many rejected requests' },
  /** Sessions with devices. `skolo check cabling` reads each switch once, and one of them every second while it verifies an outlet. */
  readings: { burst: 200, perSecond: 1, what: 'too many readings of equipment' },
  /**
   * Configurations that were masked or compared: one for each, for 0.1 s of CPU time and for 256 KiB of text. A script may show those of all
   * 300 devices in a row.
   */
  texts: { burst: 300, perSecond: 2, what: 'too many configurations were requested' },
};

interface LimitDeps {
  metrics: Registry;
  clock: Pick<Clock, 'uptime'>;
}

/** One kind of limit, for all callers. */
export class CallerLimit {
  private readonly kind: keyof typeof limits;
  private readonly metrics: Registry;
  private readonly limiter: RateLimiter;

  constructor(kind: keyof typeof limits, { metrics, clock }: LimitDeps) {
    this.kind = kind;
    this.metrics = metrics;
    this.limiter = new RateLimiter(limits[kind], () => clock.uptime() * 1000);
    limitedRequests(metrics);
  }

  /** @throws HttpProblem 429: the caller has reached the limit. */
  take(caller: string, cost = 1): void {
    const wait = this.limiter.take(caller, cost);
    if (wait > 0)
      throw tooMany(this.metrics, this.kind, `${caller}: ${limits[this.kind].what}`, wait);
  }
}

/** A counted 429. @param seconds until another attempt makes sense */
export function tooMany(
  metrics: Registry,
  limit: keyof typeof limits | 'streams',
  subject: string,
  seconds: number,
): HttpProblem {
  limitedRequests(metrics).inc({ limit });
  const wait = Math.ceil(seconds);
  return new HttpProblem(429, `${subject}; try again in ${wait} s`, {
    headers: { 'retry-after': String(wait) },
  });
}

const counterName = 'skolo_access_limited_total';

/** One counter for all limits of a registry. */
function limitedRequests(registry: Registry): Counter<'limit'> {
  const known = registry.getSingleMetric(counterName);
  if (known instanceof Counter) return known;
  const counter = new Counter({
    name: counterName,
    help: 'Requests rejected with 429 because their caller exceeded a limit, by limit.',
    labelNames: ['limit'],
    registers: [registry],
  });
  // A counter without an initial 0 hides its first event from rate().
  for (const limit of [...Object.keys(limits), 'streams']) counter.inc({ limit }, 0);
  return counter;
}
