/** The messages of one subscription that are not acknowledged, and which of them may go out next. */
import type { PublishedMessage } from './topic.ts';

export interface Item {
  readonly message: PublishedMessage;
  readonly lane: Lane | undefined;
  acked: boolean;
}

/** Messages of one ordering key, oldest first; the first `sent` of them are out, or acknowledged before their turn. */
interface Lane {
  readonly items: Queue<Item>;
  sent: number;
  /** Out and not acknowledged. */
  out: number;
  /** Who has those, and gets what follows: through another stream it might come first. */
  owner: object | undefined;
}

/**
 * Without ordering anything may go out at any time. With ordering, messages of one key go out in the order in which
 * they were published; what comes back takes all later ones of its key with it, acknowledged or not.
 */
export class Backlog {
  private readonly isOrdered: boolean;
  private readonly loose = new Queue<Item>();
  private readonly lanes = new Map<string, Lane>();
  /** Lanes that have something to give. */
  private readonly ready = new Set<Lane>();
  /** Neither out nor acknowledged. */
  waiting = 0;

  constructor({ isOrdered }: { isOrdered: boolean }) {
    this.isOrdered = isOrdered;
  }

  add(message: PublishedMessage): void {
    const key = message.orderingKey;
    this.waiting += 1;
    if (!this.isOrdered || key === '') {
      this.loose.push({ message, lane: undefined, acked: false });
      return;
    }
    const lane = this.lanes.get(key) ?? {
      items: new Queue<Item>(),
      sent: 0,
      out: 0,
      owner: undefined,
    };
    this.lanes.set(key, lane);
    lane.items.push({ message, lane, acked: false });
    this.refresh(lane);
  }

  /** The next one that may go out to this consumer; it is out then. */
  take(consumer: object): Item | undefined {
    for (const lane of this.ready) {
      if (lane.out > 0 && lane.owner !== consumer) continue;
      const item = lane.items.at(lane.sent);
      lane.owner = consumer;
      lane.sent += 1;
      lane.out += 1;
      this.waiting -= 1;
      // At the end of the line again, so that all keys get their turn.
      this.ready.delete(lane);
      this.refresh(lane);
      return item;
    }
    const item = this.loose.shift();
    if (item) this.waiting -= 1;
    return item;
  }

  acknowledge(item: Item): void {
    item.acked = true;
    const { lane } = item;
    if (!lane) return;
    lane.out -= 1;
    while (lane.items.at(0)?.acked) {
      lane.items.shift();
      lane.sent -= 1;
    }
    if (lane.items.length === 0) this.lanes.delete(item.message.orderingKey);
    this.refresh(lane);
  }

  /** It is to go out again. Gives the items that are no longer out because of that, itself first. */
  giveBack(item: Item): Item[] {
    const { lane } = item;
    if (!lane) {
      this.loose.push(item);
      this.waiting += 1;
      return [item];
    }
    const returned: Item[] = [];
    for (let at = lane.sent - 1; at >= 0; at -= 1) {
      const later = lane.items.at(at);
      if (!later) break;
      if (!later.acked) {
        returned.unshift(later);
        lane.out -= 1;
      }
      later.acked = false;
      lane.sent = at;
      this.waiting += 1;
      if (later === item) break;
    }
    this.refresh(lane);
    return returned;
  }

  private refresh(lane: Lane): void {
    if (lane.sent < lane.items.length) this.ready.add(lane);
    else this.ready.delete(lane);
  }
}

/** First in, first out, without moving what is behind. */
class Queue<T> {
  private items: T[] = [];
  private head = 0;

  get length(): number {
    return this.items.length - this.head;
  }

  at(index: number): T | undefined {
    return this.items[this.head + index];
  }

  push(item: T): void {
    this.items.push(item);
  }

  shift(): T | undefined {
    const item = this.items[this.head];
    if (item === undefined) return undefined;
    this.head += 1;
    if (this.head > 1000 && this.head * 2 > this.items.length) {
      this.items = this.items.slice(this.head);
      this.head = 0;
    }
    return item;
  }
}
