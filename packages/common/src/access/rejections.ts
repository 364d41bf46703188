/** What becomes known of a rejected request: a metric, a log line, and the audit log where the caller is known. */
import type { IncomingMessage } from 'node:http';
import { Counter, type Registry } from 'prom-client';
import type { AuditLog, NewAuditEntry } from '../audit.ts';
import type { Clock } from '../clock.ts';
import { HttpProblem } from '../http/problem.ts';
import type { Logger } from '../log.ts';

/** A metric's label. */
const reasons = ['none', 'unknown', 'expired', 'google', 'role', 'unavailable'] as const;
export type Reason = (typeof reasons)[number];
/** A caller whose token is one of the rack's. */
export type Known = Pick<NewAuditEntry, 'who' | 'role'>;

/** A page or a program that asks again and again is audited once within this time. */
const repeatedSeconds = 3600;
const mostRemembered = 1000;

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
  /** When each was audited, in seconds since boot; the oldest first. */
  private readonly audited = new Map<string, number>();

  constructor(deps: RejectionsDeps) {
    this.deps = deps;
    this.counter = new Counter({
      name: 'skolo_access_refused_total',
      help: 'Requests rejected by access control: no token, unknown or expired token, Google sign-in, missing role, sign-in unavailable.',
      labelNames: ['reason'],
      registers: [deps.metrics],
    });
    // A counter without an initial 0 hides its first event from rate().
    for (const reason of reasons) this.counter.inc({ reason }, 0);
  }

  note({ reason, detail }: AccessRejected, from: string, log: Logger): void {
    this.counter.inc({ reason });
    log.info({ reason, why: detail, from }, 'refused');
  }

  /** Strangers are not audited: they could fill the disk. */
  async record(
    { known, detail }: AccessRejected,
    { method = '', url = '' }: Pick<IncomingMessage, 'method' | 'url'>,
    from: string,
    log: Logger,
  ): Promise<void> {
    if (known === undefined) return;
    const target = `${method} ${url.split('?', 1)[0]}`;
    if (this.isRepeated(JSON.stringify([known.who, from, target]))) return;
    const entry = {
      ...known,
      from,
      what: 'rejected request',
      target,
      outcome: `refused: ${detail}`,
    };
    await this.deps.audit.append(entry).catch((error: unknown) => {
      log.error({ err: error, entry }, 'not in the audit log');
    });
  }

  private isRepeated(key: string): boolean {
    const now = this.deps.clock.uptime();
    const last = this.audited.get(key);
    if (last !== undefined && now - last < repeatedSeconds) return true;
    this.audited.delete(key);
    this.audited.set(key, now);
    const [oldest] = this.audited.keys();
    if (this.audited.size > mostRemembered && oldest !== undefined) this.audited.delete(oldest);
    return false;
  }
}
