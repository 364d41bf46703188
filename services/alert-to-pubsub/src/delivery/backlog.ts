/**
 * What waits for one sink: messages in memory, in a queue for each ordering key, and from where on the spool has to be read.
 * However long the sink is down, memory is bounded. A key that is blocked holds at most a quarter of it: its later messages
 * are left in the spool, and read again once the key moves.
 */
import type { SpooledMessage } from '@skolo/alerts';

export interface Waiting {
  /** Infinite: a refresh, which is not in the spool. */
  readonly seq: number;
  readonly key: string;
  readonly message: SpooledMessage;
  /** In the spool; in memory it is some times that. */
  readonly bytes: number;
  /** When it was accepted, in seconds of uptime: that clock does not jump. */
  readonly since: number;
}

/** The messages with one ordering key: in order, one batch under way at a time. */
export interface Queue {
  readonly key: string;
  /** Batches that did not arrive. They go first, and as they were, so that no message passes them. */
  retries: Waiting[][];
  waiting: Waiting[];
  state: 'idle' | 'ready' | 'busy' | 'resting';
  /** In a row. */
  failures: number;
  /** Failures in a row that its first message may have caused. */
  strikes: number;
  /** In memory, those under way included. */
  messages: number;
  bytes: number;
  /** Refreshes to send after everything else: since when, by fingerprint. */
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

/** The part of memory that a blocked key may hold. */
const share = 1 / 4;

export class Backlog {
  /** The sequence number that is read next. Before it, only what is `left` is unread. */
  next: number;
  /** Messages left in the spool, by key: the first one, and how many. */
  readonly left = new Map<string, { from: number; count: number }>();
  /** Why the spool cannot be read, for people. */
  problem: string | undefined;
  /** Turns that are not over. */
  busy = 0;
  private readonly bounds: BacklogBounds;
  private readonly queues = new Map<string, Queue>();
  /** Queues with something to send; the one that waits longest is first. */
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

  /** The queue of this key, made where it is missing. */
  queue(key: string): Queue {
    const known = this.queues.get(key);
    if (known !== undefined) return known;
    const counts = { failures: 0, strikes: 0, messages: 0, bytes: 0 };
    const lists = { retries: [], waiting: [], refreshes: new Map() };
    const queue: Queue = { key, state: 'idle', ...counts, ...lists };
    this.queues.set(key, queue);
    return queue;
  }

  /** Messages that are not read yet. */
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

  /** A message that is larger than all of memory fits when it is the only one. */
  hasRoomFor(bytes: number): boolean {
    const { held, heldBytes, bounds } = this;
    return held.size === 0 || (held.size < bounds.messages && heldBytes + bytes <= bounds.bytes);
  }

  /** Whether a blocked key may hold so many more bytes; one message at least it may. */
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

  /** These have arrived, or are given up. */
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

  /** They go first again, one by one. */
  putBack(queue: Queue, passed: readonly Waiting[]): void {
    queue.retries.unshift(...passed.map((waiting) => [waiting]));
  }

  /** The turn is over. What did not arrive goes first the next time. */
  free({ queue }: Turn, ...retries: Waiting[][]): void {
    this.busy -= 1;
    queue.retries.unshift(...retries.filter(({ length }) => length > 0));
    this.settle(queue);
  }

  /** The turn is over, and nothing of this queue is sent until `resume`. Its last messages are read again later. */
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

  /** Leaves a message in the spool. Later ones with this key have to be left, too. */
  leave({ key, seq }: Waiting): void {
    const { from, count } = this.left.get(key) ?? { from: seq, count: 0 };
    this.left.set(key, { from: Math.min(from, seq), count: count + 1 });
  }

  /**
   * Drops what is older, except what is under way.
   *
   * @returns how many messages those are, about: how many of a key are left is only counted
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

  /** Lines the queue up behind the others, or makes it idle. */
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
