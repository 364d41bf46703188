/** What an agent answers to a request: RFC 3416, section 4.2; to version 1 as RFC 3584, section 4.4 translates it. */
import type { SnmpMib } from './mib.ts';
import { type ErrorStatus, errors, type Pdu, pduTypes, type Varbind } from './pdu.ts';

interface Asked {
  version: 1 | 2 | 3;
  mayWrite: boolean;
  /** Says yes to each write and does nothing. */
  ignoreWrites: boolean;
  /** Bytes that the variables of an answer may take. */
  room: number;
}

/** The answer; nothing to a kind of request that the version does not know. */
export function respond(mib: SnmpMib, request: Pdu, asked: Asked): Pdu | undefined {
  switch (request.type) {
    case pduTypes.get:
      return fit(asked, request, get(mib, request, asked));
    case pduTypes.getNext:
      return fit(asked, request, getNext(mib, request, asked));
    case pduTypes.getBulk:
      return asked.version === 1 ? undefined : getBulk(mib, request, asked.room);
    case pduTypes.set:
      return set(mib, request, asked);
    default:
      return undefined;
  }
}

function get(mib: SnmpMib, request: Pdu, { version }: Asked): Pdu {
  const varbinds = request.varbinds.map(({ oid }) => ({ oid, value: mib.read(oid) }));
  const missing = varbinds.findIndex(({ value }) => value.type.startsWith('noSuch'));
  if (version === 1 && missing >= 0) return failed(request, errors.noSuchName, missing);
  return answered(request, varbinds);
}

function getNext(mib: SnmpMib, request: Pdu, { version }: Asked): Pdu {
  const varbinds = request.varbinds.map(({ oid }) => following(mib, oid));
  const ended = varbinds.findIndex(({ value }) => value.type === 'endOfMibView');
  if (version === 1 && ended >= 0) return failed(request, errors.noSuchName, ended);
  return answered(request, varbinds);
}

function getBulk(mib: SnmpMib, request: Pdu, room: number): Pdu {
  const { varbinds: asked, errorStatus: once, errorIndex: times } = request;
  const varbinds = asked.slice(0, once).map(({ oid }) => following(mib, oid));
  let row = asked.slice(once).map(({ oid }) => oid);
  for (let round = 0; round < times && row.length > 0; round += 1) {
    const found = row.map((oid) => following(mib, oid));
    if (size([...varbinds, ...found]) > room) break;
    varbinds.push(...found);
    if (found.every(({ value }) => value.type === 'endOfMibView')) break;
    row = found.map(({ oid }) => oid);
  }
  return answered(request, varbinds);
}

function set(mib: SnmpMib, request: Pdu, { version, mayWrite, ignoreWrites }: Asked): Pdu {
  for (const [index, { oid, value }] of request.varbinds.entries()) {
    const status = mayWrite ? mib.check(oid, value) : errors.noAccess;
    if (status !== errors.noError) {
      return failed(request, version === 1 ? ofVersion1(status) : status, index);
    }
  }
  for (const { oid, value } of ignoreWrites ? [] : request.varbinds) mib.commit(oid, value);
  return answered(request, request.varbinds);
}

function ofVersion1(status: ErrorStatus): ErrorStatus {
  const bad = status === errors.wrongType || status === errors.wrongValue;
  return bad ? errors.badValue : errors.noSuchName;
}

function following(mib: SnmpMib, oid: string): Varbind {
  return mib.next(oid) ?? { oid, value: { type: 'endOfMibView' } };
}

/** An answer that does not fit into one message is none, and says so. */
function fit({ version, room }: Asked, request: Pdu, answer: Pdu): Pdu {
  if (size(answer.varbinds) <= room) return answer;
  const tooBig = failed(request, errors.tooBig, -1);
  return version === 1 ? tooBig : { ...tooBig, varbinds: [] };
}

/** About: what a variable takes beside its text, and no number of an OID takes more than three bytes. */
function size(varbinds: readonly Varbind[]): number {
  return varbinds
    .map(({ oid, value }) => oid.length + ('value' in value ? String(value.value).length : 0) + 8)
    .reduce((sum, bytes) => sum + bytes, 0);
}

function answered({ requestId }: Pdu, varbinds: Varbind[]): Pdu {
  return { type: pduTypes.response, requestId, errorStatus: 0, errorIndex: 0, varbinds };
}

function failed({ requestId, varbinds }: Pdu, status: ErrorStatus, index: number): Pdu {
  return {
    type: pduTypes.response,
    requestId,
    errorStatus: status,
    errorIndex: index + 1,
    varbinds,
  };
}
