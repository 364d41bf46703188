/**
 * Numbers the known state, so that callers can wait for a change. Readings do not count: a charging battery, or numbers in a text. It
 * costs nothing while nothing changes, and a timer only while a caller waits.
 */

import { randomBytes } from 'node:crypto';
import { pause } from '@skolo/base';
import { type AgentNow, healthOf } from './status.ts';

/** Each holds a connection, and memory on a small machine. */
const mostWaiting = 8;

export class Revisions {
  private readonly now: () => AgentNow;
  /** For this start: an earlier one's numbers are other revisions. */
  private readonly start = randomBytes(4).toString('hex');
  private number = 0;
  private known: string | undefined;
  private readonly waiting = new Set<AbortController>();
  private isStopped = false;

  constructor(now: () => AgentNow) {
    this.now = now;
  }

  /** For each event: something may have changed. */
  update(): void {
    const facts = JSON.stringify(factsOf(this.now()));
    if (facts === this.known) return;
    this.known = facts;
    this.number += 1;
    for (const each of this.waiting) each.abort();
  }

  current(): string {
    this.update();
    return `${this.start}-${this.number}`;
  }

  /** Fulfilled when the revision has changed, the time is over, the caller has hung up, or there are too many. */
  async wait(after: string, seconds: number, hungUp: AbortSignal): Promise<void> {
    if (this.current() !== after || seconds === 0) return;
    if (this.isStopped || this.waiting.size >= mostWaiting) return;
    const changed = new AbortController();
    this.waiting.add(changed);
    const signal = AbortSignal.any([changed.signal, hungUp]);
    // It rejects if the wait is over early.
    await pause(seconds * 1000, signal).catch(() => undefined);
    this.waiting.delete(changed);
  }

  /** Ends all waits. */
  stop(): void {
    this.isStopped = true;
    for (const each of this.waiting) each.abort();
  }
}

function factsOf(now: AgentNow) {
  const { task, bot, machine, identity } = now;
  const { devices, orders, repairs } = machine;
  const health = healthOf(now);
  return [
    ...[task, orders, health.verdict, identity.from, identity.machinePart?.rack],
    health.reasons.map(({ verdict, code, device }) => [verdict, code, device]),
    devices.map(({ name, kind, state, since, why, reading }) => {
      return [name, kind, state, since, why, reading?.serial];
    }),
    repairs.map(({ at, device, step, outcome }) => [at, device, step, outcome]),
    [bot.state, bot.why, bot.pid, bot.server, bot.isHealthy, bot.starts, bot.lastExit?.at],
  ];
}
