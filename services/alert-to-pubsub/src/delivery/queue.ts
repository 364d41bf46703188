/** The messages about one alert: in order, one batch in flight at a time. */
import { queueKey, type Sink, type SpooledMessage } from '@skolo/alerts';

export interface Waiting {
  /** Infinite: a refresh, which is not in the spool. */
  readonly seq: number;
  readonly message: SpooledMessage;
  /** What it takes in memory at most. */
  readonly bytes: number;
  /** When it was accepted, in seconds of uptime: that clock does not jump. */
  readonly since: number;
}

/** Reports that alerts are not getting through, so it does not wait behind them. */
export const urgent = 'AlertsRejected';

export function isUrgent(message: SpooledMessage): boolean {
  return message.kind !== 'notice' && message.alert.labels.alertname === urgent;
}

export class Queue {
  readonly key: string;
  readonly orderingKey: string;
  /** Queues with the same one share its turns. */
  readonly group: string;
  /** `wanted`: it is its turn, but its messages must be read from the spool first. */
  state: 'idle' | 'ready' | 'wanted' | 'busy' | 'resting' = 'idle';
  /** In memory. A refresh is the first, if there is one: it is added only to an empty queue. */
  readonly waiting: Waiting[] = [];
  /** The number of messages in flight, which are the first of these. */
  inFlight = 0;
  /** Behind these, messages left in the spool: sequence numbers, and when they were accepted. */
  readonly left: { seqs: number[]; sinces: number[] } = { seqs: [], sinces: [] };
  /** Rejections of its first message that count. */
  rejections = 0;
  /** How often it has rested because its first message may have arrived. */
  rests = 0;
  /** The sink failed with its first message in flight. It may be the cause. */
  hasFailed = false;
  /** The turn of its last attempt that failed: repeated attempts are in this order, so that one that always fails delays no other. */
  triedAt = 0;
  /** The sequence number of its last message. */
  newest = 0;
  /** `first` when it was last settled. */
  head: number | undefined;
  /** In its group, lowest first. Undefined: it is not ready. */
  place: number | undefined;
  readonly isNewestFirst: boolean;
  /** Its messages are about one alert: the last one contains its state. */
  readonly isOfAlert: boolean;
  private readonly isUrgent: boolean;

  constructor(message: SpooledMessage, { orderingKeyOf, groupOf }: Sink) {
    this.key = queueKey(message);
    this.orderingKey = orderingKeyOf(message);
    this.group = groupOf?.(message) ?? this.orderingKey;
    this.isUrgent = isUrgent(message);
    this.isOfAlert = message.kind !== 'notice';
    this.isNewestFirst = groupOf !== undefined;
  }

  /** Its first message of the spool, if that is in memory. */
  get spooled(): Waiting | undefined {
    return this.waiting.find(({ seq }) => Number.isFinite(seq));
  }

  /** The sequence number of its first message; infinite: a refresh. Undefined: it is empty. */
  get first(): number | undefined {
    return this.spooled?.seq ?? this.left.seqs[0] ?? this.waiting[0]?.seq;
  }

  /** Its place for a first attempt. */
  get nextPlace(): number {
    if (this.isUrgent) return Number.NEGATIVE_INFINITY;
    return this.isNewestFirst ? -this.newest : (this.head ?? 0);
  }
}
