/**
 * Records of pushes on this workstation, and how many are kept, one directory each: the request, and the progress of each rack with
 * everything that a resumed push requires. Written before each step.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, readFileIfExists, writeFileAtomic } from '@skolo/base/durable';
import { z } from 'zod';
import { RackPlan } from './plan.ts';
import { Pin } from './versions.ts';

export const Request = z.object({
  id: z.string(),
  startedAt: z.string(),
  /** `Ann <ann@example.com>` */
  by: z.string(),
  why: z.string(),
  services: z.array(z.string()),
  version: z.string().exactOptional(),
  /** Rolls each rack back to the versions before its last push. */
  isRollback: z.boolean(),
  racks: z.array(z.string()),
  canaries: z.number(),
  soakMs: z.number(),
  onFailure: z.enum(['stop', 'continue']),
});
export type Request = z.infer<typeof Request>;

/** `waiting` and the states up to `rolling-back` are steps that a resumed push repeats. */
const RackState = z.enum([
  'waiting',
  'rolling-out',
  'pruning',
  'committing',
  'rolling-back',
  'done',
  'rolled-back',
  /** It is between two versions. */
  'broken',
  /** Nothing was changed: the plan failed, or another rack did. */
  'not-begun',
]);
type RackState = z.infer<typeof RackState>;

export const RackRecord = z.object({
  rack: z.string(),
  state: RackState,
  /** Versions that the push sets. */
  pins: z.array(Pin),
  /** Those before. */
  previous: z.array(Pin),
  plan: RackPlan.exactOptional(),
  /** What Prometheus reported before the first change; absent: it did not respond. */
  health: z.string().exactOptional(),
  /** The rack's last push when this one was planned. */
  after: z.string().exactOptional(),
  /** Why it failed or was not started. */
  why: z.string().exactOptional(),
  commit: z.string().exactOptional(),
  at: z.string(),
});
export type RackRecord = z.infer<typeof RackRecord>;

/** A rack for which nothing has been prepared. @param at ISO 8601 */
export function newRecord(rack: string, at: string): RackRecord {
  return { rack, state: 'waiting', pins: [], previous: [], at };
}

export interface PushRecord {
  request: Request;
  racks: RackRecord[];
}

const ended: readonly RackState[] = ['done', 'rolled-back', 'broken', 'not-begun'];

export function hasEnded({ state }: RackRecord): boolean {
  return ended.includes(state);
}

const kept = 50;

/** @param folder the directory of all records, which is created if it does not exist */
export function openRecords(folder: string) {
  const requestFile = (id: string) => join(folder, id, 'push.json');
  const rackFile = (id: string, rack: string) => join(folder, id, `rack-${rack}.json`);

  async function ids(): Promise<string[]> {
    const entries = await readdir(folder).catch(() => []);
    return entries.sort();
  }

  async function read(id: string): Promise<PushRecord | undefined> {
    const text = await readFileIfExists(requestFile(id));
    if (text === undefined) return undefined;
    const request = Request.parse(JSON.parse(text));
    const racks: RackRecord[] = [];
    for (const rack of request.racks) {
      const saved = await readFileIfExists(rackFile(id, rack));
      // The workstation may have died before it wrote the first one.
      racks.push(
        saved === undefined
          ? newRecord(rack, request.startedAt)
          : RackRecord.parse(JSON.parse(saved)),
      );
    }
    return { request, racks };
  }

  return {
    read,
    /** Newest last. */
    async all(): Promise<PushRecord[]> {
      const records = await Promise.all((await ids()).map(read));
      return records.filter((record) => record !== undefined);
    },
    async create(request: Request): Promise<void> {
      await makeFolder(join(folder, request.id));
      await writeFileAtomic(requestFile(request.id), JSON.stringify(request));
      // With a clock that was set back, it is not the last one.
      const others = (await ids()).filter((id) => id !== request.id);
      for (const old of others.slice(0, -kept)) {
        await rm(join(folder, old), { recursive: true, force: true });
      }
    },
    async save(id: string, record: RackRecord): Promise<void> {
      await writeFileAtomic(rackFile(id, record.rack), JSON.stringify(record));
    },
    /** Of a push that was not confirmed. */
    async remove(id: string): Promise<void> {
      await rm(join(folder, id), { recursive: true, force: true });
    },
  };
}
export type Records = ReturnType<typeof openRecords>;
