/**
 * What waits for one sink: messages in memory, in a queue per ordering key, and the position from which the spool must be read. Memory is
 * bounded, however long the sink is down. A blocked key may use at most a quarter of it: its later messages are left in the spool, and read
 * again once the key is unblocked.
 */
import type { SpooledMessage } from '@skolo/alerts';

export interface Waiting {
  /** Infinite: a refresh, which is not in the spool. */
  readonly seq: number;
  readonly key: string;
  readonly message: SpooledMessage;
  /** Its size in the spool; in memory it is a multiple of that. */
  readonly bytes: number;
  /** When it was accepted, in seconds of uptime: that clock does not jump. */
  readonly since: number;
}

/** The messages with one ordering key: in order, one batch in flight at a time. */
export interface Queue {
  readonly key: string;
  /** Batches that did not arrive. They are sent first and unchanged, so that no message overtakes them. */
  retries: Waiting[][];
  waiting: Waiting[];
  state: 'idle' | 'ready' | 'busy' | 'resting';
  /** Consecutive failures. */
  failures: number;
  /** Consecutive failures that its first message may have caused. */
  strikes: number;
  /** In memory, including those in flight. */
  messages: number;
  bytes: number;
  /** Refreshes to send after everything else: their due times, by fingerprint. */
  readonly refreshes: Map<string, number>;
}

export interface Turn {
  readonly queue: Queue;
  readonly batch: readonly Waiting[];
}

export interface BacklogBounds {
  messages: number;
  bytes: number;
}

/** The share of memory that a blocked key may use. */
const share = 1 / 4;

export class Backlog {
  /** The next sequence number to read. Before it, only what is in `left` is unread. */
  next: number;
  /** Messages left in the spool, by key: the first one, and their number. */
  readonly left = new Map<string, { from: number; count: number }>();
  /** Why the spool cannot be read, for people. */
  problem: string | undefined;
  /** Turns that have not ended. */
  busy = 0;
  private readonly bounds: BacklogBounds;
  private readonly queues = new Map<string, Queue>();
  /** Queues with something to send, longest wait first. */
  private readonly ready = new Set<Queue>();
  private readonly held = new Set<Waiting>();
  private heldBytes = 0;

  constructor(next: number, bounds: BacklogBounds) {
    this.next = next;
    this.bounds = bounds;
  }

  get size(): number {
    return this.held.size;
  }

  all(): Queue[] {
    return [...this.queues.values()];
  }

  get(key: string): Queue | undefined {
    return this.queues.get(key);
  }

  /** The queue of this key, created if missing. */
  queue(key: string): Queue {
    const known = this.queues.get(key);
    if (known !== undefined) return known;
    const counts = { failures: 0, strikes: 0, messages: 0, bytes: 0 };
    const lists = { retries: [], waiting: [], refreshes: new Map() };
    const queue: Queue = { key, state: 'idle', ...counts, ...lists };
    this.queues.set(key, queue);
    return queue;
  }

  /** The number of messages that are not read yet. */
  unread(end: number): number {
    let unread = Math.max(0, end - this.next);
    for (const { count } of this.left.values()) unread += count;
    return unread;
  }

  /** The first message that has not arrived. */
  get lowest(): number {
    let lowest = this.next;
    for (const { from } of this.left.values()) lowest = Math.min(lowest, from);
    for (const { seq } of this.held) lowest = Math.min(lowest, seq);
    return lowest;
  }

  /** The message that has waited longest, of those that count. */
  oldest(counts: (waiting: Waiting) => boolean = () => true): Waiting | undefined {
    let oldest: Waiting | undefined;
    for (const waiting of this.held) {
      if ((oldest === undefined || waiting.since < oldest.since) && counts(waiting)) {
        oldest = waiting;
      }
    }
    return oldest;
  }

  /** A message that is larger than all of memory fits if it is the only one. */
  hasRoomFor(bytes: number): boolean {
    const { held, heldBytes, bounds } = this;
    return held.size === 0 || (held.size < bounds.messages && heldBytes + bytes <= bounds.bytes);
  }

  /** Whether a blocked key may use this many more bytes; at least one message is allowed. */
  hasShareFor(key: string, more: number): boolean {
    const { bounds } = this;
    const { messages = 0, bytes = 0 } = this.queues.get(key) ?? {};
    return (
      messages === 0 || (messages < bounds.messages * share && bytes + more <= bounds.bytes * share)
    );
  }

  add(waiting: Waiting): void {
    const queue = this.queue(waiting.key);
    this.held.add(waiting);
    this.count(queue, waiting, 1);
    queue.waiting.push(waiting);
    if (queue.state === 'idle') this.settle(queue);
  }

  /** These have arrived, or were given up. */
  remove(batch: readonly Waiting[]): void {
    for (const waiting of batch) {
      if (this.held.delete(waiting)) this.count(this.queue(waiting.key), waiting, -1);
    }
  }

  /** The next queue, with as much as may be sent at once. It is busy until `free` or `rest`. */
  take(most: number): Turn | undefined {
    const [queue] = this.ready;
    if (queue === undefined) return undefined;
    this.ready.delete(queue);
    queue.state = 'busy';
    this.busy += 1;
    return { queue, batch: queue.retries.shift() ?? queue.waiting.splice(0, most) };
  }

  /** One more message of a busy queue. */
  takeOne(queue: Queue): Waiting | undefined {
    const [batch = queue.waiting] = queue.retries;
    const first = batch.shift();
    queue.retries = queue.retries.filter(({ length }) => length > 0);
    return first;
  }

  /** They are first again, one by one. */
  putBack(queue: Queue, passed: readonly Waiting[]): void {
    queue.retries.unshift(...passed.map((waiting) => [waiting]));
  }

  /** The turn has ended. What did not arrive is first in the next turn. */
  free({ queue }: Turn, ...retries: Waiting[][]): void {
    this.busy -= 1;
    queue.retries.unshift(...retries.filter(({ length }) => length > 0));
    this.settle(queue);
  }

  /** The turn has ended, and nothing of this queue is sent until `resume`. Its last messages are read again later. */
  rest({ queue }: Turn, ...retries: Waiting[][]): void {
    this.busy -= 1;
    queue.retries.unshift(...retries);
    queue.state = 'resting';
    const { bounds } = this;
    while (
      queue.messages > 1 &&
      (queue.messages > bounds.messages * share || queue.bytes > bounds.bytes * share)
    ) {
      const last = queue.waiting.pop();
      if (last === undefined) break;
      this.remove([last]);
      if (Number.isFinite(last.seq)) this.leave(last);
    }
  }

  resume(queue: Queue): void {
    if (queue.state === 'resting') this.settle(queue);
  }

  /** Leaves a message in the spool. Later ones with this key must be left, too. */
  leave({ key, seq }: Waiting): void {
    const { from, count } = this.left.get(key) ?? { from: seq, count: 0 };
    this.left.set(key, { from: Math.min(from, seq), count: count + 1 });
  }

  /**
   * Drops older messages, except those in flight.
   *
   * @returns their approximate number: for messages left in the spool, only a count per key is kept
   */
  skipTo(seq: number): number {
    let dropped = Math.max(0, seq - this.next);
    const isKept = (waiting: Waiting) => waiting.seq >= seq;
    for (const queue of this.all()) {
      const old = [...queue.retries.flat(), ...queue.waiting].filter((each) => !isKept(each));
      this.remove(old);
      dropped += old.length;
      const retries = queue.retries.map((batch) => batch.filter(isKept));
      queue.retries = retries.filter(({ length }) => length > 0);
      queue.waiting = queue.waiting.filter(isKept);
      if (isEmpty(queue) && queue.state !== 'busy') this.settle(queue);
    }
    for (const [key, { from, count }] of this.left) {
      if (from >= seq) continue;
      const part = seq >= this.next ? 1 : (seq - from) / (this.next - from);
      const gone = Math.round(count * part);
      dropped += gone;
      if (part === 1) this.left.delete(key);
      else this.left.set(key, { from: seq, count: count - gone });
    }
    this.next = Math.max(this.next, seq);
    return dropped;
  }

  /** Appends the queue to the others, or makes it idle. */
  private settle(queue: Queue): void {
    queue.state = isEmpty(queue) ? 'idle' : 'ready';
    if (queue.state === 'ready') this.ready.add(queue);
    else {
      this.ready.delete(queue);
      queue.failures = 0;
      queue.strikes = 0;
      if (queue.messages === 0 && queue.refreshes.size === 0) this.queues.delete(queue.key);
    }
  }

  private count(queue: Queue, { bytes }: Waiting, by: 1 | -1): void {
    queue.messages += by;
    queue.bytes += by * bytes;
    this.heldBytes += by * bytes;
  }
}

function isEmpty({ retries, waiting }: Queue): boolean {
  return retries.length === 0 && waiting.length === 0;
}
