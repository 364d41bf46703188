/**
 * Asking and telling devices over SNMP, versions 1, 2c and 3. One UDP socket for each call, closed at its end.
 *
 * A question is sent again once when its answer is late; a command never is: some switches take longer than anybody waits to
 * apply one (net-snmp issue 194, Netgear GS724TP), and "reboot" twice is two reboots. What counts is read back by the caller.
 * A missing instance is an error here; to net-snmp it is none, and fence_apc_snmp takes it for "off".
 */
import { DeviceRefused } from '@skolo/equipment';
import type { InfrastructureDevice } from '@skolo/rack';
import {
  type GetSetCallback,
  isVarbindError,
  ObjectType,
  type Session,
  type Varbind,
} from 'net-snmp';
import type { DriverDeps } from '../drivers/driver.ts';
import { withinTime } from './deadline.ts';
import { isNoSuchName, isTooBig, missing, silence, snmpError } from './snmp-errors.ts';
import { type OpenSnmp, openSnmp, type Times } from './snmp-session.ts';

export interface Snmp {
  /**
   * Integers by object. Those of `maybe` that the device does not have are not among them.
   *
   * @throws DeviceError Among others, when one of `oids` is missing; or the signal's reason
   */
  read(
    oids: readonly string[],
    maybe: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, number>>;
  /** Sets an integer. @throws DeviceError, or the signal's reason */
  write(oid: string, value: number, signal: AbortSignal): Promise<void>;
}

type Device = Pick<InfrastructureDevice, 'name' | 'model' | 'address' | 'ports'>;
type Start = (session: Session, done: GetSetCallback) => void;
type Ask = (start: Start) => Promise<Varbind[]>;

const timeoutMs = 5000;
/** Variables of a request: as many answers fit into the smallest message that an agent must be able to send (484 bytes). */
const mostAtOnce = 16;

export function snmpTo(device: Device, deps: Pick<DriverDeps, 'credentials'>): Snmp {
  async function inSession<T>(
    times: Times,
    signal: AbortSignal,
    work: (ask: Ask, version: OpenSnmp['version']) => Promise<T>,
  ): Promise<T> {
    const { name } = device;
    const open = openSnmp(device, await deps.credentials(), times);
    const late = () => silence(name, open.version, timeoutMs);
    const ask: Ask = (start) =>
      withinTime(timeoutMs, late, signal, (limit) => answerOf(open, start, limit));
    try {
      return await work(ask, open.version);
    } catch (error) {
      throw snmpError(name, error) ?? error;
    } finally {
      open.close();
    }
  }

  return {
    async read(oids, maybe, signal) {
      return await inSession(
        { timeout: timeoutMs / 2, retries: 1 },
        signal,
        async (ask, version) => {
          // In version 1 one missing object takes the whole answer away: what may be missing is asked for apart.
          const lists = version === 1 ? [oids, maybe] : [[...oids, ...maybe]];
          const found = new Map<string, number>();
          for (const batch of lists.flatMap((list) => inPieces(list, mostAtOnce))) {
            for (const [oid, value] of await readBatch(device, ask, batch, maybe)) {
              found.set(oid, value);
            }
          }
          return found;
        },
      );
    },
    async write(oid, value, signal) {
      const varbind = { oid, type: ObjectType.Integer, value };
      await inSession({ timeout: timeoutMs, retries: 0 }, signal, (ask) =>
        ask((session, done) => session.set([varbind], done)),
      );
    },
  };
}

async function answerOf(open: OpenSnmp, start: Start, limit: AbortSignal): Promise<Varbind[]> {
  const answer = new Promise<Varbind[]>((resolve, reject) => {
    limit.addEventListener('abort', () => reject(limit.reason));
    start(open.session, (error, varbinds = []) => (error ? reject(error) : resolve(varbinds)));
  });
  return await Promise.race([answer, open.broken]);
}

async function readBatch(
  device: Device,
  ask: Ask,
  oids: readonly string[],
  maybe: readonly string[],
): Promise<[string, number][]> {
  let varbinds: Varbind[];
  try {
    varbinds = await ask((session, done) => session.get([...oids], done));
  } catch (error) {
    if (isNoSuchName(error) && oids.every((oid) => maybe.includes(oid))) return [];
    if (!isTooBig(error) || oids.length === 1) throw error;
    const halves = inPieces(oids, Math.ceil(oids.length / 2));
    const read: [string, number][] = [];
    for (const half of halves) read.push(...(await readBatch(device, ask, half, maybe)));
    return read;
  }
  return oids.flatMap((oid, index) => {
    const varbind = varbinds[index];
    if (varbind === undefined || isVarbindError(varbind)) {
      if (maybe.includes(oid)) return [];
      throw missing(device, oid);
    }
    const { value } = varbind;
    if (typeof value === 'number') return [[oid, value] as [string, number]];
    throw new DeviceRefused(device.name, `its object ${oid} is no number`);
  });
}

function inPieces<T>(list: readonly T[], size: number): T[][] {
  const count = Math.ceil(list.length / size);
  return Array.from({ length: count }, (_, n) => list.slice(n * size, (n + 1) * size));
}
