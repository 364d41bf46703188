/** The ways in which the simulator misbehaves on demand. */
import type { Method, PubSubCall } from './calls.ts';
import { type Code, Refusal, usualWords } from './refusal.ts';

export const faultKinds = ['refuse', 'hang', 'slow', 'drop'] as const;
/**
 * - `refuse`: answers an error; `hang`: never answers; `drop`: the connection is reset
 * - `slow`: goes on as if nothing had been, after `milliseconds`, or after `release()` when there are none
 */
export type FaultKind = (typeof faultKinds)[number];

export interface FaultOptions {
  /** How many calls it hits; until `stop()` when absent. */
  times?: number;
  /** All of them when absent. */
  methods?: Method[];
  /** Calls for this topic or subscription only, by its whole name or its id. */
  resource?: string;
  /** Of `refuse`; UNAVAILABLE when absent. */
  code?: Code;
  /** Of `refuse`; the service's words when absent. */
  message?: string;
  /** Of `slow`. */
  milliseconds?: number;
  /**
   * What is done all the same before it goes wrong: with `all` only the answer is lost; with `some`, the first half of
   * the messages of a publish is stored. `none` when absent.
   */
  done?: 'none' | 'some' | 'all';
}

/** One misbehaviour that was asked for. */
export class Fault {
  readonly kind: FaultKind;
  readonly done: 'none' | 'some' | 'all';
  /** Calls that ran into it, oldest first. */
  readonly hits: PubSubCall[] = [];
  private readonly options: FaultOptions;
  private left: number;
  private held: (() => void)[] = [];

  constructor(kind: FaultKind, options: FaultOptions) {
    this.kind = kind;
    this.done = options.done ?? 'none';
    this.options = options;
    this.left = options.times ?? Number.POSITIVE_INFINITY;
  }

  applies({ method, resource }: PubSubCall): boolean {
    const { methods, resource: only } = this.options;
    return (
      this.left > 0 &&
      (methods?.includes(method) ?? true) &&
      (only === undefined || only === resource || resource.endsWith(`/${only}`))
    );
  }

  hit(call: PubSubCall): void {
    this.left -= 1;
    this.hits.push(call);
    call.fault = this.kind;
  }

  get refusal(): Refusal {
    const { code = 'UNAVAILABLE', message = usualWords(code) } = this.options;
    return new Refusal(code, message);
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

  async hold(): Promise<void> {
    await new Promise<void>((resolve) => {
      const { milliseconds } = this.options;
      const timer = milliseconds === undefined ? undefined : setTimeout(resolve, milliseconds);
      this.held.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
