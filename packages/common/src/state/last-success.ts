/**
 * Stores times of the last success across restarts, because a crash loop must never look fresh.
 *
 * Alert rules check `time() - skolo_…_last_success_timestamp_seconds > N`, so the time must match the present wall clock,
 * even if that was wrong at the success. A success of this boot is therefore computed from the uptime. For one before this
 * boot only the wall time is known. If that is later than the boot, the clock was wrong, and the time of the boot is
 * used as an upper limit.
 */
import { randomUUID } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText, readBootId } from '@skolo/base';
import { readFileIfExists, writeFileAtomic } from '@skolo/base/durable/atomic-file';
import type { Registry } from 'prom-client';
import { z } from 'zod';
import { type DegradedList, degradedCode } from '../health/degraded.ts';
import { type GaugeSample, registerGauges } from '../health/metrics.ts';
import type { Clock } from '../process/clock.ts';

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

interface LastSuccessDeps {
  clock: Clock;
  degraded: Pick<DegradedList, 'raise' | 'clear'>;
  /** Id of this boot; default: from the kernel. */
  bootId?: string;
}

/** Times of the last success by name. Written at most once a minute, and at the end. */
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
    // Without an ID from the kernel, each process counts as a boot.
    this.bootId = deps.bootId ?? readBootId() ?? randomUUID();
  }

  /** Reads `last-success.json` of the state directory. Renames a broken one to `last-success.json.bad`. Never fails. */
  static async open(stateDir: string, deps: LastSuccessDeps): Promise<LastSuccess> {
    const times = new LastSuccess(join(stateDir, 'last-success.json'), deps);
    await times.load();
    return times;
  }

  /** Records a success, now or `secondsAgo`. */
  mark(name: string, secondsAgo = 0): void {
    this.marks.set(name, {
      time: new Date(this.clock.now() - secondsAgo * 1000).toISOString(),
      uptime: this.clock.uptime() - secondsAgo,
      boot: this.bootId,
    });
    this.saveSoon();
  }

  /** Time of the last success, milliseconds since 1970 by the present wall clock; undefined: never. */
  get(name: string): number | undefined {
    const mark = this.marks.get(name);
    if (mark === undefined) return undefined;
    const now = this.clock.now();
    const uptime = this.clock.uptime();
    const sameBoot = mark.boot === this.bootId && mark.uptime <= uptime;
    if (sameBoot) return now - (uptime - mark.uptime) * 1000;
    return Math.min(Date.parse(mark.time), now - uptime * 1000);
  }

  /** Removes all other names, so that entries removed from rack.yaml do not raise alerts. */
  retain(names: Iterable<string>): void {
    const kept = new Set(names);
    for (const name of [...this.marks.keys()]) {
      if (kept.has(name)) continue;
      this.marks.delete(name);
      this.saveSoon();
    }
  }

  /**
   * Exports the times as a metric.
   *
   * @param metric.names read at each scrape; a name without a success is 0
   */
  expose(
    registry: Registry,
    metric: { name: string; help: string; label: string; names: () => Iterable<string> },
  ): void {
    const { name, help, label, names } = metric;
    const read = (all: Iterable<string>) =>
      [...all].map((each): GaugeSample => [{ [label]: each }, (this.get(each) ?? 0) / 1000]);
    registerGauges(registry, { [name]: { help, labels: [label], read } }, names);
  }

  /** Writes pending changes. */
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
        `the service starts without ${this.file}, because it is unusable: ${errorText(error)}`,
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
        `${errorText(error)}; after a restart, the reported times of the last success will be out of date`,
        degradedCode(error),
      );
      this.saveSoon();
    }
  }
}
