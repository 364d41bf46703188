/**
 * The messages that wait for one sink: a queue per alert, so that one alert's messages stay in order, and whose turn it is. Memory is
 * bounded, however long the sink is down: what exceeds it is left in the spool, of which only sequence numbers are kept, and read again
 * when it is its turn.
 */
import { mostDoubts, queueKey, type Sink } from '@skolo/alerts';
import { Arrived } from '../state/arrived.ts';
import { Heap } from './heap.ts';
import { Queue, type Waiting } from './queue.ts';
import { Turns } from './turns.ts';

export interface Turn {
  readonly queues: readonly [Queue, ...Queue[]];
  readonly batch: readonly Waiting[];
}

export type BacklogBounds = { messages: number; bytes: number };

/** One in this many turns is for rejected messages and the one that has waited longest, so that none waits for ever. */
const turnsOfOthers = 16;

export class Backlog {
  /** The next sequence number to read. */
  next: number;
  /** Turns that have not ended. */
  busy = 0;
  /** Queues that are next once their first message is read. */
  readonly wanted = new Set<Queue>();
  /** Queues whose first message may have arrived before this process started. They rest. */
  readonly doubtful: Queue[] = [];
  /** How often each message may have arrived that is not sent again. */
  readonly givenUp: number[] = [];
  private readonly bounds: BacklogBounds;
  private readonly sink: Sink;
  private readonly arrived: Arrived;
  private readonly queues = new Map<string, Queue>();
  /** By their first message in the spool. */
  private readonly heads = new Heap<Queue>(({ head }) => head);
  private readonly first = new Turns();
  /** After a failure of the sink. */
  private readonly failed = new Turns();
  /** After a rejection. */
  private readonly rejected = new Turns();
  /** Of sinks whose groups are ordering keys: those in flight. */
  private readonly busyGroups = new Set<string>();
  /** How many messages of a group are sent at once after more have failed. */
  private readonly fewer = new Map<string, number>();
  private readonly inMemory = new Set<Queue>();
  private readonly held: BacklogBounds = { messages: 0, bytes: 0 };
  private left = 0;
  private turns = 0;

  constructor(next: number, bounds: BacklogBounds, sink: Sink, arrived = new Arrived()) {
    this.next = next;
    this.bounds = bounds;
    this.sink = sink;
    this.arrived = arrived;
  }

  /** The number of messages, including unread ones. */
  depth(end: number): number {
    return this.held.messages + this.left + Math.max(0, end - this.next);
  }

  has(key: string): boolean {
    return this.queues.has(key);
  }

  /** The first message that has not arrived. */
  get lowest(): number {
    return Math.min(this.next, this.heads.peek()?.head ?? this.next);
  }

  /** Since when that message waits; if there is none, a refresh. Undefined: nothing waits. */
  get oldestSince(): number | undefined {
    const { spooled, left, waiting } = this.heads.peek() ?? {};
    return spooled?.since ?? left?.sinces[0] ?? waiting?.[0]?.since;
  }

  /** A message that is larger than all of memory fits if it is the only one. */
  hasRoomFor(bytes: number): boolean {
    const { held, bounds } = this;
    const isFull = held.messages >= bounds.messages || held.bytes + bytes > bounds.bytes;
    return held.messages === 0 || !isFull;
  }

  /** What waits takes all of its memory, up to one message more. */
  get isFull(): boolean {
    return this.held.messages > 0 && this.held.bytes >= this.bounds.bytes;
  }

  add(waiting: Waiting): void {
    const { seq, message, bytes, since } = waiting;
    const queue = this.queues.get(queueKey(message)) ?? new Queue(message, this.sink);
    this.queues.set(queue.key, queue);
    // A refresh would contain less than this.
    if (queue.inFlight === 0 && queue.spooled === undefined) this.release(queue, 0, 1);
    if (queue.first === undefined && this.arrived.doubts.has(seq)) {
      queue.state = 'resting';
      this.doubtful.push(queue);
    }
    if (queue.left.seqs.length === 0 && !this.hasRoomFor(bytes)) this.makeRoom();
    const { seqs, sinces } = queue.left;
    if (seqs.length > 0 || queue.state === 'resting') {
      seqs.push(seq);
      sinces.push(since);
      this.left += 1;
    } else this.hold(queue, waiting);
    if (Number.isFinite(seq)) queue.newest = seq;
    this.settle(queue);
  }

  /**
   * What is sent next, until `end`: first attempts; every third time what failed with the sink.
   *
   * @param isTrial the sink fails: any message that failed with it may be the cause
   */
  nextTurn(mayRepeat: boolean, isTrial: boolean): Turn | undefined {
    this.turns += 1;
    const lanes = [this.first, this.failed];
    if (!isTrial && this.turns % 3 === 0) lanes.reverse();
    const oldest = this.turns % turnsOfOthers === 0 ? this.heads.peek() : undefined;
    if (oldest?.state === 'ready') this.settle(oldest, Number.NEGATIVE_INFINITY);
    // A message that fails in every trial does not keep them waiting.
    const place = isTrial ? 1 + (this.turns % 2) : 2;
    if (mayRepeat) lanes.splice(oldest === undefined ? place : 0, 0, this.rejected);
    for (const lane of lanes) {
      const turn = this.nextTurnOf(lane);
      if (turn !== undefined) return turn;
    }
    return undefined;
  }

  /**
   * The turn has ended. What has not arrived is sent again: after `resume` if it is `resting` or `doubtful`, which means that it may have
   * arrived; until then it takes no memory.
   */
  end({ queues, batch }: Turn, outcome: 'arrived' | 'failed' | 'resting' | 'doubtful'): void {
    const { group } = queues[0];
    this.busy -= 1;
    this.busyGroups.delete(group);
    if (outcome === 'arrived') this.fewer.delete(group);
    else if (batch.length > 1) this.fewer.set(group, Math.ceil(batch.length / 2));
    for (const queue of queues) {
      if (outcome === 'arrived') {
        this.release(queue, 0, queue.inFlight);
        queue.rejections = 0;
        queue.hasFailed = false;
      }
      queue.inFlight = 0;
      queue.triedAt = this.turns;
      // The next refresh contains the same.
      if (outcome === 'doubtful' && queue.waiting[0]?.seq === Number.POSITIVE_INFINITY)
        this.release(queue, 0, 1);
      const isResting = outcome === 'resting' || outcome === 'doubtful';
      if (isResting) this.unload(queue);
      queue.state = isResting ? 'resting' : 'idle';
      this.settle(queue);
    }
  }

  resume(queue: Queue): void {
    if (queue.state !== 'resting') return;
    queue.state = 'idle';
    this.settle(queue);
  }

  /** Takes a message that was left in the spool, if it is the next one of its alert, and is wanted or there is room for it. */
  load(waiting: Waiting): void {
    const queue = this.queues.get(queueKey(waiting.message));
    if (queue?.left.seqs[0] !== waiting.seq || queue.state === 'resting') return;
    if (queue.state === 'wanted' ? this.isFull : !this.hasRoomFor(waiting.bytes)) return;
    this.hold(queue, { ...waiting, since: queue.left.sinces[0] ?? waiting.since });
    this.leaveOut(queue, waiting.seq + 1);
    if (!this.wanted.delete(queue)) return;
    queue.state = 'idle';
    this.settle(queue, Number.NEGATIVE_INFINITY);
  }

  /** There is no room for its first message before what is in flight has arrived. */
  letWait(queue: Queue): void {
    if (!this.wanted.delete(queue)) return;
    queue.state = 'idle';
    this.settle(queue);
  }

  /** The spool does not have this message of a wanted queue. */
  lose(queue: Queue, seq: number): void {
    if (!this.wanted.has(queue) || queue.left.seqs[0] !== seq) return;
    this.leaveOut(queue, seq + 1);
    this.settle(queue);
  }

  /**
   * Drops older messages, except those in flight.
   *
   * @returns their number; those that were not read yet may be for other sinks
   */
  skipTo(seq: number): number {
    let dropped = Math.max(0, seq - this.next);
    for (const queue of [...this.queues.values()]) {
      dropped += this.skip(queue, seq);
      this.settle(queue);
    }
    this.next = Math.max(this.next, seq);
    return dropped;
  }

  private nextTurnOf(lane: Turns): Turn | undefined {
    const { orderingKeys, messages } = this.sink.limits;
    while (this.wanted.size < orderingKeys * messages) {
      const group = lane.next(this.busyGroups);
      if (group === undefined) return undefined;
      const atOnce = lane === this.rejected ? 1 : (this.fewer.get(group.name) ?? messages);
      const queues: Queue[] = [];
      for (let free = atOnce; free > 0; ) {
        const queue = group.queues.pop();
        if (queue === undefined) break;
        const { place = queue.nextPlace } = queue;
        free -= Math.max(1, queue.waiting.length);
        queue.place = undefined;
        if (queue.waiting.length > 0) queues.push(queue);
        else if (!this.mayLoad(queues.length)) {
          lane.add(queue, place);
          if (queues.length === 0) return undefined;
          break;
        } else {
          queue.state = 'wanted';
          this.wanted.add(queue);
        }
      }
      const [first, ...others] = queues;
      if (first !== undefined) return this.startTurn([first, ...others], atOnce);
    }
    return undefined;
  }

  /** Whether there is room to read messages again, besides those that are taken or in flight. */
  private mayLoad(taken: number): boolean {
    if (this.isFull && (this.busy > 0 || taken > 0)) return false;
    while (this.isFull && this.makeRoom());
    return true;
  }

  private startTurn(queues: Turn['queues'], most: number): Turn {
    const batch: Waiting[] = [];
    for (const queue of queues) {
      queue.state = 'busy';
      queue.inFlight = Math.min(queue.waiting.length, most - batch.length);
      batch.push(...queue.waiting.slice(0, queue.inFlight));
    }
    this.busy += 1;
    if (this.sink.groupOf === undefined) this.busyGroups.add(queues[0].group);
    return { queues, batch: batch.sort((one, other) => (one.seq < other.seq ? -1 : 1)) };
  }

  /** After a change of what it contains, or of its state. */
  private settle(queue: Queue, place?: number): void {
    this.giveUp(queue);
    const head = queue.first;
    if (queue.head !== head) {
      queue.head = head;
      this.heads.push(queue);
    }
    if (head === undefined) {
      queue.state = 'idle';
      queue.place = undefined;
      this.wanted.delete(queue);
      this.queues.delete(queue.key);
    } else if (queue.state === 'idle' || queue.state === 'ready') {
      queue.state = 'ready';
      const tried = queue.rejections > 0 ? this.rejected : this.failed;
      const lane = queue.rejections > 0 || queue.hasFailed ? tried : this.first;
      lane.add(queue, place ?? (lane === this.first ? queue.nextPlace : queue.triedAt));
    }
  }

  /** Drops first messages that may have arrived often enough, if a later one waits. */
  private giveUp(queue: Queue): void {
    while (queue.isOfAlert && queue.state !== 'busy' && queue.first !== undefined) {
      const { first } = queue;
      const times = this.arrived.doubts.get(first) ?? 0;
      if (times < mostDoubts || first >= queue.newest) return;
      this.skip(queue, first + 1);
      this.arrived.add(first);
      this.givenUp.push(times);
      queue.rejections = 0;
      queue.hasFailed = false;
      if (queue.state === 'resting') queue.state = 'idle';
    }
  }

  /** Leaves what came first in the spool, because it is sent last. */
  private makeRoom(): boolean {
    for (const queue of this.inMemory) {
      if (queue.state !== 'ready' || queue.spooled === undefined) continue;
      this.unload(queue);
      return true;
    }
    return false;
  }

  private hold(queue: Queue, waiting: Waiting): void {
    queue.waiting.push(waiting);
    this.inMemory.add(queue);
    this.held.messages += 1;
    this.held.bytes += waiting.bytes;
  }

  private release(queue: Queue, from: number, count: number): Waiting[] {
    const released = queue.waiting.splice(from, count);
    if (queue.waiting.length === 0) this.inMemory.delete(queue);
    this.held.messages -= released.length;
    for (const { bytes } of released) this.held.bytes -= bytes;
    return released;
  }

  /** Its messages in memory are left in the spool. */
  private unload(queue: Queue): void {
    const { waiting, left } = queue;
    // A refresh is not in the spool.
    const back = this.release(queue, waiting[0] === queue.spooled ? 0 : 1, waiting.length);
    left.seqs = [...back.map(({ seq }) => seq), ...left.seqs];
    left.sinces = [...back.map(({ since }) => since), ...left.sinces];
    this.left += back.length;
  }

  /** @returns the number of messages before this one, which are not in flight and are dropped */
  private skip(queue: Queue, before: number): number {
    const behind = queue.waiting.slice(queue.inFlight);
    const count = behind.filter(({ seq }) => seq < before).length;
    this.release(queue, queue.inFlight, count);
    return count + this.leaveOut(queue, before);
  }

  /** @returns the number of messages left in the spool before this one, which are no longer needed */
  private leaveOut({ left }: Queue, before: number): number {
    const kept = left.seqs.findIndex((seq) => seq >= before);
    const count = kept < 0 ? left.seqs.length : kept;
    left.seqs.splice(0, count);
    left.sinces.splice(0, count);
    this.left -= count;
    return count;
  }
}
