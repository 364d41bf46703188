/** Counts by name, and gives each count at most once an hour. */
const hour = 3600;

export class Hourly {
  private readonly counts = new Map<string, { since: number; count: number }>();

  /**
   * One more.
   *
   * @param uptime in seconds
   * @returns how many there were since the last count that was given; undefined within an hour of that
   */
  count(name: string, uptime: number): number | undefined {
    const known = this.counts.get(name);
    const count = (known?.count ?? 0) + 1;
    const isDue = known === undefined || uptime - known.since >= hour;
    this.counts.set(name, isDue ? { since: uptime, count: 0 } : { ...known, count });
    return isDue ? count : undefined;
  }
}
