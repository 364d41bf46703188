/** Requests with an Idempotency-Key, so that a repetition is the same request and has no second effect. */
import { createHash } from 'node:crypto';
import { Time } from '@skolo/api';
import { type Clock, HttpProblem, Locks } from '@skolo/common';
import type { Change, Table } from '@skolo/durable';
import { z } from 'zod';

export const RequestRecord = z.object({
  /** The caller and the key. */
  key: z.string(),
  /** SHA-256 of the request. */
  content: z.string(),
  at: Time,
  /** What it made, or how it was before: whatever shows the caller that it has happened. */
  result: z.array(z.string()),
});
type RequestRecord = z.output<typeof RequestRecord>;

export interface Request {
  /** Absent: each request is another one. */
  key?: string | undefined;
  by: string;
  content: readonly unknown[];
}

const dayMs = 86_400_000;

export class Repetitions {
  private readonly table: Table<RequestRecord>;
  private readonly clock: Pick<Clock, 'now'>;
  private readonly locks = new Locks();

  constructor(table: Table<RequestRecord>, clock: Pick<Clock, 'now'>) {
    this.table = table;
    this.clock = clock;
  }

  /**
   * @param work gets the result of the first request with this key, if there was one within a day, and a function that gives
   *   the changes that remember this one. Requests with one key run one after the other.
   * @throws HttpProblem 422: the key was used for another request.
   */
  async once<T>(
    { key, by, content }: Request,
    work: (
      before: readonly string[] | undefined,
      remember: (result: readonly string[]) => Change[],
    ) => Promise<T>,
  ): Promise<T> {
    if (key === undefined) return await work(undefined, () => []);
    const id = `${by}\n${key}`;
    return await this.locks.hold(id, async () => {
      const known = this.table.get(id);
      const digest = createHash('sha256').update(JSON.stringify(content)).digest('hex');
      if (known === undefined || this.isOld(known)) {
        return await work(undefined, (result) => this.remember(id, digest, result));
      }
      if (known.content === digest) return await work(known.result, () => []);
      throw new HttpProblem(
        422,
        'this Idempotency-Key was used for another request; make a new key for a new request',
      );
    });
  }

  private remember(key: string, content: string, result: readonly string[]): Change[] {
    const old = [...this.table.all.values()].filter((each) => this.isOld(each));
    const at = new Date(this.clock.now()).toISOString();
    const record = { key, content, at, result: [...result] };
    return [...old.map((each) => this.table.remove(each.key)), this.table.put(record)];
  }

  private isOld({ at }: RequestRecord): boolean {
    return Math.abs(this.clock.now() - Date.parse(at)) > dayMs;
  }
}
