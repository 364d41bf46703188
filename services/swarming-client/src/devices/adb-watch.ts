/** Looks whether the adb server is wedged: more often than at the phones, as it costs one connection and no process. */
import type { AdbServer } from './device.ts';

export interface AdbWatchDeps {
  adb: Pick<AdbServer, 'isWedged'>;
  /** A device is attached that needs the server. */
  wanted: () => boolean;
  onChange: () => void;
  everySeconds?: number;
}

const usualSeconds = 8;

export class AdbWatch {
  private readonly deps: AdbWatchDeps;
  private readonly ended = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private known = false;
  private isLooking = false;

  constructor(deps: AdbWatchDeps) {
    this.deps = deps;
  }

  start(): void {
    const ms = (this.deps.everySeconds ?? usualSeconds) * 1000;
    this.timer = setInterval(() => void this.look().catch(() => undefined), ms);
  }

  stop(): void {
    clearInterval(this.timer);
    this.ended.abort();
  }

  isWedged(): boolean {
    return this.known;
  }

  private async look(): Promise<void> {
    if (this.isLooking) return;
    this.isLooking = true;
    try {
      const { adb, wanted, onChange } = this.deps;
      const found = wanted() && (await adb.isWedged(this.ended.signal));
      if (found === this.known) return;
      this.known = found;
      onChange();
    } finally {
      this.isLooking = false;
    }
  }
}
