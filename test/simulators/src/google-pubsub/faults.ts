/** The ways in which the simulator misbehaves on demand. */
import type { CallFault, FaultOptions } from '../cloud/fault.ts';
import type { Method, PubSubCall } from './calls.ts';
import type { Code } from './rejection.ts';

/**
 * - `reject`: answers an error; `hang`: never answers; `drop`: the connection is reset
 * - `slow`: goes on as if nothing had been, after `milliseconds`, or after `release()` when there are none
 */
export type FaultKind = 'reject' | 'hang' | 'slow' | 'drop';

export interface PubSubFaultOptions extends FaultOptions<Method> {
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

export type Fault = CallFault<FaultKind, PubSubCall, Method, PubSubFaultOptions>;
