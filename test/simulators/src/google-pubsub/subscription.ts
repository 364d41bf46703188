/** One subscription: what waits, who has what until when, and who wants more. */
import { Backlog, type Item } from './backlog.ts';
import type { Filter } from './filter.ts';
import { invalidAckDeadline, invalidAckId, noAckIds, type Rejection } from './rejection.ts';
import type { PublishedMessage } from './topic.ts';
import type { ReceivedMessage, SubscriptionResource } from './wire.ts';

/** Who takes messages: a stream. */
export interface Consumer {
  /** How long it may keep a message without a word. */
  readonly ackDeadlineSeconds: number;
  hasRoom(): boolean;
  /** A message is its own from now on. */
  took(bytes: number): void;
  /** A message of this size is acknowledged, given back, or taken away. */
  gaveBack(bytes: number): void;
  deliver(messages: ReceivedMessage[]): void;
  /** The subscription is gone. */
  end(why: Rejection): void;
}

interface Lease {
  item: Item;
  bytes: number;
  consumer: Consumer;
  /** Milliseconds since 1970. */
  until: number;
}

const longestDeadlineSeconds = 600;
const batchMessages = 100;
const batchBytes = 1_000_000;

export class Subscription {
  resource: SubscriptionResource;
  private readonly filter: Filter;
  private readonly backlog: Backlog;
  private readonly consumers = new Set<Consumer>();
  /** By ack ID. */
  private readonly leases = new Map<string, Lease>();
  private readonly leaseOf = new Map<Item, string>();
  private readonly ackIdPrefix: string;
  private given = 0;
  private timer: NodeJS.Timeout | undefined;
  private timerAt = Number.POSITIVE_INFINITY;

  constructor(resource: SubscriptionResource, filter: Filter) {
    this.resource = resource;
    this.filter = filter;
    this.backlog = new Backlog({ isOrdered: resource.enableMessageOrdering });
    this.ackIdPrefix = `${Buffer.from(resource.name).toString('base64url')}.`;
  }

  /** Not yet acknowledged, and how many of them are out. */
  get unacknowledged(): { messages: number; out: number } {
    return { messages: this.backlog.waiting + this.leases.size, out: this.leases.size };
  }

  offer(message: PublishedMessage): void {
    if (!this.filter(message.attributes)) return;
    this.backlog.add(message);
  }

  attach(consumer: Consumer): void {
    this.consumers.add(consumer);
    this.pump();
  }

  /** What it has, it keeps until the deadline. */
  detach(consumer: Consumer): void {
    this.consumers.delete(consumer);
  }

  /** Gives out what there is to those who have room, in turns. */
  pump(): void {
    let isGiving = true;
    while (isGiving && this.backlog.waiting > 0) {
      isGiving = false;
      for (const consumer of [...this.consumers]) {
        const batch = this.batchFor(consumer);
        if (batch.length === 0) continue;
        isGiving = true;
        consumer.deliver(batch);
      }
    }
  }

  /** @throws Rejection One of them was never given out; none is acknowledged then */
  acknowledge(ackIds: readonly string[]): void {
    this.checkAckIds(ackIds);
    for (const ackId of ackIds) {
      const lease = this.endLease(ackId);
      // One that is too late is no error; the message goes out again.
      if (lease) this.backlog.acknowledge(lease.item);
    }
    this.pump();
  }

  /** @param seconds 0: to be given out again at once */
  modifyAckDeadline(ackIds: readonly string[], seconds: number): void {
    this.checkAckIds(ackIds);
    if (seconds < 0 || seconds > longestDeadlineSeconds) {
      throw invalidAckDeadline(seconds, 0, longestDeadlineSeconds);
    }
    for (const ackId of ackIds) {
      const lease = this.leases.get(ackId);
      if (!lease) continue;
      if (seconds === 0) this.giveBack(lease);
      else {
        lease.until = Date.now() + seconds * 1000;
        this.wakeAt(lease.until);
      }
    }
    this.pump();
  }

  /** As if all deadlines had passed. */
  expireLeases(): void {
    this.giveBackAll(() => true);
  }

  /** Ends the streams that are open. */
  disconnect(why: Rejection): void {
    for (const consumer of [...this.consumers]) consumer.end(why);
  }

  close(): void {
    clearTimeout(this.timer);
  }

  private batchFor(consumer: Consumer): ReceivedMessage[] {
    const batch: ReceivedMessage[] = [];
    let size = 0;
    while (batch.length < batchMessages && size < batchBytes && consumer.hasRoom()) {
      const item = this.backlog.take(consumer);
      if (!item) break;
      const bytes = sizeOf(item.message);
      size += bytes;
      batch.push({ ackId: this.lease(item, bytes, consumer), message: wire(item.message) });
    }
    return batch;
  }

  private lease(item: Item, bytes: number, consumer: Consumer): string {
    this.given += 1;
    const ackId = this.ackIdPrefix + this.given;
    const until = Date.now() + consumer.ackDeadlineSeconds * 1000;
    this.leases.set(ackId, { item, bytes, consumer, until });
    this.leaseOf.set(item, ackId);
    consumer.took(bytes);
    this.wakeAt(until);
    return ackId;
  }

  private endLease(ackId: string): Lease | undefined {
    const lease = this.leases.get(ackId);
    if (!lease) return undefined;
    this.leases.delete(ackId);
    this.leaseOf.delete(lease.item);
    lease.consumer.gaveBack(lease.bytes);
    return lease;
  }

  private giveBack({ item }: Lease): void {
    for (const returned of this.backlog.giveBack(item)) {
      this.endLease(this.leaseOf.get(returned) ?? '');
    }
  }

  private giveBackAll(isOver: (lease: Lease) => boolean): void {
    // A lease may end with another of its ordering key.
    for (const [ackId, lease] of [...this.leases]) {
      if (this.leases.has(ackId) && isOver(lease)) this.giveBack(lease);
    }
    this.pump();
  }

  private wakeAt(time: number): void {
    if (time >= this.timerAt) return;
    clearTimeout(this.timer);
    this.timerAt = time;
    this.timer = setTimeout(() => this.sweep(), Math.max(0, time - Date.now()));
    this.timer.unref();
  }

  private sweep(): void {
    this.timerAt = Number.POSITIVE_INFINITY;
    const now = Date.now();
    this.giveBackAll(({ until }) => until <= now);
    for (const { until } of this.leases.values()) this.wakeAt(until);
  }

  private checkAckIds(ackIds: readonly string[]): void {
    if (ackIds.length === 0) throw noAckIds();
    for (const ackId of ackIds) {
      const number = ackId.startsWith(this.ackIdPrefix) ? ackId.slice(this.ackIdPrefix.length) : '';
      if (!/^\d+$/.test(number) || Number(number) > this.given) throw invalidAckId(ackId);
    }
  }
}

function wire(message: PublishedMessage): ReceivedMessage['message'] {
  const time = message.publishTime.getTime();
  return {
    ...message,
    publishTime: { seconds: Math.floor(time / 1000), nanos: (time % 1000) * 1_000_000 },
  };
}

/** About what flow control counts. */
function sizeOf({ data, attributes, orderingKey }: PublishedMessage): number {
  let size = data.length + Buffer.byteLength(orderingKey);
  for (const [key, value] of Object.entries(attributes)) {
    size += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  return size;
}
