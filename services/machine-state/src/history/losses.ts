/** Counts how often machines were lost in the last week: what a push (packages/fleet/src/push/worsened.ts) expects by chance. */
import type { Clock } from '@skolo/common';
import type { History } from './history.ts';

const weekMs = 7 * 86_400_000;
const readEverySeconds = 600;

export class Losses {
  /** Undefined until the history has been read, and while it cannot be read. */
  lastWeek: number | undefined;
  private readonly deps: { history: Pick<History, 'conditions'>; clock: Clock };
  private readAt = Number.NEGATIVE_INFINITY;

  constructor(deps: Losses['deps']) {
    this.deps = deps;
  }

  async tick(): Promise<void> {
    const { clock } = this.deps;
    if (clock.uptime() - this.readAt < readEverySeconds) return;
    this.readAt = clock.uptime();
    this.lastWeek = await this.count().catch(() => undefined);
  }

  private async count(): Promise<number> {
    const { history, clock } = this.deps;
    const gone = new Map<string, boolean>();
    let losses = 0;
    for await (const changes of history.conditions(clock.now() - weekMs)) {
      for (const { machine, key } of changes) {
        if (key === 'gone' && !gone.get(machine)) losses += 1;
        gone.set(machine, key === 'gone');
      }
    }
    return losses;
  }
}
