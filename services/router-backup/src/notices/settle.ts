/**
 * Decides how soon after a notice of a change a device is read: once it has been quiet for a while, because a change is often followed
 * by another. The wait is limited, and longer for a device whose notices were unfounded.
 */

interface SettleDeps {
  settleSeconds: () => number;
  /** Called once it is quiet, with its first notice. */
  onQuiet: (device: string, notice: string) => void;
}

interface Waiting {
  notice: string;
  /** By `performance.now()`. */
  first: number;
  timer: NodeJS.Timeout;
}

/** The longest wait, in pauses. */
const mostPauses = 10;
const longestPauseMs = 3600_000;

export class Settle {
  private readonly deps: SettleDeps;
  private readonly waiting = new Map<string, Waiting>();
  /** Consecutive unfounded notices. */
  private readonly falseAlarms = new Map<string, number>();

  constructor(deps: SettleDeps) {
    this.deps = deps;
  }

  add(device: string, notice: string): void {
    const known = this.waiting.get(device);
    const now = performance.now();
    const first = known?.first ?? now;
    const pauseMs = this.pauseMs(device);
    const atLast = first + mostPauses * pauseMs - now;
    clearTimeout(known?.timer);
    const timer = setTimeout(() => this.quiet(device), Math.max(0, Math.min(pauseMs, atLast)));
    this.waiting.set(device, { notice: known?.notice ?? notice, first, timer: timer.unref() });
  }

  /**
   * Whether the device had changed when it was read because of a notice. If not, its next notices wait twice as long, up to an hour:
   * otherwise a device that reports being read would be read forever.
   */
  outcome(device: string, changed: boolean): void {
    if (changed) this.falseAlarms.delete(device);
    else this.falseAlarms.set(device, Math.min(16, (this.falseAlarms.get(device) ?? 0) + 1));
  }

  /** Forgets all but these. */
  retain(devices: ReadonlyMap<string, unknown>): void {
    for (const [device, { timer }] of this.waiting) {
      if (devices.has(device)) continue;
      clearTimeout(timer);
      this.waiting.delete(device);
    }
    for (const device of this.falseAlarms.keys()) {
      if (!devices.has(device)) this.falseAlarms.delete(device);
    }
  }

  close(): void {
    for (const { timer } of this.waiting.values()) clearTimeout(timer);
    this.waiting.clear();
  }

  private pauseMs(device: string): number {
    const usual = this.deps.settleSeconds() * 1000;
    // The first false alarm has no effect: it may be somebody who only looked at the device.
    const doublings = Math.max(0, (this.falseAlarms.get(device) ?? 0) - 1);
    return Math.max(usual, Math.min(longestPauseMs, usual * 2 ** doublings));
  }

  private quiet(device: string): void {
    const known = this.waiting.get(device);
    this.waiting.delete(device);
    if (known !== undefined) this.deps.onQuiet(device, known.notice);
  }
}
