/** Each change of a cycle, to whoever listens. */
import type { PowerCycle } from '@skolo/api';

type Listener = (cycle: PowerCycle) => void;

export class Events {
  private readonly listeners = new Set<Listener>();

  tell(cycle: PowerCycle): void {
    for (const listener of [...this.listeners]) listener(cycle);
  }

  /** Gives what ends it. */
  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Fulfilled with the first state of a cycle that passes the test. */
  until(
    id: string,
    test: (cycle: PowerCycle) => boolean,
    find: (id: string) => PowerCycle | undefined,
  ): Promise<PowerCycle> {
    return new Promise((resolve) => {
      const look = (cycle: PowerCycle | undefined) => {
        if (cycle?.id !== id || !test(cycle)) return;
        unlisten();
        resolve(cycle);
      };
      const unlisten = this.listen(look);
      look(find(id));
    });
  }
}
