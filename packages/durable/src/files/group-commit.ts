/** Jobs that arrive while the disk is busy share the next write and sync. */
interface Job {
  /** Approximate bytes to write. */
  bytes: number;
}

interface Waiting<J> {
  job: J;
  resolve(result: number): void;
  reject(error: unknown): void;
}

/** Limit of one write and sync. */
const mostAtOnce = 4 * 1024 * 1024;

export class GroupCommit<J extends Job> {
  private readonly write: (jobs: J[]) => Promise<number[]>;
  private readonly onAllDone: () => void;
  private waiting: Waiting<J>[] = [];
  private draining: Promise<void> | undefined;

  /**
   * @param write runs all jobs in order, or none, and gives a result for each; none of them: 0
   * @param onAllDone called after a group of which no job failed, also where each was written by itself
   */
  constructor(write: (jobs: J[]) => Promise<number[]>, onAllDone: () => void = () => {}) {
    this.write = write;
    this.onAllDone = onAllDone;
  }

  /** @throws unknown Error of `write`: the job was not done. */
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
    // Jobs of the same turn also share the first sync.
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
      this.onAllDone();
    } catch (error) {
      if (group.length === 1) group[0]?.reject(error);
      else await this.commitEach(group);
    }
  }

  /**
   * A small job may fit where the whole group did not. Jobs that are not smaller than a failed one are rejected: on a slow
   * disk, others wait.
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
    if (failed === undefined) this.onAllDone();
  }
}
