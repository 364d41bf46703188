/** What was read from the spool and is not delivered yet: so much and no more, however long the sink is away. */
import type { SpooledMessage } from '@skolo/alerts';

export interface Waiting {
  /** Infinite: it is not in the spool. */
  readonly seq: number;
  readonly lane: string;
  readonly message: SpooledMessage;
  /** In the spool; in memory it is some times that. */
  readonly bytes: number;
  /** When it was accepted, in seconds of uptime: that clock does not jump. */
  readonly since: number;
}

export interface WindowBounds {
  messages: number;
  bytes: number;
}

/** A lane that is blocked keeps no more than one part in so many. */
const shares = 4;

export class Window {
  private readonly bounds: WindowBounds;
  private readonly held = new Set<Waiting>();
  private readonly lanes = new Map<string, { messages: number; bytes: number }>();
  private heldBytes = 0;

  constructor(bounds: WindowBounds) {
    this.bounds = bounds;
  }

  get size(): number {
    return this.held.size;
  }

  /** A message that is larger than all of the window fits when it is the only one. */
  hasRoomFor(bytes: number): boolean {
    const { held, heldBytes, bounds } = this;
    return held.size === 0 || (held.size < bounds.messages && heldBytes + bytes <= bounds.bytes);
  }

  /** Whether a lane that is blocked has less than its share; at least one message is. */
  hasShareFor(lane: string, bytes: number): boolean {
    const has = this.lanes.get(lane);
    if (has === undefined) return true;
    const { bounds } = this;
    return has.messages < bounds.messages / shares && has.bytes + bytes <= bounds.bytes / shares;
  }

  /** A lane that is blocked has more than its share. */
  exceedsShare(lane: string): boolean {
    const { messages = 0, bytes = 0 } = this.lanes.get(lane) ?? {};
    const { bounds } = this;
    return messages > 1 && (messages > bounds.messages / shares || bytes > bounds.bytes / shares);
  }

  add(waiting: Waiting): void {
    this.held.add(waiting);
    this.count(waiting, 1);
  }

  remove(waiting: Waiting): void {
    if (this.held.delete(waiting)) this.count(waiting, -1);
  }

  /** The first sequence number that is held. Not always what was read first: a blocked lane is read again later. */
  lowest(): number {
    let lowest = Number.POSITIVE_INFINITY;
    for (const { seq } of this.held) if (seq < lowest) lowest = seq;
    return lowest;
  }

  /** What has waited longest. */
  oldest({ isSpooled = false } = {}): Waiting | undefined {
    return this.longest(({ seq }) => !isSpooled || Number.isFinite(seq));
  }

  /** The alert that has waited longest: nobody waits for a notice. */
  oldestAlert(): Waiting | undefined {
    return this.longest(({ message }) => message.kind !== 'notice');
  }

  private longest(counts: (waiting: Waiting) => boolean): Waiting | undefined {
    let longest: Waiting | undefined;
    for (const waiting of this.held) {
      if ((longest === undefined || waiting.since < longest.since) && counts(waiting)) {
        longest = waiting;
      }
    }
    return longest;
  }

  private count({ lane, bytes }: Waiting, by: 1 | -1) {
    const has = this.lanes.get(lane) ?? { messages: 0, bytes: 0 };
    has.messages += by;
    has.bytes += by * bytes;
    this.heldBytes += by * bytes;
    if (has.messages === 0) this.lanes.delete(lane);
    else this.lanes.set(lane, has);
  }
}
