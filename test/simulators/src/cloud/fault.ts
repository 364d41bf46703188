/** Faults of simulated services: asked for by a test, they hit the next requests that they apply to. */
import type { CallLog } from './call-log.ts';

export interface FaultTimes {
  /** How many calls it hits; until `stop()` when absent. */
  times?: number;
}

/** What a fault has to do with a request. */
interface Faulty {
  /** Its kind. */
  fault?: string;
  hungUp?: boolean;
}

/** One misbehaviour that was asked for. */
export class CallFault<Kind extends string, Call extends Faulty> {
  readonly kind: Kind;
  /** Calls that ran into it, oldest first. */
  readonly hits: Call[] = [];
  private left: number;
  private held: (() => void)[] = [];
  private readonly log: CallLog<Call>;

  constructor(kind: Kind, { times = Number.POSITIVE_INFINITY }: FaultTimes, log: CallLog<Call>) {
    this.kind = kind;
    this.left = times;
    this.log = log;
  }

  /** Whether it is still there for further calls. */
  get isOn(): boolean {
    return this.left > 0;
  }

  hit(call: Call): void {
    this.left -= 1;
    this.hits.push(call);
    call.fault = this.kind;
    this.log.update();
  }

  /** Resolves once `count` calls have run into it. */
  async arrived(count = 1): Promise<void> {
    await this.log.until(() => this.hits.length >= count);
  }

  /** Resolves once `count` of the calls that ran into it were given up by their clients. */
  async hungUp(count = 1): Promise<void> {
    await this.log.until(() => this.hits.filter((call) => call.hungUp).length >= count);
  }

  /** Lets the calls go that `slow` holds. */
  release(): void {
    for (const go of this.held.splice(0)) go();
  }

  /** Hits nobody any more; held calls go on. */
  stop(): void {
    this.left = 0;
    this.release();
  }

  /** Until it is released, or for so long. */
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

/** Those that were asked for; the oldest that applies to a call hits it. */
export class CallFaults<Fault extends { stop(): void }> {
  private readonly all: Fault[] = [];

  add(fault: Fault): Fault {
    this.all.push(fault);
    return fault;
  }

  find(applies: (fault: Fault) => boolean): Fault | undefined {
    return this.all.find(applies);
  }

  /** Ends all misbehaviour. */
  clear(): void {
    for (const fault of this.all.splice(0)) fault.stop();
  }
}
