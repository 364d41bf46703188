/** Messages that become dead letters: the sink takes others and not these. */
import { type Sink, SinkError } from '@skolo/alerts';
import type { DeadLetter } from '@skolo/api';
import { type Clock, errorText } from '@skolo/common';
import type { EmitAlertEvent } from '../events.ts';
import type { Waiting } from './window.ts';

export interface SetAsideDeps {
  sink: Pick<Sink, 'name'>;
  /** Durable when fulfilled. */
  deadLetters: { add(letters: DeadLetter[], mostBytes?: number): Promise<void> };
  clock: Clock;
  emit: EmitAlertEvent;
}

export class SetAside {
  /** Since the start. */
  count = 0;
  private readonly deps: SetAsideDeps;
  /** The dead letters do not have them yet. */
  private readonly unsaved = new WeakMap<Waiting, SinkError>();

  constructor(deps: SetAsideDeps) {
    this.deps = deps;
  }

  /** Why a message is not sent again, although the dead letters do not have it yet: others may have passed it. */
  blameOf(waiting: Waiting | undefined): SinkError | undefined {
    return waiting && this.unsaved.get(waiting);
  }

  /** Gives what is wrong with the dead letters; undefined: they have all of it. */
  async add(batch: readonly Waiting[], failure: SinkError): Promise<SinkError | undefined> {
    const { sink, clock, emit, deadLetters } = this.deps;
    const { code, message: why } = failure;
    const at = new Date(clock.now()).toISOString();
    // A refresh says nothing that the message before it has not said.
    const lost = batch.filter(({ message }) => message.kind !== 'refresh');
    try {
      const letters = lost.map(({ message }) => ({ at, from: sink.name, why, found: message }));
      await deadLetters.add(letters, Number.POSITIVE_INFINITY);
    } catch (error) {
      for (const waiting of batch) this.unsaved.set(waiting, failure);
      const text = `${why}; and the dead letter cannot be written: ${errorText(error)}`;
      return new SinkError('disk', 'DEAD_LETTERS', text);
    }
    for (const { message } of lost) {
      emit({ type: 'dead-letter', sink: sink.name, why, code, id: message.id });
      this.counted();
    }
    return undefined;
  }

  /** The dead letters have one more. */
  counted(): void {
    this.count += 1;
  }
}
