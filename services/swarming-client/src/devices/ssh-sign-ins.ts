/** Decides how long a device is left alone after it has rejected this machine's SSH sign-in. */
import type { Clock } from '@skolo/common/light';

/** After the first rejected sign-in, the second, and so on. The first pause is short: a booting device may reject for a moment. */
const pauseSeconds = [60, 120, 300] as const;
const longestSeconds = 600;

/**
 * Pauses between sign-ins over ssh that a device rejects. A device is read every few seconds. Programs on it that count failed sign-ins
 * (faillock, fail2ban) would lock the account or this machine out for good. One per login, for readings, searches and repairs. It never
 * gives up.
 */
export class SshSignIns {
  private readonly clock: Pick<Clock, 'now' | 'uptime'>;
  private readonly rejected = new Map<string, { times: number; nextAt: number; why: string }>();

  constructor(clock: Pick<Clock, 'now' | 'uptime'>) {
    this.clock = clock;
  }

  /** Why no sign-in is allowed now; undefined: one is. */
  pausedWhy(login: string): string | undefined {
    const known = this.rejected.get(login);
    return known !== undefined && this.clock.uptime() < known.nextAt ? known.why : undefined;
  }

  /** Returns the reason for people, with the time of the next attempt. */
  reject(login: string, reason: string): string {
    const times = (this.rejected.get(login)?.times ?? 0) + 1;
    const pause = pauseSeconds[times - 1] ?? longestSeconds;
    const often = times === 1 ? 'once' : `${times} times`;
    const next = new Date(this.clock.now() + pause * 1000).toISOString();
    const why = `${reason}; sign-in was rejected ${often}; next attempt at ${next}`;
    this.rejected.set(login, { times, nextAt: this.clock.uptime() + pause, why });
    return why;
  }

  accept(login: string): void {
    this.rejected.delete(login);
  }
}
