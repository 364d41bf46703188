/** Passes events of a service's parts to log, metrics and other consumers. */
/** A consumer of events. It must not throw. */
export type Emit<E> = (event: E) => void;

/** The events of a service: parts emit them, and `start()` adds consumers. */
export interface Events<E> {
  emit: Emit<E>;
  /** Adds a consumer of later events. Returns a function that removes it. */
  consume(consumer: Emit<E>): () => void;
}

export function createEvents<E>(): Events<E> {
  const consumers = new Set<Emit<E>>();
  return {
    emit(event) {
      for (const consumer of [...consumers]) consumer(event);
    },
    consume(consumer) {
      consumers.add(consumer);
      return () => consumers.delete(consumer);
    },
  };
}
