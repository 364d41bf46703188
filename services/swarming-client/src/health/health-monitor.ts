/** Keeps the health of the machine: judges it anew whenever something is known that was not, and now and then. */
import { isDeepStrictEqual } from 'node:util';
import type { Clock, Logger } from '@skolo/common/light';
import { assess } from './assess.ts';
import { type Health, type HealthFacts, type HealthSettings, healthText } from './health.ts';

export interface JudgeDeps {
  /** Undefined: it is not known what rack.yaml says of this machine. */
  settings: () => HealthSettings | undefined;
  facts: () => Omit<HealthFacts, 'now'>;
  /** Why nothing is known, for people. */
  whyUnknown: () => string;
  clock: Pick<Clock, 'now'>;
  log: Pick<Logger, 'info' | 'warn'>;
  onJudged: (health: Health) => void;
  everySeconds?: number;
}

/** Holds end, and times pass, without anybody saying so. */
const usualSeconds = 5;

export class Judge {
  private readonly deps: JudgeDeps;
  private judged: Health;
  private timer: NodeJS.Timeout | undefined;
  private isLooking = false;

  constructor(deps: JudgeDeps) {
    this.deps = deps;
    this.judged = this.unknown(undefined);
  }

  start(): void {
    this.timer = setInterval(() => this.look(), (this.deps.everySeconds ?? usualSeconds) * 1000);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  health(): Health {
    return this.judged;
  }

  look(): void {
    // What is told of the judgement may be a reason to look again.
    if (this.isLooking) return;
    this.isLooking = true;
    try {
      const { settings, facts, clock } = this.deps;
      const now = new Date(clock.now());
      const known = settings();
      const before = this.judged;
      this.judged =
        known === undefined ? this.unknown(before) : assess(before, { ...facts(), now }, known);
      this.tell(before);
      this.deps.onJudged(this.judged);
    } finally {
      this.isLooking = false;
    }
  }

  private unknown(before: Health | undefined): Health {
    const text = `not known yet: ${this.deps.whyUnknown()}`;
    const known = before?.reasons.find(({ code }) => code === 'not-known');
    const since = known?.since ?? new Date(this.deps.clock.now());
    const reason = { verdict: 'maintenance', code: 'not-known', text, since } as const;
    return { verdict: 'maintenance', since, reasons: [reason] };
  }

  private tell(before: Health): void {
    const codes = ({ reasons }: Health) => reasons.map(({ code, device }) => [code, device]);
    if (isDeepStrictEqual(codes(before), codes(this.judged))) return;
    const { verdict } = this.judged;
    const text = healthText(this.judged);
    if (verdict === 'quarantined') this.deps.log.warn({ verdict, text }, 'health changed');
    else this.deps.log.info({ verdict, text }, 'health changed');
  }
}
