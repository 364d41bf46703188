/** Reads everything below an object, row by row: many rows per request if the version supports it. */
import { type GetSetCallback, isVarbindError, type Session, type Varbind } from 'net-snmp';
import { memory } from '../budget/memory.ts';
import { DeviceRejected } from '../errors.ts';
import { deadlineMs, requestMs } from './batches.ts';
import { isNoSuchName } from './errors.ts';

type Start = (session: Session, done: GetSetCallback) => void;
/** Sends a request, and returns the response. */
export type Ask = (
  start: Start,
  how: { timeoutMs: number; isRepeated: boolean },
) => Promise<Varbind[]>;

const rowsAtOnce = 16;
/** More than the table of a large switch. */
const mostRows = 20_000;
/** Of all its indices and texts together. */
const mostBytes = 4 * 1024 * 1024;

/**
 * Integers and texts below `root`, by the rest of their OIDs. Empty: the device has nothing there.
 *
 * @throws DeviceError, or the signal's reason
 */
export async function walkSubtree(
  ask: Ask,
  device: string,
  root: string,
  version: 1 | 2 | 3,
): Promise<Map<string, number | Buffer>> {
  // At most 4 MiB, which is rarely the largest.
  const share = memory.open(device, () => undefined);
  const found = new Map<string, number | Buffer>();
  let bytes = 0;
  try {
    for (let last = root; ; ) {
      const varbinds = await next(ask, last, version);
      const rows = varbinds.filter((varbind) => isBeneath(varbind, root));
      const before = bytes;
      for (const { oid, value } of rows) {
        if (!isBehind(oid, last)) {
          throw new DeviceRejected(device, `the table ${root} loops at ${oid}`);
        }
        last = oid;
        const index = oid.slice(root.length + 1);
        if (typeof value === 'number') found.set(index, value);
        // A copy: the value is a view of its datagram, which would otherwise be kept.
        if (Buffer.isBuffer(value)) found.set(index, Buffer.from(value));
        bytes += index.length + (Buffer.isBuffer(value) ? value.length : 0);
      }
      // An agent that stops early in one request continues in the next.
      if (rows.length === 0 || rows.length < varbinds.length) return found;
      share.grow(bytes - before);
      if (found.size > mostRows || bytes > mostBytes) {
        const most = found.size > mostRows ? `${mostRows} rows` : '4 MiB';
        throw new DeviceRejected(device, `the table ${root} has more than ${most}`);
      }
    }
  } finally {
    share.release();
  }
}

async function next(ask: Ask, oid: string, version: 1 | 2 | 3): Promise<Varbind[]> {
  if (version !== 1) {
    const how = { timeoutMs: deadlineMs(rowsAtOnce), isRepeated: true };
    return await ask(
      (session, done) =>
        session.getBulk([oid], 0, rowsAtOnce, (error, rows) => done(error, rows?.flat())),
      how,
    );
  }
  try {
    const how = { timeoutMs: requestMs, isRepeated: true };
    return await ask((session, done) => session.getNext([oid], done), how);
  } catch (error) {
    // Version 1's way to say that nothing follows.
    if (isNoSuchName(error)) return [];
    throw error;
  }
}

function isBeneath(varbind: Varbind, root: string): boolean {
  return !isVarbindError(varbind) && varbind.oid.startsWith(`${root}.`);
}

/** Whether an OID is greater than another. */
function isBehind(oid: string, other: string): boolean {
  const [one, two] = [oid, other].map((each) => each.split('.').map(Number));
  for (const [index, part] of (one ?? []).entries()) {
    const against = two?.[index];
    if (against === undefined) return true;
    if (part !== against) return part > against;
  }
  return false;
}
