/**
 * Decides when a rack is silent (dead), by its missing heartbeats, and distinguishes that from the watcher's own dead connection.
 *
 * Logic only: heartbeats and the time go in, a report comes out.
 */
import { type Moment, PublishClock } from './publish-clock.ts';
import type { KeptLocation } from './watch-state.ts';

/** A received heartbeat. */
export interface ReceivedHeartbeat {
  location: string;
  healthy: boolean;
  why?: string | undefined;
  /** By Pub/Sub's clock, milliseconds since 1970. */
  published: number;
  version?: string | undefined;
  /** Messages queued at the rack for Pub/Sub. */
  spoolDepth?: number | undefined;
  spoolOldestSeconds?: number | undefined;
}

/**
 * - `well`, `unhealthy`: as its heartbeat reports.
 * - `silent`: no heartbeat for too long.
 * - `waiting`: no heartbeat yet, shortly after the watch began or the connection returned.
 */
export type LocationState = 'well' | 'unhealthy' | 'silent' | 'waiting';

export interface LocationReport {
  location: string;
  state: LocationState;
  /** When it was first expected, by the wall clock. */
  since: number;
  /** For a silent one: the time of its last heartbeat, or when it was first expected. By the wall clock. */
  silentSince?: number;
  /** The newest heartbeat; if it precedes the watch, only its time is known. By Pub/Sub's clock. */
  lastHeard?: number;
  heartbeat?: ReceivedHeartbeat;
}

export interface Report {
  /** The expected locations, in order. */
  locations: LocationReport[];
  /** The other locations. */
  unexpected: { location: string; lastHeard: number }[];
  /** Since when no heartbeat can be received: the states are older. By the wall clock. */
  blindSince?: number;
}

export interface DeadManOptions {
  locations: readonly string[];
  silentAfterMs: number;
  began: Moment;
  kept?: Readonly<Record<string, KeptLocation>>;
  /** The first heartbeats may be old, because they were queued in a subscription. */
  mayBeOld?: boolean;
}

interface Watched extends KeptLocation {
  heartbeat?: ReceivedHeartbeat;
  /** The last heartbeat is recent. */
  fresh: boolean;
}

/** Every publisher can use any name. */
const mostUnexpected = 1000;

export class DeadMan {
  private readonly silentAfterMs: number;
  private readonly watched: ReadonlyMap<string, Watched>;
  private readonly unexpected = new Map<string, number>();
  private readonly clock: PublishClock;
  /** The start of uninterrupted reception: earlier silence proves nothing. By the steady clock. */
  private seeingSince: number;
  private blindAt: Moment | undefined;
  private beatAt: number;

  constructor({ locations, silentAfterMs, began, kept = {}, mayBeOld = false }: DeadManOptions) {
    this.silentAfterMs = silentAfterMs;
    this.watched = new Map(
      locations.map((location) => [
        location,
        { ...(own(kept, location) ?? { since: began.wall, silent: false }), fresh: false },
      ]),
    );
    this.clock = new PublishClock(began.steady, mayBeOld ? began.steady - began.wall : undefined);
    this.seeingSince = began.steady;
    this.beatAt = began.steady;
  }

  received(beat: ReceivedHeartbeat, { steady }: Moment): void {
    const olderBy = this.clock.saw(beat.published, steady);
    // This computer slept, or its clock was wrong: other heartbeats could not be received in the meantime.
    if (olderBy > this.silentAfterMs / 4) this.seeingSince = steady;
    const watched = this.watched.get(beat.location);
    if (watched === undefined) this.receivedOther(beat);
    // They arrive in any order, some twice.
    else if (watched.heartbeat === undefined || watched.heartbeat.published < beat.published) {
      watched.heartbeat = beat;
      watched.lastHeard = Math.max(beat.published, watched.lastHeard ?? 0);
    }
  }

  /** Called every second. After a pause of this process, earlier silence proves nothing: heartbeats were not received. */
  beat({ steady }: Moment): void {
    if (steady - this.beatAt > this.silentAfterMs / 4) this.seeingSince = steady;
    this.beatAt = steady;
  }

  /** No heartbeat can be received. From now on silence proves nothing. */
  blind(now: Moment): void {
    if (this.blindAt) return;
    this.settle(now);
    this.blindAt = now;
  }

  /** Heartbeats can be received again. */
  seeing({ steady }: Moment): void {
    if (this.blindAt === undefined) return;
    this.blindAt = undefined;
    this.seeingSince = steady;
  }

  /** Ends the initial wait: a location without a recent heartbeat is silent. */
  conclude(now: Moment): void {
    this.settle(now);
    for (const watched of this.watched.values()) watched.silent = !watched.fresh;
  }

  report(now: Moment): Report {
    this.settle(now);
    return {
      locations: [...this.watched].map(([location, watched]) => reportOf(location, watched)),
      unexpected: [...this.unexpected].map(([location, lastHeard]) => ({ location, lastHeard })),
      ...(this.blindAt && { blindSince: this.blindAt.wall }),
    };
  }

  /** State for the next watch. */
  stateAt(now: Moment): Record<string, KeptLocation> {
    this.settle(now);
    return Object.fromEntries(
      [...this.watched].map(([location, { since, lastHeard, silent }]) => [
        location,
        { since, silent, ...(lastHeard !== undefined && { lastHeard }) },
      ]),
    );
  }

  private receivedOther({ location, published }: ReceivedHeartbeat): void {
    const lastHeard = Math.max(published, this.unexpected.get(location) ?? 0);
    // The map is ordered by last heartbeat; the first entry is removed if there are too many.
    this.unexpected.delete(location);
    this.unexpected.set(location, lastHeard);
    const [first] = this.unexpected.keys();
    if (this.unexpected.size > mostUnexpected && first !== undefined) this.unexpected.delete(first);
  }

  /** Updates which locations are silent. */
  private settle(now: Moment): void {
    if (this.blindAt) return;
    for (const watched of this.watched.values()) {
      const { heartbeat } = watched;
      const publishedAt = heartbeat
        ? this.clock.steadyOf(heartbeat.published)
        : Number.NEGATIVE_INFINITY;
      const quietMs = now.steady - publishedAt;
      watched.fresh = quietMs < this.silentAfterMs;
      if (watched.fresh) watched.silent = false;
      else if (now.steady - this.seeingSince >= this.silentAfterMs) watched.silent = true;
    }
  }
}

function reportOf(location: string, watched: Watched): LocationReport {
  const { since, silent, heartbeat, lastHeard } = watched;
  return {
    location,
    state: stateOf(watched),
    since,
    ...(silent && { silentSince: lastHeard ?? since }),
    ...(lastHeard !== undefined && { lastHeard }),
    ...(heartbeat && { heartbeat }),
  };
}

function stateOf({ silent, fresh, heartbeat }: Watched): LocationState {
  if (silent) return 'silent';
  if (!fresh || heartbeat === undefined) return 'waiting';
  return heartbeat.healthy ? 'well' : 'unhealthy';
}

/** A location may have any name, even `constructor`. */
function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
