/**
 * Reads and sets values over SNMP, versions 1, 2c and 3. One UDP socket per call, closed at its end.
 *
 * A read of few variables is repeated once if the response is late; a larger one is then split, see batches.ts. A command is never
 * repeated: some switches take longer than the deadline to apply one (net-snmp issue 194, Netgear GS724TP), and "reboot" twice is two
 * reboots. The caller reads back the result, because a device may report an error after switching (apc-pdu-snmp issue 18). A repeated read
 * keeps its ID, so a late response to the first counts (node-snmp-native issue 24), and a second one does not (gosnmp issue 68). A missing
 * instance has no value here; fence_apc_snmp takes it for "off".
 */

import { withDeadline } from '@skolo/base';
import type { Credentials } from '@skolo/base/secrets';
import { isVarbindError, ObjectType, type Varbind } from 'net-snmp';
import type { Access, Endpoint } from '../endpoint.ts';
import { DeviceTimeout } from '../errors.ts';
import { withAnyOf } from '../session/any-of.ts';
import type { Recorded } from '../stream/transcript.ts';
import { afterLateMs, BatchSize, deadlineMs, isMany, requestMs } from './batches.ts';
import type { DialDatagrams } from './datagrams.ts';
import { isNoSuchName, isTimeout, isTooBig, missing, silence, snmpError } from './errors.ts';
import { type OpenSnmp, openSnmp } from './session.ts';
import { type Ask, BulkFailed, walkSubtree } from './walk.ts';

export { deadlineMs };

interface Snmp {
  /**
   * Integers by object. Omits those that the device does not have, or whose values are not integers.
   *
   * @throws DeviceError Among others, if all of `oids` are missing; or the signal's reason
   */
  read(
    oids: readonly string[],
    maybe: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, number>>;
  /**
   * Integers and texts below an object, by the rest of their OIDs.
   *
   * @throws DeviceError, or the signal's reason
   */
  walk(root: string, signal: AbortSignal): Promise<ReadonlyMap<string, number | Buffer>>;
  /** Sets an integer. @throws DeviceError, or the signal's reason */
  write(oid: string, value: number, signal: AbortSignal): Promise<void>;
}

/** SNMPv2-MIB::sysUpTime. */
export const upTime = '1.3.6.1.2.1.1.3.0';

/** `model` is for messages. */
type Device = Endpoint & { model: string };
type Start = Parameters<Ask>[0];
type SnmpWork<T> = (ask: Ask, version: OpenSnmp['version']) => Promise<T>;

interface SnmpDeps extends Pick<Access, 'credentials'>, Recorded {
  /** Default: this computer's sockets. */
  datagrams?: DialDatagrams;
}

export function snmpTo(device: Device, deps: SnmpDeps): Snmp {
  const { name } = device;
  const size = new BatchSize();
  let usesBulk = true;

  async function inSession<T>(signal: AbortSignal, work: SnmpWork<T>): Promise<T> {
    const as = <R>(credentials: Credentials, ask: SnmpWork<R>) =>
      askAs(device, openSnmp(device, credentials, deps.datagrams), signal, ask);
    const credentials = await answeredOf(await deps.credentials(), (each) =>
      as(each, (ask) => get(ask, [upTime])),
    );
    return await withAnyOf(credentials, (each) => as(each, work));
  }

  return recorded(deps, {
    async read(oids, maybe, signal) {
      return await inSession(signal, async (ask, version) => {
        // In version 1, one missing object makes the whole response an error, so optional objects are requested separately.
        const lists = version === 1 ? [oids, maybe] : [[...oids, ...maybe]];
        const found = new Map<string, number>();
        for (const list of lists) await readList(ask, size, list, found);
        const [first] = oids;
        if (first === undefined || oids.some((oid) => found.has(oid))) return found;
        throw missing(device, first);
      });
    },
    async walk(root, signal) {
      const inBulk = (isBulk: boolean) =>
        inSession(signal, (ask, version) => walkSubtree(ask, name, root, isBulk && version !== 1));
      try {
        return await inBulk(usesBulk);
      } catch (error) {
        if (!(error instanceof BulkFailed)) throw error;
      }
      // In a new session: an answer that cannot be decoded ends one.
      const rows = await inBulk(false);
      usesBulk = false;
      return rows;
    },
    async write(oid, value, signal) {
      const varbind = { oid, type: ObjectType.Integer, value };
      const once = { timeoutMs: requestMs, isRepeated: false };
      await inSession(signal, (ask) => ask((session, done) => session.set([varbind], done), once));
    },
  });
}

/** A walk is recorded as one line, although it takes several requests. A dry read returns 1 for each object. */
function recorded({ onTranscript, dry }: Recorded, snmp: Snmp): Snmp {
  const say = (text: string) => onTranscript?.('us', `snmp ${text}\n`);
  return {
    async read(oids, maybe, signal) {
      say(`get ${[...oids, ...maybe].join(' ')}`);
      return dry ? new Map(oids.map((oid) => [oid, 1])) : await snmp.read(oids, maybe, signal);
    },
    async walk(root, signal) {
      say(`walk ${root}`);
      return dry ? new Map() : await snmp.walk(root, signal);
    },
    async write(oid, value, signal) {
      say(`set ${oid} ${value}`);
      if (!dry) await snmp.write(oid, value, signal);
    },
  };
}

/** Versions 1 and 2c reject a community by silence: returns the one that gets a response to a harmless request. */
async function answeredOf(
  login: Credentials,
  answers: (credentials: Credentials) => Promise<unknown>,
): Promise<Credentials> {
  const { others = [], ...first } = login;
  if (others.length === 0 || login.snmp?.community === undefined) return login;
  for (const each of [first, ...others]) {
    try {
      await answers(each);
      return each;
    } catch (error) {
      if (!(error instanceof DeviceTimeout)) return each;
    }
  }
  return first;
}

/** Runs `work` in a session, and closes it. */
async function askAs<T>(
  { name }: Device,
  open: OpenSnmp,
  signal: AbortSignal,
  work: SnmpWork<T>,
): Promise<T> {
  const ask: Ask = async (start, { timeoutMs, isRepeated }) => {
    // Each request copies the session's settings when it is created.
    const timeout = isRepeated ? timeoutMs / 2 : timeoutMs;
    Object.assign(open.session, { timeout, retries: isRepeated ? 1 : 0 });
    const late = () => silence(name, open.version, timeoutMs);
    try {
      return await withDeadline({ ms: timeoutMs, late, signal }, (limit) =>
        answerOf(open, start, limit),
      );
    } catch (error) {
      throw isTimeout(error) ? late() : error;
    }
  };
  try {
    return await work(ask, open.version);
  } catch (error) {
    throw snmpError(name, error) ?? error;
  } finally {
    open.close();
  }
}

function get(
  ask: Ask,
  oids: readonly string[],
  timeoutMs = deadlineMs(oids.length),
): Promise<Varbind[]> {
  // An agent that is slow with many variables would have to answer all of them twice.
  const isRepeated = !isMany(oids.length);
  return ask((session, done) => session.get([...oids], done), { timeoutMs, isRepeated });
}

/** Reads the first of `oids`, as many as the device answers at a time. */
async function getSome(ask: Ask, size: BatchSize, oids: readonly string[]): Promise<Answered> {
  for (;;) {
    const batch = oids.slice(0, size.current);
    const count = batch.length;
    try {
      return { batch, varbinds: await get(ask, batch) };
    } catch (error) {
      if (isTooBig(error) && count > 1) {
        size.tooBig(count);
        continue;
      }
      // Version 1 does not report which one is missing.
      if (isNoSuchName(error)) return await eachOf(ask, batch);
      if (!(error instanceof DeviceTimeout)) throw error;
      size.late(count);
      if (!isMany(count)) throw error;
      // It may be slow, or silent: a single variable shows which.
      const one = batch.slice(0, 1);
      return { batch: one, varbinds: await get(ask, one, afterLateMs) };
    }
  }
}

/** One by one. */
async function eachOf(ask: Ask, batch: readonly string[]): Promise<Answered> {
  const varbinds: (Varbind | undefined)[] = [];
  for (const oid of batch) {
    try {
      varbinds.push(...(await get(ask, [oid])));
    } catch (error) {
      if (!isNoSuchName(error)) throw error;
      varbinds.push(undefined);
    }
  }
  return { batch, varbinds };
}

async function readList(
  ask: Ask,
  size: BatchSize,
  oids: readonly string[],
  found: Map<string, number>,
): Promise<void> {
  for (let left = oids; left.length > 0; ) {
    const { batch, varbinds } = await getSome(ask, size, left);
    for (const [index, oid] of batch.entries()) {
      const varbind = varbinds[index];
      if (varbind === undefined || isVarbindError(varbind)) continue;
      if (typeof varbind.value === 'number') found.set(oid, varbind.value);
    }
    left = left.slice(batch.length);
  }
}

interface Answered {
  batch: readonly string[];
  /** Undefined: it is missing. */
  varbinds: readonly (Varbind | undefined)[];
}

async function answerOf(open: OpenSnmp, start: Start, limit: AbortSignal): Promise<Varbind[]> {
  const answer = new Promise<Varbind[]>((resolve, reject) => {
    limit.addEventListener('abort', () => reject(limit.reason));
    start(open.session, (error, varbinds = []) => (error ? reject(error) : resolve(varbinds)));
  });
  return await Promise.race([answer, open.broken]);
}
