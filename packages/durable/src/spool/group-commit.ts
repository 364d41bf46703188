/** What is asked for while the disk is busy shares the next write and the next sync. */
export interface Job {
  /** How many bytes it is going to write, about. */
  bytes: number;
}

interface Waiting<J> {
  job: J;
  resolve(result: number): void;
  reject(error: unknown): void;
}

/** How much is written and synced at once. */
const mostAtOnce = 4 * 1024 * 1024;

export class GroupCommit<J extends Job> {
  private readonly write: (jobs: J[]) => Promise<number[]>;
  private waiting: Waiting<J>[] = [];
  private draining: Promise<void> | undefined;

  /** `write` does all of the jobs, in order, or none, and gives a result for each. */
  constructor(write: (jobs: J[]) => Promise<number[]>) {
    this.write = write;
  }

  /** @throws unknown What `write` threw: it was not done. */
  run(job: J): Promise<number> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ job, resolve, reject });
      this.draining ??= this.drain();
    });
  }

  async idle(): Promise<void> {
    await this.draining;
  }

  private async drain() {
    // What is asked for in one go shares the first sync, too.
    await undefined;
    while (this.waiting.length > 0) await this.commit(this.takeGroup());
    this.draining = undefined;
  }

  private takeGroup(): Waiting<J>[] {
    let bytes = 0;
    const rest = this.waiting.findIndex(({ job }, position) => {
      bytes += job.bytes;
      return position > 0 && bytes > mostAtOnce;
    });
    return this.waiting.splice(0, rest < 0 ? this.waiting.length : rest);
  }

  private async commit(group: Waiting<J>[]) {
    try {
      const results = await this.write(group.map(({ job }) => job));
      for (const [position, { resolve }] of group.entries()) resolve(results[position] ?? 0);
    } catch (error) {
      if (group.length === 1) group[0]?.reject(error);
      else await this.commitEach(group);
    }
  }

  /**
   * What is small may have room where what it shared a write with had none. What is no smaller than one that failed is
   * not tried: on a slow disk, others wait meanwhile.
   */
  private async commitEach(group: Waiting<J>[]) {
    let failed: { bytes: number; error: unknown } | undefined;
    for (const { job, resolve, reject } of group) {
      if (failed && job.bytes >= failed.bytes) {
        reject(failed.error);
        continue;
      }
      try {
        const [result] = await this.write([job]);
        resolve(result ?? 0);
      } catch (error) {
        failed = { bytes: job.bytes, error };
        reject(error);
      }
    }
  }
}
