/**
 * Reads and sets values over SNMP, versions 1, 2c and 3. One session per call, closed at its end.
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
import type { Recorded, Talk } from '../stream/transcript.ts';
import { afterLateMs, BatchSize, deadlineMs, isMany, patientMs, requestMs } from './batches.ts';
import type { DialDatagrams } from './datagrams.ts';
import {
  isNoSuchName,
  isOfVariable,
  isTimeout,
  isTooBig,
  missing,
  silence,
  snmpError,
} from './errors.ts';
import { type OpenSnmp, openSnmp } from './session.ts';
import { NoSnmp } from './socket.ts';
import { type Ask, BulkFailed, walkSubtree } from './walk.ts';

/** An integer, or the text of an OCTET STRING. */
export type SnmpValue = number | string;

interface Snmp {
  /**
   * Values by object. Omits those that the device does not have or cannot read, or whose values are of another type.
   *
   * @param maybe optional objects: whatever happens to them, the others are returned. Alone, they only require a response
   * @throws DeviceError Among others, if all of `oids` are missing; or the signal's reason
   */
  read(
    oids: readonly string[],
    maybe: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, SnmpValue>>;
  /**
   * Integers and texts below an object, by the rest of their OIDs.
   *
   * @throws DeviceError, or the signal's reason
   */
  walk(root: string, signal: AbortSignal): Promise<ReadonlyMap<string, number | Buffer>>;
  /** @throws DeviceError, or the signal's reason */
  write(oid: string, value: SnmpValue, signal: AbortSignal): Promise<void>;
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
  const [size, maybeSize] = [new BatchSize(), new BatchSize()];
  let usesBulk = true;
  const { onTranscript } = deps;
  const talk: Talk = { kind: 'snmp' };
  const heard = (varbinds: readonly Varbind[]) => {
    const rows = varbinds.filter((varbind) => !isVarbindError(varbind)).map(rowOf);
    if (rows.length > 0) onTranscript?.('device', rows.join(''), talk);
  };
  /** `performance.now()` before which optional objects are not requested, because the device fell silent at them. */
  let maybeFrom = 0;

  async function inSession<T>(signal: AbortSignal, work: SnmpWork<T>): Promise<T> {
    const as = <R>(credentials: Credentials, ask: SnmpWork<R>) =>
      askAs(device, openSnmp(device, credentials, deps.datagrams), { signal, heard }, ask);
    const credentials = await answeredOf(await deps.credentials(), (each) =>
      as(each, (ask) => get(ask, [upTime])),
    );
    return await withAnyOf(credentials, (each) => as(each, work));
  }

  return recorded(deps, talk, {
    async read(oids, maybe, signal) {
      return await inSession(signal, async (ask) => {
        const found = new Map<string, SnmpValue>();
        const failure = await readList(ask, size, oids, found);
        const [first] = oids;
        if (first !== undefined && found.size === 0) throw failure ?? missing(device, first);
        if (performance.now() < maybeFrom) return found;
        // Apart, because an agent may respond with an error, nonsense or not at all if it fails at one of them.
        await readList(ask, maybeSize, maybe, found).catch((error: unknown) => {
          signal.throwIfAborted();
          if (found.size === 0) throw error;
          if (error instanceof DeviceTimeout) maybeFrom = performance.now() + patientMs;
        });
        return found;
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
      const type = typeof value === 'number' ? ObjectType.Integer : ObjectType.OctetString;
      const varbind = { oid, type, value };
      const once = { timeoutMs: requestMs, isRepeated: false };
      await inSession(signal, async (ask) => {
        const varbinds = await ask((session, done) => session.set([varbind], done), once);
        inOrder([oid], varbinds);
      });
    },
  });
}

/** A walk is recorded as one line, although it takes several requests. A dry read returns 1 for each object. */
function recorded({ onTranscript, dry }: Recorded, talk: Talk, snmp: Snmp): Snmp {
  const say = (text: string) => onTranscript?.('us', `snmp ${text}\n`, talk);
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
      say(`set ${oid} ${JSON.stringify(value)}`);
      if (!dry) await snmp.write(oid, value, signal);
    },
  };
}

/** As snmpsim writes it: a text as it is, other bytes in hexadecimal. */
function rowOf({ oid, type = ObjectType.Null, value }: Varbind): string {
  if (!Buffer.isBuffer(value)) return `${oid}|${type}|${value ?? ''}\n`;
  const text = value.toString('latin1');
  const isText = type === ObjectType.OctetString && /^[ -~]*$/.test(text);
  return `${oid}|${type}${isText ? `|${text}` : `x|${value.toString('hex')}`}\n`;
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
  { signal, heard }: { signal: AbortSignal; heard: (varbinds: readonly Varbind[]) => void },
  work: SnmpWork<T>,
): Promise<T> {
  const ask: Ask = async (start, { timeoutMs, isRepeated }) => {
    // Each request copies the session's settings when it is created.
    const timeout = isRepeated ? timeoutMs / 2 : timeoutMs;
    Object.assign(open.session, { timeout, retries: isRepeated ? 1 : 0 });
    const late = () => silence(name, open.version, timeoutMs, open.stranger());
    try {
      const varbinds = await withDeadline({ ms: timeoutMs, late, signal }, (limit) =>
        answerOf(open, start, limit),
      );
      heard(varbinds);
      return varbinds;
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

async function get(
  ask: Ask,
  oids: readonly string[],
  timeoutMs = deadlineMs(oids.length),
): Promise<(Varbind | undefined)[]> {
  // An agent that is slow with many variables would have to answer all of them twice.
  const isRepeated = !isMany(oids.length);
  const start: Start = (session, done) => session.get([...oids], done);
  return inOrder(oids, await ask(start, { timeoutMs, isRepeated }));
}

/** The answer to each of `oids`; undefined: there is none. Some agents append `.0` to their names. @throws NoSnmp It is about others. */
function inOrder(oids: readonly string[], varbinds: readonly Varbind[]): (Varbind | undefined)[] {
  const named = new Map(varbinds.map((varbind) => [varbind.oid, varbind]));
  const found = oids.map((oid) => named.get(oid) ?? named.get(`${oid}.0`));
  if (found.some((varbind) => varbind !== undefined)) return found;
  throw new NoSnmp('the response is about other objects than those that were requested');
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
      if (isOfVariable(error)) return await eachOf(ask, batch, error);
      if (!(error instanceof DeviceTimeout)) throw error;
      size.late(count);
      if (!isMany(count)) throw error;
      // It may be slow, or silent: a single variable shows which.
      const one = batch.slice(0, 1);
      return { batch: one, varbinds: await get(ask, one, afterLateMs) };
    }
  }
}

/** One by one, after an error about one of them, of which it is not certain which. */
async function eachOf(ask: Ask, batch: readonly string[], error: unknown): Promise<Answered> {
  if (batch.length === 1) return { batch, varbinds: [], failure: error };
  const varbinds: (Varbind | undefined)[] = [];
  let failure: unknown;
  for (const oid of batch) {
    try {
      varbinds.push(...(await get(ask, [oid])));
    } catch (why) {
      if (!isOfVariable(why)) throw why;
      varbinds.push(undefined);
      failure ??= why;
    }
  }
  return { batch, varbinds, failure };
}

/** Returns the first error about one of them, unless it only says that it is missing. */
async function readList(
  ask: Ask,
  size: BatchSize,
  oids: readonly string[],
  found: Map<string, SnmpValue>,
): Promise<unknown> {
  let first: unknown;
  for (let left = oids; left.length > 0; ) {
    const { batch, varbinds, failure } = await getSome(ask, size, left);
    if (!isNoSuchName(failure)) first ??= failure;
    for (const [index, oid] of batch.entries()) {
      const varbind = varbinds[index];
      if (varbind === undefined || isVarbindError(varbind)) continue;
      const { type, value } = varbind;
      if (typeof value === 'number') found.set(oid, value);
      else if (type === ObjectType.OctetString && Buffer.isBuffer(value))
        found.set(oid, value.toString('latin1'));
    }
    left = left.slice(batch.length);
  }
  return first;
}

interface Answered {
  batch: readonly string[];
  /** Undefined: it is missing. */
  varbinds: readonly (Varbind | undefined)[];
  /** The first error about one of them. */
  failure?: unknown;
}

async function answerOf(open: OpenSnmp, start: Start, limit: AbortSignal): Promise<Varbind[]> {
  const answer = new Promise<Varbind[]>((resolve, reject) => {
    limit.addEventListener('abort', () => reject(limit.reason));
    start(open.session, (error, varbinds = []) => (error ? reject(error) : resolve(varbinds)));
  });
  return await Promise.race([answer, open.broken]);
}
