/** Decides how often the machine's health is assessed: after each change of a fact, and every few seconds. */
import type { Clock, Emit } from '@skolo/common/light';
import type { AgentEvent } from '../events.ts';
import { assess } from './assess.ts';
import type { Health, HealthFacts, HealthSettings } from './health.ts';

interface HealthMonitorDeps {
  /** Undefined: this machine's entry in rack.yaml is not known. */
  settings: () => HealthSettings | undefined;
  /** Why it is not known, for people. */
  whyUnknown: () => string;
  clock: Pick<Clock, 'now'>;
  emit: Emit<AgentEvent>;
}

/** Holds expire and time limits pass without an event. */
const everyMs = 5000;

export class HealthMonitor {
  private readonly deps: HealthMonitorDeps;
  private current: Health;
  private facts: (() => Omit<HealthFacts, 'now'>) | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isAssessing = false;

  constructor(deps: HealthMonitorDeps) {
    this.deps = deps;
    this.current = this.unknown(undefined);
  }

  start(facts: () => Omit<HealthFacts, 'now'>): void {
    this.facts = facts;
    this.timer = setInterval(() => this.update(), everyMs);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  health(): Health {
    return this.current;
  }

  update(): void {
    // A consumer of its event may change a fact.
    if (this.isAssessing || this.facts === undefined) return;
    this.isAssessing = true;
    try {
      const { settings, clock, emit } = this.deps;
      const known = settings();
      const before = this.current;
      this.current =
        known === undefined
          ? this.unknown(before)
          : assess(before, { ...this.facts(), now: new Date(clock.now()) }, known);
      emit({ type: 'health', now: this.current, before });
    } finally {
      this.isAssessing = false;
    }
  }

  private unknown(before: Health | undefined): Health {
    const text = `this machine's entry in rack.yaml is not known yet: ${this.deps.whyUnknown()}`;
    const known = before?.reasons.find(({ code }) => code === 'not-known');
    const since = known?.since ?? new Date(this.deps.clock.now());
    const reason = { verdict: 'maintenance', code: 'not-known', text, since } as const;
    return { verdict: 'maintenance', since, reasons: [reason] };
  }
}
