/** Decides whether a repeated request (with an Idempotency-Key) acts only once, and for how long it is remembered. */

import { Time } from '@skolo/api';
import { sha256 } from '@skolo/base';
import type { Change, Table } from '@skolo/base/durable';
import { z } from 'zod';
import { Locks } from '../locks.ts';
import type { Clock } from '../process/clock.ts';
import { HttpProblem } from './response/problem.ts';

/** @param result the result of a request, which shows the caller that it has been executed */
export function requestRecord<T>(result: z.ZodType<T>) {
  return z.object({
    /** The caller and the key. */
    key: z.string(),
    /** SHA-256 of the request. */
    content: z.string(),
    at: Time,
    result,
  });
}
type RequestRecord<T> = z.output<ReturnType<typeof requestRecord<T>>>;

export interface RepeatableRequest {
  /** Absent: each request is a new one. */
  key?: string | undefined;
  by: string;
  content: readonly unknown[];
}

const daySeconds = 86_400;

export class Repetitions<T> {
  private readonly table: Table<RequestRecord<T>>;
  private readonly clock: Clock;
  private readonly locks = new Locks();
  /** When a key was used, in seconds since boot. */
  private readonly takenAt = new Map<string, number>();

  constructor(table: Table<RequestRecord<T>>, clock: Clock) {
    this.table = table;
    this.clock = clock;
  }

  /**
   * @param work gets the result of the first request with this key, if there was one within a day, and a function that gives
   *   the changes that remember this one. Requests with one key run one after the other.
   * @throws HttpProblem 422: the key was used for another request.
   */
  async once<R>(
    { key, by, content }: RepeatableRequest,
    work: (before: T | undefined, remember: (result: T) => Change[]) => Promise<R>,
  ): Promise<R> {
    if (key === undefined) return await work(undefined, () => []);
    const id = `${by}\n${key}`;
    return await this.locks.hold(id, async () => {
      const known = this.table.get(id);
      const digest = sha256(JSON.stringify(content));
      const remember = (result: T) => this.remember(id, digest, result);
      if (known === undefined || this.isOld(known)) return await work(undefined, remember);
      if (known.content === digest) return await work(known.result, remember);
      throw new HttpProblem(
        422,
        'this Idempotency-Key was already used for a different request; use a new key for each request',
      );
    });
  }

  private remember(key: string, content: string, result: T): Change[] {
    const old = [...this.table.all.values()].filter((each) => this.isOld(each));
    for (const each of old) this.takenAt.delete(each.key);
    this.takenAt.set(key, this.clock.uptime());
    const at = new Date(this.clock.now()).toISOString();
    const record = { key, content, at, result };
    return [...old.map((each) => this.table.remove(each.key)), this.table.put(record)];
  }

  /** By a clock that does not jump. Of what another process took only the wall time is known; the future means just now. */
  private isOld({ key, at }: RequestRecord<T>): boolean {
    const { clock } = this;
    const ago = Math.max(0, clock.now() - Date.parse(at)) / 1000;
    const takenAt = this.takenAt.get(key) ?? clock.uptime() - ago;
    this.takenAt.set(key, takenAt);
    return clock.uptime() - takenAt > daySeconds;
  }
}
