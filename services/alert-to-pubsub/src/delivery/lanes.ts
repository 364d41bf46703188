/**
 * The lanes of a sink: each in order, one batch of each under way at a time, all of them in turn. A batch that has to be
 * sent again is kept as it was, so that nothing ever passes it.
 */
import type { Waiting } from './window.ts';

export class Lane {
  readonly name: string;
  /** What was sent and did not arrive, before all that waits. */
  again: Waiting[][] = [];
  waiting: Waiting[] = [];
  state: 'idle' | 'ready' | 'busy' | 'resting' = 'idle';
  /** In a row. */
  failures = 0;
  /** Those of them that speak against its first message. */
  strikes = 0;

  constructor(name: string) {
    this.name = name;
  }

  get isEmpty(): boolean {
    return this.again.length === 0 && this.waiting.length === 0;
  }
}

/** What is to be sent of a lane. */
export interface Turn {
  readonly lane: Lane;
  readonly batch: readonly Waiting[];
}

export class Lanes {
  private readonly lanes = new Map<string, Lane>();
  /** Those that have something to send; who waits longest is first. */
  private readonly ready = new Set<Lane>();

  get(name: string): Lane | undefined {
    return this.lanes.get(name);
  }

  add(waiting: Waiting): void {
    const { lane: name } = waiting;
    let lane = this.lanes.get(name);
    if (lane === undefined) {
      lane = new Lane(name);
      this.lanes.set(name, lane);
    }
    lane.waiting.push(waiting);
    if (lane.state === 'idle') this.makeReady(lane);
  }

  /** The next lane, with as much as may be sent at once; it is busy until it is free, or rests. */
  take(most: number): Turn | undefined {
    const [lane] = this.ready;
    if (lane === undefined) return undefined;
    this.ready.delete(lane);
    lane.state = 'busy';
    return { lane, batch: lane.again.shift() ?? lane.waiting.splice(0, most) };
  }

  /** One message more of a lane that is busy. */
  takeNext(lane: Lane): Waiting | undefined {
    const [batch] = lane.again;
    if (batch === undefined) return lane.waiting.shift();
    const first = batch.shift();
    if (batch.length === 0) lane.again.shift();
    return first;
  }

  /** They come first again, one by one. */
  putBack(lane: Lane, passed: readonly Waiting[]): void {
    lane.again.unshift(...passed.map((waiting) => [waiting]));
  }

  /** Takes out one message. False: it is under way. */
  drop(waiting: Waiting): boolean {
    const lane = this.lanes.get(waiting.lane);
    if (lane === undefined) return false;
    const batch = [lane.waiting, ...lane.again].find((each) => each.includes(waiting));
    if (batch === undefined) return false;
    batch.splice(batch.indexOf(waiting), 1);
    lane.again = lane.again.filter(({ length }) => length > 0);
    if (lane.isEmpty && lane.state === 'ready') this.forget(lane);
    return true;
  }

  /** Takes out what waits behind all else of this lane and was not sent yet. */
  dropLast(lane: Lane): Waiting | undefined {
    return lane.waiting.pop();
  }

  /** The turn is over; the lane lines up behind the others. What did not arrive comes first when it is its turn. */
  free({ lane }: Turn, ...again: Waiting[][]): void {
    lane.again.unshift(...again.filter(({ length }) => length > 0));
    if (lane.isEmpty) this.forget(lane);
    else this.makeReady(lane);
  }

  /** The turn is over, and nothing of this lane is sent until it is woken. */
  rest({ lane }: Turn, ...again: Waiting[][]): void {
    lane.again.unshift(...again);
    lane.state = 'resting';
  }

  wake(lane: Lane): void {
    if (lane.state !== 'resting') return;
    if (lane.isEmpty) this.forget(lane);
    else this.makeReady(lane);
  }

  /** Takes out what waits and is older; what is under way is left alone. */
  dropBefore(seq: number): Waiting[] {
    const dropped: Waiting[] = [];
    const isKept = (waiting: Waiting) => {
      if (waiting.seq < seq) dropped.push(waiting);
      return waiting.seq >= seq;
    };
    for (const lane of [...this.lanes.values()]) {
      const again = lane.again.map((batch) => batch.filter(isKept));
      lane.again = again.filter(({ length }) => length > 0);
      lane.waiting = lane.waiting.filter(isKept);
      if (lane.isEmpty && lane.state !== 'busy') this.forget(lane);
    }
    return dropped;
  }

  private makeReady(lane: Lane) {
    lane.state = 'ready';
    this.ready.add(lane);
  }

  private forget(lane: Lane) {
    lane.state = 'idle';
    this.ready.delete(lane);
    this.lanes.delete(lane.name);
  }
}
