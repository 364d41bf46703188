/**
 * Jobs on a machine without a bot: a CI runner calls `on_before_task` and `on_after_task`. Decides when a job counts as ended although nobody
 * said so: its process is gone, or its time is over. Kept on disk, because the agent may end before the job.
 */
import { join } from 'node:path';
import { errorText, inOrder, parseJson } from '@skolo/base';
import { readFileIfExists, writeFileAtomic } from '@skolo/base/durable/atomic-file';
import { type Clock, type EventLog, HttpProblem } from '@skolo/common/light';
import { z } from 'zod';
import { processEntry } from '../host/processes.ts';
import type { PartDeps } from '../part-deps.ts';
import type { Task, TaskOutcome } from './task.ts';

const Job = z.object({
  /** Of its caller; absent: it is the only one without. */
  id: z.string().exactOptional(),
  pid: z.int().exactOptional(),
  /** When that process started, in ticks since boot: its number may be used again. */
  started: z.string().exactOptional(),
  since: z.iso.datetime(),
  /** Seconds since boot. */
  until: z.number(),
});
type Job = z.output<typeof Job>;
const Kept = z.object({ boot: z.string(), jobs: z.array(Job).max(100) });

interface JobCall {
  id: string | undefined;
  pid: string | undefined;
  /** RFC 3339. */
  until: string | undefined;
}

interface JobsDeps extends Pick<PartDeps, 'stateDir'> {
  clock: Pick<Clock, 'now' | 'uptime'>;
  bootId: string | undefined;
  task: Pick<Task, 'start' | 'end' | 'show'>;
  log: Pick<EventLog, 'info' | 'warn'>;
}

const hour = 3600;
const usualSeconds = 2 * hour;
const mostSeconds = 12 * hour;
/** A process may be that of a runner, which never ends. */
const mostProcessSeconds = 24 * hour;
const mostJobs = 100;

export class Jobs {
  private readonly deps: JobsDeps;
  private readonly file: string;
  private jobs: Job[] = [];
  private readonly inTurn = inOrder();

  constructor(deps: JobsDeps) {
    this.deps = deps;
    this.file = join(deps.stateDir, 'jobs.json');
  }

  /** Continues what the last process left. Never throws. */
  async open(): Promise<void> {
    try {
      const text = await readFileIfExists(this.file);
      const kept = text === undefined ? undefined : Kept.parse(parseJson(text));
      if (kept === undefined || kept.boot !== this.deps.bootId) return;
      this.jobs = kept.jobs;
      const [first] = this.jobs;
      if (first !== undefined) this.deps.task.start(first.id, new Date(first.since));
      await this.endLost();
    } catch (error) {
      this.deps.log.warn({ why: errorText(error), file: this.file }, 'jobs cannot be read');
    }
  }

  /** @throws HttpProblem 400 */
  start({ id, pid, until }: JobCall): void {
    const { clock, task } = this.deps;
    const since = new Date(clock.now());
    const process = pid === undefined ? undefined : processOf(pid);
    const seconds = until === undefined ? undefined : secondsUntil(until, clock.now());
    const usual = process === undefined ? usualSeconds : mostProcessSeconds;
    const job: Job = {
      ...(id !== undefined && { id }),
      ...process,
      since: since.toISOString(),
      until: clock.uptime() + (seconds ?? usual),
    };
    const others = this.jobs.filter((each) => !isSame(each, job));
    if (others.length >= mostJobs) throw new HttpProblem(400, `${mostJobs} jobs are running`);
    const isFirst = this.jobs.length === 0;
    this.jobs = [...others, job];
    if (isFirst) task.start(id, since);
    this.writeFile();
  }

  /** @throws HttpProblem 409: it is not clear which one has ended */
  end({ id, pid }: Pick<JobCall, 'id' | 'pid'>, outcome: TaskOutcome): void {
    const isMeant = (job: Job) =>
      id === undefined && pid === undefined
        ? job.id === undefined && job.pid === undefined
        : job.id === id || (job.pid !== undefined && String(job.pid) === pid);
    const isOnly = id === undefined && pid === undefined && this.jobs.length === 1;
    const ended = isOnly ? this.jobs : this.jobs.filter(isMeant);
    if (ended.length === 0 && this.jobs.length > 0) {
      const which = `${this.jobs.length} jobs are running; specify the task_id or pid that on_before_task had`;
      throw new HttpProblem(409, which);
    }
    this.remove(ended, outcome);
  }

  /** A bot ends its task before the machine reboots, but nobody ends a job. */
  whyNotRebooting(): string | undefined {
    return this.jobs.length > 0 ? 'a job is running; try again when it has ended' : undefined;
  }

  /** Those whose process has ended, or whose time is over. */
  async endLost(): Promise<void> {
    const now = this.deps.clock.uptime();
    const lost = this.jobs.filter(
      ({ pid, started, until }) =>
        until <= now || (pid !== undefined && !isAlive(processEntry(pid), started)),
    );
    if (lost.length === 0) return;
    for (const { id, pid } of lost) this.deps.log.info({ id, pid }, 'job ended without saying so');
    this.remove(lost, 'lost');
    await this.inTurn(async () => {});
  }

  /** Fulfilled once all is on the disk. */
  async close(): Promise<void> {
    await this.inTurn(async () => {});
  }

  private remove(ended: readonly Job[], outcome: TaskOutcome): void {
    if (ended.length === 0) return;
    const [shown] = this.jobs;
    this.jobs = this.jobs.filter((job) => !ended.includes(job));
    const [next] = this.jobs;
    if (next === undefined) this.deps.task.end(outcome);
    else if (next !== shown) this.deps.task.show(next.id, new Date(next.since));
    this.writeFile();
  }

  /** The answer of a hook waits for no disk. */
  private writeFile(): void {
    const { log, bootId } = this.deps;
    if (bootId === undefined) return;
    const text = JSON.stringify({ boot: bootId, jobs: this.jobs });
    void this.inTurn(() => writeFileAtomic(this.file, text)).catch((error: unknown) =>
      log.warn({ why: errorText(error), file: this.file }, 'jobs cannot be written'),
    );
  }
}

function isSame(one: Job, other: Job): boolean {
  return one.id === other.id && one.pid === other.pid;
}

function isAlive(entry: ReturnType<typeof processEntry>, started: string | undefined): boolean {
  return entry !== undefined && !entry.isZombie && entry.started === started;
}

/** @throws HttpProblem 400 */
function processOf(text: string): Required<Pick<Job, 'pid' | 'started'>> {
  const entry = /^[1-9]\d{0,9}$/.test(text) ? processEntry(Number(text)) : undefined;
  if (entry === undefined || entry.isZombie) {
    throw new HttpProblem(
      400,
      'pid: no such process; send the number of the process that runs the job',
    );
  }
  return { pid: entry.pid, started: entry.started };
}

/** @throws HttpProblem 400 */
function secondsUntil(text: string, now: number): number {
  const seconds = (Date.parse(text) - now) / 1000;
  if (seconds > 0 && seconds <= mostSeconds + 60) return seconds;
  const detail = 'until: must be a time such as 2026-11-20T07:30:00Z, at most 12 hours from now';
  throw new HttpProblem(400, detail);
}
