/** Jobs that arrive while the disk is busy share the next write and sync. */
interface Job {
  /** Approximate bytes to write. */
  bytes: number;
}

interface Waiting<J, R> {
  job: J;
  resolve(result: R | undefined): void;
  reject(error: unknown): void;
}

interface GroupCommitOptions {
  /** Called after a group without failed jobs, even if each was written separately. */
  onAllDone?(): void;
  /** Limit of one write and sync, in bytes. */
  mostAtOnce?: number;
  /** After a failure, each job is tried alone, even one that is not smaller than another failed one. */
  isEachTried?: boolean;
  /** Jobs that arrive until it is fulfilled share the first sync; by default, jobs of the same turn. */
  gather?(): Promise<unknown>;
}

export class GroupCommit<J extends Job, R = number> {
  private readonly write: (jobs: J[]) => Promise<R[]>;
  private readonly options: GroupCommitOptions;
  private waiting: Waiting<J, R>[] = [];
  private draining: Promise<void> | undefined;

  /** @param write runs all jobs in order, or none, and returns their results, if any */
  constructor(write: (jobs: J[]) => Promise<R[]>, options: GroupCommitOptions = {}) {
    this.write = write;
    this.options = options;
  }

  /** @throws unknown Error of `write`: the job was not done. */
  run(job: J): Promise<R | undefined> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ job, resolve, reject });
      this.draining ??= this.drain();
    });
  }

  async idle(): Promise<void> {
    await this.draining;
  }

  private async drain() {
    await this.options.gather?.();
    while (this.waiting.length > 0) await this.commit(this.nextGroup());
    this.draining = undefined;
  }

  private nextGroup(): Waiting<J, R>[] {
    const { mostAtOnce = 4 * 1024 * 1024 } = this.options;
    let bytes = 0;
    const rest = this.waiting.findIndex(({ job }, position) => {
      bytes += job.bytes;
      return position > 0 && bytes > mostAtOnce;
    });
    return this.waiting.splice(0, rest < 0 ? this.waiting.length : rest);
  }

  private async commit(group: Waiting<J, R>[]) {
    try {
      const results = await this.write(group.map(({ job }) => job));
      for (const [position, { resolve }] of group.entries()) resolve(results[position]);
      this.options.onAllDone?.();
    } catch (error) {
      if (group.length === 1) group[0]?.reject(error);
      else await this.commitEach(group);
    }
  }

  /**
   * A small job may fit where the whole group did not. By default, jobs that are not smaller than a failed one are rejected:
   * on a slow disk, others wait.
   */
  private async commitEach(group: Waiting<J, R>[]) {
    let failed: { bytes: number; error: unknown } | undefined;
    for (const { job, resolve, reject } of group) {
      if (failed && job.bytes >= failed.bytes && !this.options.isEachTried) {
        reject(failed.error);
        continue;
      }
      try {
        const [result] = await this.write([job]);
        resolve(result);
      } catch (error) {
        failed = { bytes: job.bytes, error };
        reject(error);
      }
    }
    if (failed === undefined) this.options.onAllDone?.();
  }
}
