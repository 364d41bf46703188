import type { FaultKind } from './faults.ts';

export type Endpoint =
  | 'token'
  | 'sts'
  | 'generateAccessToken'
  | 'generateIdToken'
  | 'certs'
  | 'unknown';

/** One request that reached the simulator, good or bad. What it claims (`account`) is not yet proven. */
export interface Call {
  /** By the simulator's clock. */
  at: Date;
  endpoint: Endpoint;
  method: string;
  path: string;
  /** `grant_type` of the two token endpoints. */
  grant?: string;
  /** E-mail or `principal://…` that wants the token. */
  account?: string;
  scopes: string[];
  audience?: string;
  /** The fault that it ran into. */
  fault?: FaultKind;
  /** Absent as long as there is no answer. */
  status?: number;
  /** Error code that was answered, such as `invalid_grant`. */
  refusal?: string;
  /** The client was gone before it had the whole answer. */
  hungUp: boolean;
}

/** The calls so far, and a way to wait for the next ones without polling. */
export class CallLog {
  readonly calls: Call[] = [];
  private waiting: { match: (call: Call) => boolean; count: number; resolve: () => void }[] = [];
  private open = 0;
  /** Most requests that were ever open at the same time. */
  mostAtOnce = 0;

  /** Adds a call that has arrived; the answer's facts are filled in later. */
  arrive(call: Call): void {
    this.calls.push(call);
    this.open += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.open);
    this.settle();
  }

  /** The answer is out, or the client gone. */
  done(): void {
    this.open -= 1;
    this.settle();
  }

  /** Resolves once `count` calls that match have been seen since the start, at once when they have. */
  async seen(count: number, match: (call: Call) => boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      this.waiting.push({ match, count, resolve });
      this.settle();
    });
  }

  private settle(): void {
    this.waiting = this.waiting.filter(({ match, count, resolve }) => {
      if (this.calls.filter(match).length < count) return true;
      resolve();
      return false;
    });
  }
}
