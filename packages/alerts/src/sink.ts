/** The contract of a sink. Each kind has a file in this folder. */
import type { Message } from './message/message.ts';

/**
 * Why something could not be sent.
 *
 * - `unavailable`: no connection, or it cannot accept messages now. `timeout`: no answer.
 * - `credentials`: missing or wrong. `permission`: the account may not publish. `quota`: too much at the moment.
 * - `topic`: the topic, the URL or the folder is missing. `disk`: full, read-only, broken.
 * - `rejected`: because of the message, or of a setting on the other side.
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

/** The caller decides whether to retry. The message is for people, with what to do. */
export class SinkError extends Error {
  readonly reason: SinkReason;
  /** Of the protocol: `PERMISSION_DENIED`, `503`, `ENOSPC`. */
  readonly code: string;
  /** The sink asked for this pause. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    reason: SinkReason,
    code: string,
    message: string,
    { retryAfterSeconds, ...options }: ErrorOptions & { retryAfterSeconds?: number } = {},
  ) {
    super(message, options);
    this.name = 'SinkError';
    this.reason = reason;
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export interface Sink {
  readonly name: string;
  /** How much can be sent at once. */
  readonly limits: {
    /** Ordering keys at the same time. */
    orderingKeys: number;
    /** Messages of one ordering key at once. */
    messages: number;
  };
  /** Messages with one key arrive in the order in which they are sent. */
  orderingKeyOf(message: Message): string;
  /**
   * Fulfilled when all of them have arrived. Called for one key only when the last call for it has ended.
   *
   * @throws SinkError Some of them may have arrived; they are sent again. With `too-large` and more than one message, at
   * least one of them is.
   */
  send(messages: readonly Message[], orderingKey: string, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
