/**
 * Decides how many SNMP variables are requested at a time, and how long to wait (timeout). Some agents query a slow PoE controller for
 * each variable in turn: sixteen take longer than the deadline of one.
 */

/** This many answers fit into the smallest message that an agent must support (484 bytes). */
const mostAtOnce = 16;
/** This few have always been answered in time, unless the device is silent. */
const few = 4;
/** How long after a failure larger requests, or optional objects, are tried again. */
export const patientMs = 600_000;

/** For a request of few variables. */
export const requestMs = 5000;
/** Additional time for each further variable. */
const variableMs = 375;
/** For a single variable after a request that timed out: a device may still be busy with that one. */
export const afterLateMs = 10_000;

export function deadlineMs(variables: number): number {
  return requestMs + Math.max(0, variables - few) * variableMs;
}

/** Whether the number of variables may have caused the timeout. */
export function isMany(variables: number): boolean {
  return variables > few;
}

/** One per device, kept between readings. */
export class BatchSize {
  private size = mostAtOnce;
  private changedAt = 0;
  private readonly now: () => number;

  /** @param now milliseconds of a monotonic clock */
  constructor(now: () => number = () => performance.now()) {
    this.now = now;
  }

  get current(): number {
    if (this.size < mostAtOnce && this.now() - this.changedAt > patientMs) this.set(this.size * 2);
    return this.size;
  }

  /** A request of this size was answered with tooBig. */
  tooBig(variables: number): void {
    this.set(Math.floor(variables / 2));
  }

  /** A request of this size was not answered in time. */
  late(variables: number): void {
    this.set(Math.floor(variables / few));
  }

  private set(size: number): void {
    this.size = Math.min(mostAtOnce, Math.max(1, size));
    this.changedAt = this.now();
  }
}
