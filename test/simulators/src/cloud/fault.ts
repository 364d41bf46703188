/** Faults of simulated services: set by a test, they affect the next matching requests. */
import type { CallLog } from './call-log.ts';

export interface FaultTimes {
  /** The number of calls affected; default: all until `stop()`. */
  times?: number;
}

/** The parts of a request that faults depend on. */
interface Faulty {
  /** Its kind. */
  fault?: string;
  hungUp?: boolean;
}

/** One fault that was set. */
export class CallFault<Kind extends string, Call extends Faulty> {
  readonly kind: Kind;
  /** Affected calls, oldest first. */
  readonly hits: Call[] = [];
  private left: number;
  private held: (() => void)[] = [];
  private readonly log: CallLog<Call>;

  constructor(kind: Kind, { times = Number.POSITIVE_INFINITY }: FaultTimes, log: CallLog<Call>) {
    this.kind = kind;
    this.left = times;
    this.log = log;
  }

  /** Whether it still affects further calls. */
  get isOn(): boolean {
    return this.left > 0;
  }

  hit(call: Call): void {
    this.left -= 1;
    this.hits.push(call);
    call.fault = this.kind;
    this.log.update();
  }

  /** Resolves once it has affected `count` calls. */
  async arrived(count = 1): Promise<void> {
    await this.log.until(() => this.hits.length >= count);
  }

  /** Resolves once the clients have given up `count` of the affected calls. */
  async hungUp(count = 1): Promise<void> {
    await this.log.until(() => this.hits.filter((call) => call.hungUp).length >= count);
  }

  /** Releases the calls that `slow` holds. */
  release(): void {
    for (const go of this.held.splice(0)) go();
  }

  /** Affects no more calls; held calls continue. */
  stop(): void {
    this.left = 0;
    this.release();
  }

  /** Until it is released, or for this long. */
  async hold(milliseconds?: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = milliseconds === undefined ? undefined : setTimeout(resolve, milliseconds);
      this.held.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

/** The active faults; the oldest matching one affects a call. */
export class CallFaults<Fault extends { stop(): void }> {
  private readonly all: Fault[] = [];

  add(fault: Fault): Fault {
    this.all.push(fault);
    return fault;
  }

  find(applies: (fault: Fault) => boolean): Fault | undefined {
    return this.all.find(applies);
  }

  /** Ends all faults. */
  clear(): void {
    for (const fault of this.all.splice(0)) fault.stop();
  }
}
