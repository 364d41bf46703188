/** What has to be done from time to time: alerts told again, alerts ended, the spool kept small. */
import { type Clock, errorText, type Logger } from '@skolo/common';
import type { Intake } from './intake.ts';
import type { Room } from './room.ts';
import type { Looked, Store } from './store.ts';
import type { Ways } from './ways.ts';

export interface UpkeepDeps {
  intake: Pick<Intake, 'tick'>;
  store: Pick<Store, 'shrink' | 'look' | 'isWell'>;
  ways: Pick<Ways, 'delivered' | 'refresh'>;
  room: Pick<Room, 'disk' | 'refusing' | 'isInTrouble' | 'tell'>;
  clock: Clock;
  log: Logger;
  lookEveryMs: number;
  shrinkEveryMs: number;
  /** Something of the spool was lost, or deleted, while it was in use. */
  onLooked(looked: Looked): void;
}

export class Upkeep {
  private readonly deps: UpkeepDeps;
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;
  /** In seconds of uptime. */
  private shrunkAt: number;

  constructor(deps: UpkeepDeps) {
    this.deps = deps;
    this.shrunkAt = deps.clock.uptime();
  }

  start(): void {
    this.timer = setInterval(() => {
      // A slow disk is not asked again while it is busy.
      this.looking ??= this.look().finally(() => {
        this.looking = undefined;
      });
    }, this.deps.lookEveryMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.looking;
  }

  private async look(): Promise<void> {
    const { intake, ways, room, clock, log, shrinkEveryMs } = this.deps;
    const uptime = clock.uptime();
    await this.lookAtDisk();
    room.tell();
    try {
      ways.refresh(await intake.tick());
    } catch (error) {
      log.warn({ why: errorText(error) }, 'alerts cannot be ended or told again now');
    }
    const isDue = uptime - this.shrunkAt >= shrinkEveryMs / 1000;
    if (!isDue && room.refusing === undefined) return;
    this.shrunkAt = uptime;
    await this.shrink();
  }

  /** Nobody may come to try: without this, a probe that keeps senders away would never end. */
  private async lookAtDisk() {
    const { store, room, onLooked } = this.deps;
    try {
      const looked = await store.look();
      if (looked.lost > 0 || looked.isRestored) onLooked(looked);
      if (room.isInTrouble && (await store.isWell())) room.disk(undefined);
    } catch (error) {
      room.disk(error);
    }
  }

  private async shrink() {
    const { store, ways, room, log } = this.deps;
    try {
      await store.shrink(ways.delivered);
    } catch (error) {
      room.disk(error);
      log.warn({ why: errorText(error) }, 'spool cannot be made smaller now');
    }
  }
}
