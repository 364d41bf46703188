/** Writes what a sink will not receive to the dead letters, and counts it. */
import type { DeadLetter } from '@skolo/api';
import type { Clock } from '@skolo/common';
import type { EmitAlertEvent } from '../events.ts';

export interface SetAsideDeps {
  sink: { readonly name: string };
  /** Durable when fulfilled. */
  deadLetters: { add(letters: DeadLetter[], mostBytes?: number): Promise<void> };
  clock: Clock;
  emit: EmitAlertEvent;
}

/** `id` is absent if it is not a message. */
type Rejected = Pick<DeadLetter, 'found'> & { id?: string };

export class SetAside {
  /** Since the start. */
  count = 0;
  private readonly deps: SetAsideDeps;

  constructor(deps: SetAsideDeps) {
    this.deps = deps;
  }

  /**
   * @param mostBytes maximum size of each
   * @throws FileNotWritten
   */
  async add(
    rejected: readonly Rejected[],
    { why, code }: { why: string; code: string },
    mostBytes?: number,
  ): Promise<void> {
    const { sink, deadLetters, clock, emit } = this.deps;
    const at = new Date(clock.now()).toISOString();
    const letters = rejected.map(({ found }) => ({ at, from: sink.name, why, found }));
    await deadLetters.add(letters, mostBytes);
    this.count += rejected.length;
    const event = { type: 'dead-letter', sink: sink.name, why, code } as const;
    for (const { id } of rejected) emit({ ...event, ...(id !== undefined && { id }) });
  }
}
