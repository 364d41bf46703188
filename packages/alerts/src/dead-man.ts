/**
 * Who is silent. Racks say every some seconds that they live; whoever does not for a while is silent, and whoever
 * listens to them from elsewhere has to know the difference between a rack that is silent and an own line that is dead.
 *
 * Logic only: what was heard and the time go in, who is silent comes out.
 */
import type { Moment } from './moment.ts';
import { PublishClock } from './publish-clock.ts';

/** A heartbeat, as it was heard. */
export interface Heard {
  location: string;
  healthy: boolean;
  why?: string | undefined;
  /** By the clock of Pub/Sub, milliseconds since 1970. */
  published: number;
  version?: string | undefined;
  /** What waits there for Pub/Sub. */
  spoolDepth?: number | undefined;
  spoolOldestSeconds?: number | undefined;
}

/**
 * - `well`, `unhealthy`: it says so.
 * - `silent`: not heard of for too long.
 * - `waiting`: not heard of since the watch began, or since all can be heard again, which is not long ago.
 */
export type LocationState = 'well' | 'unhealthy' | 'silent' | 'waiting';

export interface LocationReport {
  location: string;
  state: LocationState;
  /** When it was first expected. By the wall clock. */
  since: number;
  /** Of a silent one: when it was last heard of, or, if never, when it was first expected. By the wall clock. */
  silentSince?: number;
  /** The newest heartbeat; of one from before the watch began only the time is known. By the clock of Pub/Sub. */
  lastHeard?: number;
  heard?: Heard;
}

export interface Report {
  /** Those that are expected, in their order. */
  locations: LocationReport[];
  /** Those that are not. */
  unexpected: { location: string; lastHeard: number }[];
  /** Nothing can be heard since then: what is said of the locations is from before. By the wall clock. */
  blindSince?: number;
}

/** What a watch that begins anew has to know of the one before. */
export interface KeptLocation {
  /** When it was first expected. Milliseconds since 1970. */
  since: number;
  lastHeard?: number | undefined;
  silent: boolean;
}

export interface DeadManOptions {
  locations: readonly string[];
  silentAfterMs: number;
  began: Moment;
  kept?: Readonly<Record<string, KeptLocation>>;
  /** What is heard at first may be old: it waited in a subscription that was there before. */
  mayBeOld?: boolean;
}

interface Watched extends KeptLocation {
  heard?: Heard;
  /** What was heard is not old. */
  fresh: boolean;
}

/** Anybody can publish under any name. */
const mostUnexpected = 1000;

export class DeadMan {
  private readonly silentAfterMs: number;
  private readonly watched: ReadonlyMap<string, Watched>;
  private readonly unexpected = new Map<string, number>();
  private readonly clock: PublishClock;
  /** Since when all is seen: silence before it proves nothing. By the steady clock. */
  private seeingSince: number;
  private blindAt: Moment | undefined;

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
  }

  heard(beat: Heard, { steady }: Moment): void {
    const olderBy = this.clock.saw(beat.published, steady);
    // This computer slept, or its clock was wrong: nobody else had a chance to be heard meanwhile.
    if (olderBy > this.silentAfterMs / 4) this.seeingSince = steady;
    const watched = this.watched.get(beat.location);
    if (watched === undefined) this.heardOther(beat);
    // They come in any order, and some twice.
    else if (watched.heard === undefined || watched.heard.published < beat.published) {
      watched.heard = beat;
      watched.lastHeard = Math.max(beat.published, watched.lastHeard ?? 0);
    }
  }

  /** Nothing can be heard. From now on silence is nobody's. */
  blind(now: Moment): void {
    if (this.blindAt) return;
    this.settle(now);
    this.blindAt = now;
  }

  /** It can be heard again who is there. */
  seeing({ steady }: Moment): void {
    if (this.blindAt === undefined) return;
    this.blindAt = undefined;
    this.seeingSince = steady;
  }

  /** Nobody is waited for any longer. */
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

  /** For the watch that comes after this one. */
  keep(now: Moment): Record<string, KeptLocation> {
    this.settle(now);
    return Object.fromEntries(
      [...this.watched].map(([location, { since, lastHeard, silent }]) => [
        location,
        { since, silent, ...(lastHeard !== undefined && { lastHeard }) },
      ]),
    );
  }

  private heardOther({ location, published }: Heard): void {
    const lastHeard = Math.max(published, this.unexpected.get(location) ?? 0);
    // The one heard of last is the last of the map, and the first has to go when there are too many.
    this.unexpected.delete(location);
    this.unexpected.set(location, lastHeard);
    const [first] = this.unexpected.keys();
    if (this.unexpected.size > mostUnexpected && first !== undefined) this.unexpected.delete(first);
  }

  /** Who has become silent by now, and who no longer is. */
  private settle(now: Moment): void {
    if (this.blindAt) return;
    for (const watched of this.watched.values()) {
      const { heard } = watched;
      const heardAt = heard ? this.clock.steadyOf(heard.published) : Number.NEGATIVE_INFINITY;
      const quietMs = now.steady - heardAt;
      watched.fresh = quietMs < this.silentAfterMs;
      if (watched.fresh) watched.silent = false;
      else if (now.steady - this.seeingSince >= this.silentAfterMs) watched.silent = true;
    }
  }
}

function reportOf(location: string, watched: Watched): LocationReport {
  const { since, silent, heard, lastHeard } = watched;
  return {
    location,
    state: stateOf(watched),
    since,
    ...(silent && { silentSince: lastHeard ?? since }),
    ...(lastHeard !== undefined && { lastHeard }),
    ...(heard && { heard }),
  };
}

function stateOf({ silent, fresh, heard }: Watched): LocationState {
  if (silent) return 'silent';
  if (!fresh || heard === undefined) return 'waiting';
  return heard.healthy ? 'well' : 'unhealthy';
}

/** Names of locations are anything, `constructor` too. */
function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
