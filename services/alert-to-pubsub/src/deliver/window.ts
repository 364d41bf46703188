/** What was read from the spool and is not delivered yet: so much and no more, however long the sink is away. */
import type { SpooledMessage } from '@skolo/alerts';

export interface Waiting {
  readonly seq: number;
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

export class Window {
  private readonly bounds: WindowBounds;
  /** In the order of the spool. */
  private readonly held = new Map<number, Waiting>();
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

  add(waiting: Waiting): void {
    this.held.set(waiting.seq, waiting);
    this.heldBytes += waiting.bytes;
  }

  remove({ seq, bytes }: Waiting): void {
    if (this.held.delete(seq)) this.heldBytes -= bytes;
  }

  /** That all others came after. */
  oldest(): Waiting | undefined {
    const [first] = this.held.values();
    return first;
  }

  /** The alert that has waited longest: nobody waits for a notice. */
  oldestAlert(): Waiting | undefined {
    for (const waiting of this.held.values()) if (waiting.message.kind !== 'notice') return waiting;
    return undefined;
  }
}
