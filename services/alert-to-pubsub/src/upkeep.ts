/** What has to be done from time to time: alerts told again, alerts ended, the spool kept small. */
import { type Clock, errorText, type Logger } from '@skolo/common';
import type { AlertToPubsubSettings } from '@skolo/rack';
import type { Intake } from './intake.ts';
import type { Room } from './room.ts';
import type { Looked, Store } from './store.ts';
import type { Ways } from './ways.ts';

export interface UpkeepDeps {
  settings(): Pick<AlertToPubsubSettings, 'refreshSeconds'>;
  intake: Pick<Intake, 'tick'>;
  store: Pick<Store, 'shrink' | 'look' | 'isWell'>;
  ways: Pick<Ways, 'delivered' | 'areBehind' | 'depth'>;
  room: Pick<Room, 'disk' | 'refusing' | 'isInTrouble' | 'tell'>;
  clock: Clock;
  log: Logger;
  lookEveryMs: number;
  shrinkEveryMs: number;
  /** Something of the spool was lost, or deleted, while it was in use. */
  onLooked(looked: Looked): void;
  /** Whether more waits than is read at once. */
  onBacklog(isThere: boolean): void;
}

/** Messages. */
const backlog = 5000;

export class Upkeep {
  private readonly deps: UpkeepDeps;
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;
  /** In seconds of uptime. */
  private refreshedAt: number;
  private shrunkAt: number;
  private hasBacklog = false;

  constructor(deps: UpkeepDeps) {
    this.deps = deps;
    this.refreshedAt = deps.clock.uptime();
    this.shrunkAt = this.refreshedAt;
  }

  start(): void {
    this.lookAtBacklog();
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

  private lookAtBacklog() {
    const isThere = this.deps.ways.depth > backlog;
    if (isThere !== this.hasBacklog) this.deps.onBacklog(isThere);
    this.hasBacklog = isThere;
  }

  private async look(): Promise<void> {
    const { settings, intake, ways, room, clock, log, lookEveryMs, shrinkEveryMs } = this.deps;
    const uptime = clock.uptime();
    await this.lookAtDisk();
    room.tell();
    // A look too early by less than half a pause would be late by more than half of one the next time.
    const half = lookEveryMs / 2000;
    const isRefresh = uptime - this.refreshedAt >= settings().refreshSeconds - half;
    if (isRefresh) this.refreshedAt = uptime;
    // In an outage they would fill the spool, and be old news when they arrive.
    const isOfUse = isRefresh && !ways.areBehind(2 * settings().refreshSeconds);
    await intake.tick(isOfUse).catch((error: unknown) => {
      log.warn({ why: errorText(error) }, 'alerts cannot be told again now');
    });
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
