/**
 * Pending enrolments of Pis, and when one that has gone is forgotten. They repeat their requests, so a restart forgets them only briefly.
 */
import { isIPv6 } from 'node:net';
import type { EnrolRequest, WaitingPi } from '@skolo/api';
import type { Clock } from '@skolo/common';
import type { Waits } from './decide.ts';

interface Entry {
  pi: WaitingPi;
  /** Seconds since boot. */
  askedAt: number;
  asks: number;
}

export interface Asked extends Pick<EnrolRequest, 'serial' | 'macs' | 'model'> {
  key: string;
  from: string;
}

/** A Pi makes a request at least once a minute. */
const presentSeconds = 180;
const forgottenSeconds = 3600;
const most = 1000;

export class Waiting {
  private readonly entries = new Map<string, Entry>();
  private readonly clock: Clock;
  private readonly isDecided: (key: string) => boolean;

  /** @param isDecided whether a person or rack.yaml has assigned a name to the key */
  constructor(clock: Clock, isDecided: (key: string) => boolean) {
    this.clock = clock;
    this.isDecided = isDecided;
  }

  list(): WaitingPi[] {
    this.forgetOld();
    return [...this.entries.values()].map(({ pi }) => pi);
  }

  get(key: string): WaitingPi | undefined {
    return this.entries.get(key)?.pi;
  }

  /** Other keys that currently claim this serial number. An enrolled card with a different one is not a rival: it needs no secret. */
  rivals({ key, serial }: Pick<Asked, 'key' | 'serial'>): number {
    const since = this.clock.uptime() - presentSeconds;
    const isRival = ({ pi, askedAt }: Entry) =>
      pi.serial === serial && pi.key !== key && pi.code !== 'copied' && askedAt > since;
    return [...this.entries.values()].filter(isRival).length;
  }

  put({ key, from, serial, macs, model }: Asked, { wait: code, why, name }: Waits): void {
    const now = new Date(this.clock.now()).toISOString();
    const before = this.entries.get(key);
    const since = before?.pi.since ?? now;
    const pi = { key, serial, macs, model, from, since, lastAsked: now, code, why };
    this.entries.delete(key);
    this.entries.set(key, {
      pi: name === undefined ? pi : { ...pi, name },
      askedAt: this.clock.uptime(),
      asks: (before?.asks ?? 0) + 1,
    });
    this.forgetOld();
    if (this.entries.size > most) this.dropOne();
  }

  delete(key: string): void {
    this.entries.delete(key);
  }

  /**
   * Whoever fills the list loses by it: the removed entry is one of the source with the most entries, preferably one with a single request,
   * and of these the oldest. A rack has one network, in which an attacker has as many IPv6 addresses as it likes: they are one source.
   */
  private dropOne(): void {
    const open = [...this.entries].filter(([key]) => !this.isDecided(key));
    const bySource = Map.groupBy(open, ([, { pi }]) => (isIPv6(pi.from) ? 'IPv6' : pi.from));
    const [largest = []] = [...bySource.values()].sort((a, b) => b.length - a.length);
    const [victim] = largest.find(([, { asks }]) => asks === 1) ?? largest[0] ?? [];
    if (victim !== undefined) this.entries.delete(victim);
  }

  private forgetOld(): void {
    const since = this.clock.uptime() - forgottenSeconds;
    for (const [key, { askedAt }] of this.entries) if (askedAt < since) this.entries.delete(key);
  }
}
