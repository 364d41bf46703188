/**
 * Decides which alert's messages are sent next: queues take turns by their groups, so that many queues of one group delay the others by
 * one turn. Within a group, the queue with the lowest place is next.
 */

import { Heap } from './heap.ts';
import type { Queue } from './queue.ts';

interface Group {
  readonly name: string;
  /** The lowest is next: a group's turn comes again after those of all others. */
  rank: number;
  readonly queues: Heap<Queue>;
}

const first = Number.NEGATIVE_INFINITY;
const placeOf = ({ place }: Queue) => place;

export class Turns {
  private readonly groups = new Map<string, Group>();
  private readonly order = new Heap<Group>(({ rank }) => rank);
  private turn = 0;

  /** Puts the queue at this place in its group; minus infinity: it is next. */
  add(queue: Queue, place: number): void {
    if (queue.place === place || queue.place === first) return;
    queue.place = place;
    const known = this.groups.get(queue.group);
    const group = known ?? { name: queue.group, rank: 0, queues: new Heap<Queue>(placeOf) };
    group.queues.push(queue);
    const isNext = place === first && group.rank !== first;
    if (known !== undefined && !isNext) return;
    this.turn += 1;
    if (isNext) group.rank = first;
    else group.rank = queue.isNewestFirst ? -this.turn : this.turn;
    this.groups.set(group.name, group);
    this.order.push(group);
  }

  /** The queues of the next group that is not busy. Its turn ends. */
  next(busy: ReadonlySet<string>): Group | undefined {
    const skipped: Group[] = [];
    let next = this.order.pop();
    for (; next !== undefined; next = this.order.pop()) {
      if (next.queues.peek() === undefined) this.groups.delete(next.name);
      else if (busy.has(next.name)) skipped.push(next);
      else break;
    }
    for (const group of skipped) this.order.push(group);
    if (next === undefined) return undefined;
    this.turn += 1;
    next.rank = this.turn;
    this.order.push(next);
    return next;
  }
}
