/** Reads everything below an object: many rows per request, or row by row. */
import { type GetSetCallback, isVarbindError, type Session, type Varbind } from 'net-snmp';
import { memory } from '../budget/memory.ts';
import { DeviceRejected, SignInRejected } from '../errors.ts';
import { deadlineMs, requestMs } from './batches.ts';
import { isNoSuchName, snmpError } from './errors.ts';

type Start = (session: Session, done: GetSetCallback) => void;
/** Sends a request, and returns the response. */
export type Ask = (
  start: Start,
  how: { timeoutMs: number; isRepeated: boolean },
) => Promise<Varbind[]>;

const rowsAtOnce = 16;
/** More than the table of a large switch. */
const mostRows = 20_000;
/** Limit of all its indices and texts together. */
const mostBytes = 4 * 1024 * 1024;

/** The agent may still answer requests for one row: many lack GETBULK (snmp_exporter issue 469), or encode its answers wrongly. */
export class BulkFailed extends Error {}

/**
 * Integers and texts below `root`, by the rest of their OIDs. Empty: the device has nothing there.
 *
 * @param isBulk requests many rows at a time, which version 1 does not support
 * @throws BulkFailed, DeviceError, or the signal's reason
 */
export async function walkSubtree(
  ask: Ask,
  device: string,
  root: string,
  isBulk: boolean,
): Promise<Map<string, number | Buffer>> {
  // At most 4 MiB, which is rarely the largest.
  const share = memory.open(device, () => undefined);
  const found = new Map<string, number | Buffer>();
  const seen = new Set<string>();
  let bytes = 0;
  try {
    for (let last = root; ; ) {
      const varbinds = await next(ask, device, last, isBulk);
      const rows = varbinds.filter((varbind) => isBeneath(varbind, root));
      const before = bytes;
      for (const { oid, value } of rows) {
        const index = oid.slice(root.length + 1);
        // Some tables are not in order (librenms issue 14808); one that ends is complete all the same.
        if (seen.has(index)) throw new DeviceRejected(device, `the table ${root} loops at ${oid}`);
        seen.add(index);
        last = oid;
        if (typeof value === 'number') found.set(index, value);
        // A copy: the value is a view of its datagram, which would otherwise be kept.
        if (Buffer.isBuffer(value)) found.set(index, Buffer.from(value));
        bytes += index.length + (Buffer.isBuffer(value) ? value.length : 0);
      }
      // An agent that stops early in one request continues in the next.
      if (rows.length === 0 || rows.length < varbinds.length) return found;
      share.grow(bytes - before);
      if (seen.size > mostRows || bytes > mostBytes) {
        const most = seen.size > mostRows ? `${mostRows} rows` : '4 MiB';
        throw new DeviceRejected(device, `the table ${root} has more than ${most}`);
      }
    }
  } finally {
    share.release();
  }
}

async function next(ask: Ask, device: string, oid: string, isBulk: boolean): Promise<Varbind[]> {
  if (isBulk) {
    const how = { timeoutMs: deadlineMs(rowsAtOnce), isRepeated: true };
    const bulk: Start = (session, done) =>
      session.getBulk([oid], 0, rowsAtOnce, (error, rows) => done(error, rows?.flat()));
    return await ask(bulk, how).catch((error: unknown) => {
      const why = snmpError(device, error);
      throw why === undefined || why instanceof SignInRejected ? error : new BulkFailed();
    });
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
