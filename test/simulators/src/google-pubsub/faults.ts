/** The ways in which the simulator misbehaves on demand. */
import type { CallLog } from '../cloud/call-log.ts';
import { CallFault, type FaultTimes } from '../cloud/fault.ts';
import type { Method, PubSubCall } from './calls.ts';
import { type Code, Rejection, usualWords } from './rejection.ts';

const faultKinds = ['reject', 'hang', 'slow', 'drop'] as const;
/**
 * - `reject`: answers an error; `hang`: never answers; `drop`: the connection is reset
 * - `slow`: goes on as if nothing had been, after `milliseconds`, or after `release()` when there are none
 */
export type FaultKind = (typeof faultKinds)[number];

export interface FaultOptions extends FaultTimes {
  /** All of them when absent. */
  methods?: Method[];
  /** Of `reject`; UNAVAILABLE when absent. */
  code?: Code;
  /** Of `reject`; the service's words when absent. */
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
export class Fault extends CallFault<FaultKind, PubSubCall> {
  readonly done: 'none' | 'some' | 'all';
  private readonly options: FaultOptions;

  constructor(kind: FaultKind, options: FaultOptions, log: CallLog<PubSubCall>) {
    super(kind, options, log);
    this.done = options.done ?? 'none';
    this.options = options;
  }

  applies({ method }: PubSubCall): boolean {
    return this.isOn && (this.options.methods?.includes(method) ?? true);
  }

  get rejection(): Rejection {
    const { code = 'UNAVAILABLE', message = usualWords(code) } = this.options;
    return new Rejection(code, message);
  }

  override async hold(): Promise<void> {
    await super.hold(this.options.milliseconds);
  }
}
