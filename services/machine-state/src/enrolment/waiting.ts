/** Pis that wait. They ask again by themselves, so a restart forgets none for long. */
import type { EnrolRequest, WaitingPi } from '@skolo/api';
import type { Clock } from '@skolo/common';
import type { Waits } from './decide.ts';

interface Entry {
  pi: WaitingPi;
  /** Seconds since boot. */
  askedAt: number;
}

export interface Asked extends Pick<EnrolRequest, 'serial' | 'macs' | 'model'> {
  key: string;
  from: string;
}

/** A Pi asks at least once a minute. */
const presentSeconds = 180;
const forgottenSeconds = 3600;
const most = 1000;

export class Waiting {
  private readonly entries = new Map<string, Entry>();
  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  list(): WaitingPi[] {
    this.forgetOld();
    return [...this.entries.values()].map(({ pi }) => pi);
  }

  get(key: string): WaitingPi | undefined {
    return this.entries.get(key)?.pi;
  }

  /** Other keys that say at present that they have this serial number. */
  rivals({ key, serial }: Pick<Asked, 'key' | 'serial'>): number {
    const since = this.clock.uptime() - presentSeconds;
    return [...this.entries.values()].filter(
      ({ pi, askedAt }) => pi.serial === serial && pi.key !== key && askedAt > since,
    ).length;
  }

  put({ key, from, serial, macs, model }: Asked, { wait: code, why, name }: Waits): void {
    const now = new Date(this.clock.now()).toISOString();
    const since = this.entries.get(key)?.pi.since ?? now;
    const pi = { key, serial, macs, model, from, since, lastAsked: now, code, why };
    this.entries.delete(key);
    this.entries.set(key, {
      pi: name === undefined ? pi : { ...pi, name },
      askedAt: this.clock.uptime(),
    });
    this.forgetOld();
    const [oldest] = this.entries.keys();
    if (this.entries.size > most && oldest !== undefined) this.entries.delete(oldest);
  }

  delete(key: string): void {
    this.entries.delete(key);
  }

  private forgetOld(): void {
    const since = this.clock.uptime() - forgottenSeconds;
    for (const [key, { askedAt }] of this.entries) if (askedAt < since) this.entries.delete(key);
  }
}
