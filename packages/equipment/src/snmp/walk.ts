/** Reading what is beneath an object, row after row: many in one request where the version allows it. */
import { type GetSetCallback, isVarbindError, type Session, type Varbind } from 'net-snmp';
import { DeviceRejected } from '../errors.ts';
import { deadlineMs, requestMs } from './batches.ts';
import { isNoSuchName } from './errors.ts';

type Start = (session: Session, done: GetSetCallback) => void;
/** Sends a request, and gives what is answered. */
export type Ask = (
  start: Start,
  how: { timeoutMs: number; isRepeated: boolean },
) => Promise<Varbind[]>;

const rowsAtOnce = 16;
/** More than the table of a large switch has. */
const mostRows = 50_000;
/** Of all its texts. */
const mostBytes = 4 * 1024 * 1024;

/**
 * Integers and texts beneath `root`, by what their objects have behind it. Empty: the device has nothing there.
 *
 * @throws DeviceError, or the signal's reason
 */
export async function walkSubtree(
  ask: Ask,
  device: string,
  root: string,
  version: 1 | 2 | 3,
): Promise<Map<string, number | Buffer>> {
  const found = new Map<string, number | Buffer>();
  let bytes = 0;
  for (let last = root; ; ) {
    const varbinds = await next(ask, last, version);
    const rows = varbinds.filter((varbind) => isBeneath(varbind, root));
    for (const { oid, value } of rows) {
      if (!isBehind(oid, last)) {
        throw new DeviceRejected(device, `its table ${root} loops at ${oid}`);
      }
      last = oid;
      const index = oid.slice(root.length + 1);
      if (typeof value === 'number') found.set(index, value);
      if (!Buffer.isBuffer(value)) continue;
      bytes += value.length;
      // A copy: the value is a part of its datagram, and would keep all of it.
      found.set(index, Buffer.from(value));
    }
    // An agent that ends early in one request goes on in the next.
    if (rows.length === 0 || rows.length < varbinds.length) return found;
    if (found.size > mostRows || bytes > mostBytes) {
      const most = found.size > mostRows ? `${mostRows} rows` : '4 MiB';
      throw new DeviceRejected(device, `its table ${root} has more than ${most}`);
    }
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
    // How version 1 says that nothing comes behind it.
    if (isNoSuchName(error)) return [];
    throw error;
  }
}

function isBeneath(varbind: Varbind, root: string): boolean {
  return !isVarbindError(varbind) && varbind.oid.startsWith(`${root}.`);
}

/** Whether an object comes after another in the order of their numbers. */
function isBehind(oid: string, other: string): boolean {
  const [one, two] = [oid, other].map((each) => each.split('.').map(Number));
  for (const [index, part] of (one ?? []).entries()) {
    const against = two?.[index];
    if (against === undefined) return true;
    if (part !== against) return part > against;
  }
  return false;
}
