/** Protocol data units of SNMP: RFC 1157 (version 1), RFC 3416 (versions 2c and 3). */
import {
  BerReader,
  encode,
  encodeInteger,
  encodeOctets,
  encodeOid,
  tags,
  toInteger,
  toOid,
} from './ber.ts';

export const pduTypes = {
  get: 0xa0,
  getNext: 0xa1,
  response: 0xa2,
  set: 0xa3,
  getBulk: 0xa5,
  report: 0xa8,
} as const;

export const errors = {
  noError: 0,
  tooBig: 1,
  noSuchName: 2,
  badValue: 3,
  genErr: 5,
  noAccess: 6,
  wrongType: 7,
  wrongValue: 10,
  noCreation: 11,
  authorizationError: 16,
  notWritable: 17,
} as const;
export type ErrorStatus = (typeof errors)[keyof typeof errors];

export type SnmpValue =
  | { type: 'integer' | 'counter' | 'gauge' | 'ticks'; value: number }
  | { type: 'octets'; value: string }
  | { type: 'oid'; value: string }
  | { type: 'null' | 'noSuchObject' | 'noSuchInstance' | 'endOfMibView' };

export interface Varbind {
  /** Digits and dots, no dot in front. */
  oid: string;
  value: SnmpValue;
}

export interface Pdu {
  type: number;
  requestId: number;
  /** Of getBulk: non-repeaters. */
  errorStatus: number;
  /** Of getBulk: most repetitions. */
  errorIndex: number;
  varbinds: Varbind[];
}

const numeric = ['integer', 'counter', 'gauge', 'ticks'] as const;
const empty = ['null', 'noSuchObject', 'noSuchInstance', 'endOfMibView'] as const;

export function readPdu(reader: BerReader): Pdu {
  const { tag: type, content } = reader.read();
  const fields = new BerReader(content);
  const [requestId, errorStatus, errorIndex] = [
    fields.integer(),
    fields.integer(),
    fields.integer(),
  ];
  const list = fields.sequence();
  const varbinds: Varbind[] = [];
  while (!list.atEnd) {
    const pair = list.sequence();
    varbinds.push({ oid: toOid(pair.read(tags.oid).content), value: readValue(pair) });
  }
  return { type, requestId, errorStatus, errorIndex, varbinds };
}

function readValue(reader: BerReader): SnmpValue {
  const { tag, content } = reader.read();
  const number = numeric.find((type) => tags[type] === tag);
  if (number) return { type: number, value: toInteger(content) };
  if (tag === tags.octets) return { type: 'octets', value: content.toString('latin1') };
  if (tag === tags.oid) return { type: 'oid', value: toOid(content) };
  const nothing = empty.find((type) => tags[type] === tag);
  if (nothing) return { type: nothing };
  throw new RangeError(`not expected: tag ${tag}`);
}

export function encodePdu({ type, requestId, errorStatus, errorIndex, varbinds }: Pdu): Buffer {
  const list = varbinds.map(({ oid, value }) =>
    encode(tags.sequence, encodeOid(oid), encodeValue(value)),
  );
  return encode(
    type,
    encodeInteger(requestId),
    encodeInteger(errorStatus),
    encodeInteger(errorIndex),
    encode(tags.sequence, ...list),
  );
}

function encodeValue(value: SnmpValue): Buffer {
  switch (value.type) {
    case 'octets':
      return encodeOctets(Buffer.from(value.value, 'latin1'));
    case 'oid':
      return encodeOid(value.value);
    case 'integer':
    case 'counter':
    case 'gauge':
    case 'ticks':
      return encodeInteger(value.value, tags[value.type]);
    default:
      return encode(tags[value.type]);
  }
}
