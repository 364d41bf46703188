/**
 * Measures for how long this process could observe others. A paused virtual machine, a suspended computer, a hanging disk and a blocked
 * event loop are gaps of the observer, not silence of what it observes: see docs/decisions/2026-11-29-absence.md.
 *
 * The process beats once a second from the first question on, so that no question depends on others who beat. If the uptime between two
 * beats says more than a few seconds, the rest is a gap. The uptime includes the time in which a computer sleeps. A pause that stops this
 * clock as well, as some hypervisors do, adds nothing to any age.
 */

export const beatMs = 1000;
/** Time between two beats that is no gap, in seconds. It counts in a gap, too, so that many gaps add up to an age. */
const lateSeconds = 3;
/** Earlier gaps count as presence, so that what is silent is reported after this many gaps at the latest. */
const keptGaps = 100;
/** Gaps begin an age again only until it is this many times the limit, without the gaps: repeated gaps must not hide what is dead. */
const certainTimes = 3;
/** Shorter gaps are subtracted, but begin nothing again: a pause of ten seconds does not matter for a daily backup. */
const leastPart = 1 / 100;

/** Between two beats, in seconds of uptime. */
interface Gap {
  from: number;
  until: number;
}

export class Presence {
  private readonly uptime: (isFresh?: boolean) => number;
  private lost = { count: 0, seconds: 0 };
  private at: number | undefined;
  private beating: NodeJS.Timeout | undefined;
  private readonly gaps: Gap[] = [];

  /**
   * @param uptime seconds since boot, by a clock that never jumps and includes sleep; if not `isFresh`, a reading may be so old that it
   *   omits a sleep that has just ended
   */
  constructor(uptime: (isFresh?: boolean) => number) {
    this.uptime = uptime;
  }

  /** Number of gaps since the first question. */
  get count(): number {
    this.keepBeating();
    return this.lost.count;
  }

  /** Seconds lost in these gaps. */
  get lostSeconds(): number {
    this.keepBeating();
    return this.lost.seconds;
  }

  /** The process is running. Returns the uptime. */
  beat(isFresh = true): number {
    const now = this.uptime(isFresh);
    const from = this.at ?? now;
    this.at = now;
    const lost = now - from - lateSeconds;
    if (lost <= 0) return now;
    this.gaps.push({ from, until: now });
    if (this.gaps.length > keptGaps) this.gaps.shift();
    this.lost.count += 1;
    this.lost.seconds += lost;
    return now;
  }

  /** The returned function says whether there was a gap since: what fails meanwhile may have failed because of it. */
  watch(): () => boolean {
    const before = this.count;
    return () => this.count > before;
  }

  /** The latest one of at least so many seconds. */
  latestGap(leastSeconds = 0): Readonly<Gap> | undefined {
    this.keepBeating();
    return this.gaps.findLast(({ from, until }) => until - from >= leastSeconds);
  }

  /** Seconds lost in gaps that ended after this moment of uptime. */
  lostSince(uptime: number): number {
    this.keepBeating();
    const recent = this.gaps.filter(({ until }) => until > uptime);
    return recent.reduce((sum, { from, until }) => sum + until - from - lateSeconds, 0);
  }

  /**
   * The age of an answer, for a comparison with a limit: seconds without gaps, since then or since the last gap that began before the
   * limit, because what was asked before a gap must be asked again. Once the age has reached the limit, only another answer changes that.
   *
   * @param since seconds of uptime
   * @param limit in seconds
   */
  ageOf(since: number, limit: number): number {
    // Asked about every machine, so it does not read the clock each time.
    const now = this.keepBeating(false);
    let present = now - since;
    /** Start of the age, moved by what is subtracted. */
    let begin = since;
    for (const { from, until } of this.gaps) {
      if (until <= since) continue;
      const lost = until - Math.max(from + lateSeconds, since);
      present -= lost;
      const isReached = from - begin >= limit;
      begin = isReached || until - from < limit * leastPart ? begin + lost : until;
    }
    return Math.max(now - begin, present / certainTimes);
  }

  private keepBeating(isFresh = true): number {
    this.beating ??= setInterval(() => this.beat(), beatMs).unref();
    return this.beat(isFresh);
  }
}
