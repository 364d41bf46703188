/** When each operation last succeeded: exact in memory, and rarely written to the disk, so that an idle rack writes little. */
import type { Receiver } from '@skolo/api';
import { sha256 } from '@skolo/base';
import { type Clock, type LastSuccess, wallTime } from '@skolo/common';

/** Names of last-success times, as used in the state directory. */
export const lastReceived = 'heard';

export function lastReceivedAt(receiver: Receiver): string {
  return `heard at ${receiver}`;
}

export function lastHeartbeat(sink: string): string {
  return `${sink} heartbeat`;
}

/** It has accepted a message since it has these settings. */
export function acceptedWith({ name, settings }: { name: string; settings: unknown }): string {
  return `${name} accepted with ${sha256(JSON.stringify(settings)).slice(0, 16)}`;
}

const writeEveryMs = 30 * 60_000;

export class SuccessTimes {
  private readonly lastSuccess: Pick<LastSuccess, 'get' | 'mark' | 'retain' | 'close'>;
  private readonly clock: Clock;
  /** In seconds of uptime. */
  private readonly times = new Map<string, number>();

  constructor(lastSuccess: SuccessTimes['lastSuccess'], clock: Clock) {
    this.lastSuccess = lastSuccess;
    this.clock = clock;
  }

  /** Records a success now. */
  mark(name: string): void {
    const { lastSuccess, clock } = this;
    this.times.set(name, clock.uptime());
    const age = clock.now() - (lastSuccess.get(name) ?? Number.NEGATIVE_INFINITY);
    if (age >= writeEveryMs || age < 0) this.write();
  }

  /** Records the first success, on the disk at once. */
  markFirst(name: string): void {
    if (this.get(name) !== undefined) return;
    this.mark(name);
    void this.lastSuccess.close();
  }

  /** Milliseconds since 1970, by the current wall clock. */
  get(name: string): number | undefined {
    const at = this.times.get(name);
    return at === undefined ? this.lastSuccess.get(name) : wallTime(this.clock, at);
  }

  retain(names: ReadonlySet<string>): void {
    this.lastSuccess.retain(names);
    for (const name of this.times.keys()) if (!names.has(name)) this.times.delete(name);
  }

  /** All in one write, so that their order and distances are right after a crash. */
  write(): void {
    const now = this.clock.uptime();
    for (const [name, at] of this.times) this.lastSuccess.mark(name, now - at);
  }
}
