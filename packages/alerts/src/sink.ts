/** The contract of a sink, and the reasons for which sending fails. Each kind has a file in this directory. */
import { NamedError } from '@skolo/base';
import type { Message } from './message/message.ts';

/**
 * Why something could not be sent.
 *
 * - `unavailable`: no connection, or the sink cannot accept messages now. `timeout`: no response.
 * - `credentials`: missing or wrong. `permission`: the account may not publish. `quota`: temporarily exceeded.
 * - `topic`: the topic, the URL or the directory is missing. `disk`: full, read-only or faulty.
 * - `rejected`: because of the message, or of a setting at the receiver.
 * - `too-large`: the message exceeds a limit that the sink knows.
 */
export const sinkReasons = [
  'unavailable',
  'timeout',
  'credentials',
  'permission',
  'quota',
  'topic',
  'disk',
  'rejected',
  'too-large',
] as const;
export type SinkReason = (typeof sinkReasons)[number];

/** The caller decides whether to retry. The message is for people and says what to do. */
export class SinkError extends NamedError {
  readonly reason: SinkReason;
  /** The protocol's code: `PERMISSION_DENIED`, `503`, `ENOSPC`. */
  readonly code: string;
  /** The sink asked for this pause. */
  readonly retryAfterSeconds: number | undefined;
  /** The whole request was sent, and no response says whether the messages were accepted. */
  readonly mayHaveArrived: boolean;

  constructor(
    reason: SinkReason,
    code: string,
    message: string,
    {
      retryAfterSeconds,
      mayHaveArrived = false,
      ...options
    }: ErrorOptions & { retryAfterSeconds?: number; mayHaveArrived?: boolean } = {},
  ) {
    super(message, options);
    this.reason = reason;
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
    this.mayHaveArrived = mayHaveArrived;
  }
}

export interface Sink {
  readonly name: string;
  /** Limits of what can be sent at a time. */
  readonly limits: {
    /** Ordering keys in parallel. */
    orderingKeys: number;
    /** Messages of one ordering key in one call. */
    messages: number;
    /** Messages in a minute; undefined: no limit is known. */
    perMinute?: number | undefined;
  };
  /** Messages with the same key arrive in the order in which they are sent. All messages about one alert have the same one. */
  orderingKeyOf(message: Message): string;
  /** Groups of messages take turns, and in each of them the newest is first. Without it, ordering keys do, oldest first. */
  groupOf?(message: Message): string;
  /**
   * Resolves when all messages have arrived. Calls for the same key never overlap.
   *
   * @throws SinkError Some messages may have arrived; they are sent again, with `mayHaveArrived` ever more rarely. If `too-large` is thrown
   * for several messages, at least one of them is too large.
   */
  send(messages: readonly Message[], orderingKey: string, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
