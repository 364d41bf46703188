/**
 * When something last succeeded, kept across restarts: a crash loop must never look fresh.
 *
 * Alert rules ask `time() - skolo_…_last_success_timestamp_seconds > N`, so the time shown has to be right by the wall
 * clock of now, whatever that clock was when it happened. A success of this boot is therefore shown as "so many
 * seconds of uptime ago". Of one before this boot only its wall time is known; if that is later than the boot itself,
 * the clock was wrong, and the boot is shown: later it cannot have been, and from then on it ages.
 */
import { randomUUID } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileIfExists, writeFileAtomic } from '@skolo/durable/atomic-file';
import { errorText } from '@skolo/errors';
import { Gauge, type Registry } from 'prom-client';
import { z } from 'zod';
import { type Clock, readBootId } from './clock.ts';
import type { DegradedList } from './degraded.ts';

const Mark = z.object({
  time: z.iso.datetime(),
  /** Seconds since boot. */
  uptime: z.number(),
  boot: z.string(),
});
type Mark = z.output<typeof Mark>;
const Marks = z.object({ lastSuccess: z.record(z.string(), Mark) });

const saveEveryMs = 60_000;
const trouble = 'last success';

export interface LastSuccessDeps {
  clock: Clock;
  degraded: Pick<DegradedList, 'raise' | 'clear'>;
  /** Names this boot; by default the kernel’s name for it. */
  bootId?: string;
}

/** Times of last success by name. Written at most once a minute, and at the end. */
export class LastSuccess {
  private readonly file: string;
  private readonly clock: Clock;
  private readonly degraded: Pick<DegradedList, 'raise' | 'clear'>;
  private readonly bootId: string;
  private readonly marks = new Map<string, Mark>();
  private timer: NodeJS.Timeout | undefined;
  private saving: Promise<void> = Promise.resolve();

  private constructor(file: string, deps: LastSuccessDeps) {
    this.file = file;
    this.clock = deps.clock;
    this.degraded = deps.degraded;
    // Where the kernel has no name for it, each process counts as a boot of its own.
    this.bootId = deps.bootId ?? readBootId() ?? randomUUID();
  }

  /** Reads `last-success.json` of the state directory. A broken one is set aside as `last-success.json.bad`; nothing is fatal. */
  static async open(stateDir: string, deps: LastSuccessDeps): Promise<LastSuccess> {
    const times = new LastSuccess(join(stateDir, 'last-success.json'), deps);
    await times.load();
    return times;
  }

  /** It succeeded just now, or so many seconds ago. */
  mark(name: string, secondsAgo = 0): void {
    this.marks.set(name, {
      time: new Date(this.clock.now() - secondsAgo * 1000).toISOString(),
      uptime: this.clock.uptime() - secondsAgo,
      boot: this.bootId,
    });
    this.saveSoon();
  }

  /** When it last succeeded, milliseconds since 1970 by the wall clock of now; undefined: never. */
  get(name: string): number | undefined {
    const mark = this.marks.get(name);
    if (mark === undefined) return undefined;
    const now = this.clock.now();
    const uptime = this.clock.uptime();
    const sameBoot = mark.boot === this.bootId && mark.uptime <= uptime;
    if (sameBoot) return now - (uptime - mark.uptime) * 1000;
    return Math.min(Date.parse(mark.time), now - uptime * 1000);
  }

  /** Forgets all but these: what is no longer in rack.yaml raises no alert. */
  retain(names: Iterable<string>): void {
    const kept = new Set(names);
    for (const name of [...this.marks.keys()]) {
      if (kept.has(name)) continue;
      this.marks.delete(name);
      this.saveSoon();
    }
  }

  /**
   * Shows the times as a metric.
   *
   * @param metric.names what should succeed, asked at each scrape; 0 is shown for what never did
   */
  expose(
    registry: Registry,
    metric: { name: string; help: string; label: string; names: () => Iterable<string> },
  ): void {
    const { name, help, label, names } = metric;
    const secondsOf = (each: string) => (this.get(each) ?? 0) / 1000;
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [registry],
      collect() {
        this.reset();
        for (const each of names()) this.set({ [label]: each }, secondsOf(each));
      },
    });
  }

  /** Writes what has not been written yet. */
  async close(): Promise<void> {
    const unsaved = this.timer !== undefined;
    clearTimeout(this.timer);
    this.timer = undefined;
    await this.saving;
    if (unsaved) await this.save();
  }

  private async load() {
    try {
      const text = await readFileIfExists(this.file);
      if (text === undefined) return;
      const { lastSuccess } = Marks.parse(JSON.parse(text));
      for (const [name, mark] of Object.entries(lastSuccess)) this.marks.set(name, mark);
    } catch (error) {
      this.degraded.raise(
        trouble,
        `${this.file}: cannot be used, starting without: ${errorText(error)}`,
      );
      await rename(this.file, `${this.file}.bad`).catch(() => undefined);
    }
  }

  private saveSoon() {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.saving = this.save();
    }, saveEveryMs).unref();
  }

  private async save() {
    const marks = Marks.parse({ lastSuccess: Object.fromEntries(this.marks) });
    try {
      await writeFileAtomic(this.file, `${JSON.stringify(marks)}\n`);
      this.degraded.clear(trouble);
    } catch (error) {
      this.degraded.raise(
        trouble,
        `${errorText(error)}; after a restart, what succeeded since looks older than it is`,
      );
      this.saveSoon();
    }
  }
}
