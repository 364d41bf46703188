/**
 * How many variables a device is asked for in one request, and how long it may take. Some agents ask a slow PoE controller
 * for each variable in turn: sixteen of them take longer than the deadline of one.
 */

/** As many answers fit into the smallest message that an agent must be able to send (484 bytes). */
const mostAtOnce = 16;
/** So few have always been answered in time, or the device is silent. */
const few = 4;
/** So long after a failure more are tried again. */
const patientMs = 600_000;

/** For a request of few variables. */
export const requestMs = 5000;
/** More for each further variable. */
const variableMs = 375;
/** For a single variable after a request that was late: a device may still be busy with that one. */
export const afterLateMs = 10_000;

export function deadlineMs(variables: number): number {
  return requestMs + Math.max(0, variables - few) * variableMs;
}

/** Whether a late answer may be due to the number of variables. */
export function isMany(variables: number): boolean {
  return variables > few;
}

/** One for each device, kept from one reading to the next. */
export class BatchSize {
  private size = mostAtOnce;
  private changedAt = 0;
  private readonly now: () => number;

  /** @param now milliseconds, of a clock that does not jump */
  constructor(now: () => number = () => performance.now()) {
    this.now = now;
  }

  get current(): number {
    if (this.size < mostAtOnce && this.now() - this.changedAt > patientMs) this.set(this.size * 2);
    return this.size;
  }

  /** A request of so many was answered with tooBig. */
  tooBig(variables: number): void {
    this.set(Math.floor(variables / 2));
  }

  /** A request of so many was not answered in time. */
  late(variables: number): void {
    this.set(Math.floor(variables / few));
  }

  private set(size: number): void {
    this.size = Math.min(mostAtOnce, Math.max(1, size));
    this.changedAt = this.now();
  }
}
