/** Decides how rejected requests are reported: in a metric, a log line, and for known callers in the audit log. */
import { Counter, type Registry } from 'prom-client';
import type { AuditLog, NewAuditEntry } from '../audit/audit-log.ts';
import { HttpProblem } from '../http/response/problem.ts';
import type { Clock } from '../process/clock.ts';
import type { Logger } from '../process/log.ts';
import { anonymous, CallerLimit } from './caller-limits.ts';

/** A metric's label. */
const reasons = ['none', 'unknown', 'expired', 'google', 'role', 'unavailable'] as const;
export type Reason = (typeof reasons)[number];
/** A caller whose token is one of the rack's. */
export type Known = Pick<NewAuditEntry, 'who' | 'role'>;

/** A page or program that repeats its requests is audited once within this time. */
const repeatedSeconds = 3600;
const mostRemembered = 1000;
/** Longer than our paths, because the caller chooses it. */
const mostTarget = 200;

export class AccessRejected extends HttpProblem {
  readonly reason: Reason;
  readonly known: Known | undefined;

  constructor(
    { reason, known }: { reason: Reason; known?: Known | undefined },
    ...problem: ConstructorParameters<typeof HttpProblem>
  ) {
    super(...problem);
    this.reason = reason;
    this.known = known;
  }
}

interface RejectionsDeps {
  metrics: Registry;
  clock: Pick<Clock, 'uptime'>;
  audit: Pick<AuditLog, 'append'>;
}

export class Rejections {
  private readonly deps: RejectionsDeps;
  private readonly counter: Counter<'reason'>;
  private readonly limit: CallerLimit;
  /** When each was audited, in seconds since boot, oldest first. */
  private readonly audited = new Map<string, number>();

  constructor(deps: RejectionsDeps) {
    this.deps = deps;
    this.limit = new CallerLimit('rejections', deps);
    this.counter = new Counter({
      name: 'skolo_access_rejected_total',
      help: 'Requests rejected by access control, by reason (such as a missing or expired token, or an insufficient role).',
      labelNames: ['reason'],
      registers: [deps.metrics],
    });
    // A counter without an initial 0 hides its first event from rate().
    for (const reason of reasons) this.counter.inc({ reason }, 0);
  }

  /**
   * Counts, logs and audits. Unknown callers are not audited, because they could fill the disk. Those with any e-mail address share one
   * limit, because anybody can have many.
   *
   * @param asked method and path
   * @throws HttpProblem 429: the caller had too many requests rejected, so this one is not audited.
   */
  async record(
    { reason, known, detail }: AccessRejected,
    asked: string,
    from: string,
    log: Logger,
  ): Promise<void> {
    this.counter.inc({ reason });
    log.info({ reason, why: detail, from }, 'rejected');
    if (known === undefined) return;
    const target = asked.slice(0, mostTarget);
    const key = JSON.stringify([known.who, from, target]);
    if (this.isRepeated(key)) return;
    this.limit.take(known.role === undefined ? anonymous : known.who);
    this.remember(key);
    const entry = {
      ...known,
      from,
      what: 'rejected request',
      target,
      outcome: `rejected: ${detail}`,
    };
    await this.deps.audit.append(entry).catch((error: unknown) => {
      log.error({ err: error, entry }, 'audit log entry not written');
    });
  }

  private isRepeated(key: string): boolean {
    const last = this.audited.get(key);
    return last !== undefined && this.deps.clock.uptime() - last < repeatedSeconds;
  }

  private remember(key: string): void {
    this.audited.delete(key);
    this.audited.set(key, this.deps.clock.uptime());
    const [oldest] = this.audited.keys();
    if (this.audited.size > mostRemembered && oldest !== undefined) this.audited.delete(oldest);
  }
}
