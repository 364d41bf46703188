/** `start` and `resume` are the two requests of a resumable upload; `insert` is any other. */
const operations = [
  'insert',
  'start',
  'resume',
  'get',
  'media',
  'list',
  'update',
  'delete',
  'unknown',
] as const;
export type Operation = (typeof operations)[number];

/** One request that reached the simulator, good or bad. */
export interface StorageCall {
  operation: Operation;
  method: string;
  /** With its query. */
  path: string;
  bucket?: string;
  object?: string;
  /** Of the Authorization header. */
  token?: string;
  /** Absent as long as there is no answer. */
  status?: number;
}
