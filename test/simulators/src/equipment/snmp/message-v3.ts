/** The envelope of SNMP version 3: RFC 3412 (message), RFC 3414 (security parameters). */
import { BerReader, encode, encodeInteger, encodeOctets, tags } from './ber.ts';
import { encodePdu, type Pdu, readPdu } from './pdu.ts';
import type { EngineTime, LocalUser } from './usm.ts';

const flags = { auth: 1, priv: 2, reportable: 4 } as const;
const userSecurityModel = 3;

export interface MessageV3 {
  id: number;
  largestAnswer: number;
  signed: boolean;
  encrypted: boolean;
  reportable: boolean;
  engineId: Buffer;
  clock: EngineTime;
  user: string;
  digest: Buffer;
  /** Where the digest is in the message. */
  digestAt: number;
  salt: Buffer;
  /** The scoped PDU, encrypted or not. */
  body: Buffer;
}

/** What comes behind the version. */
export function readV3(reader: BerReader): MessageV3 {
  const header = reader.sequence();
  const id = header.integer();
  const largestAnswer = header.integer();
  const [flag = 0] = header.octets();
  if (header.integer() !== userSecurityModel) throw new RangeError('unknown security model');
  const wrapped = reader.read(tags.octets);
  const security = new BerReader(wrapped.content, wrapped.start).sequence();
  const engineId = security.octets();
  const clock = { boots: security.integer(), time: security.integer() };
  const user = security.octets().toString();
  const { content: digest, start: digestAt } = security.read(tags.octets);
  const salt = security.octets();
  const encrypted = (flag & flags.priv) !== 0;
  const body = encrypted
    ? reader.octets()
    : encode(tags.sequence, reader.read(tags.sequence).content);
  return {
    id,
    largestAnswer,
    signed: (flag & flags.auth) !== 0,
    encrypted,
    reportable: (flag & flags.reportable) !== 0,
    engineId,
    clock,
    user,
    digest,
    digestAt,
    salt,
    body,
  };
}

export interface ScopedPdu {
  context: string;
  pdu: Pdu;
}

export function readScoped(body: Buffer): ScopedPdu {
  const scoped = new BerReader(body).sequence();
  scoped.octets();
  return { context: scoped.octets().toString(), pdu: readPdu(scoped) };
}

interface Answer {
  id: number;
  engineId: Buffer;
  clock: EngineTime;
  /** Absent: neither signed nor encrypted, as reports to strangers are. */
  user?: LocalUser;
  encrypts: boolean;
  pdu: Pdu;
}

export function encodeV3({ id, engineId, clock, user, encrypts, pdu }: Answer): Buffer {
  const plain = encode(tags.sequence, encodeOctets(engineId), encodeOctets(''), encodePdu(pdu));
  const { encrypted, salt } =
    user && encrypts ? user.encrypt(plain, clock) : { encrypted: undefined, salt: '' };
  const flag = (user ? flags.auth : 0) | (encrypted ? flags.priv : 0);
  const digest = Buffer.alloc(user?.digestLength ?? 0);
  const saltField = encodeOctets(salt);
  const body = encrypted ? encodeOctets(encrypted) : plain;
  const message = encode(
    tags.sequence,
    encodeInteger(3),
    encode(
      tags.sequence,
      encodeInteger(id),
      encodeInteger(65_507),
      encodeOctets(Buffer.from([flag])),
      encodeInteger(userSecurityModel),
    ),
    encodeOctets(
      encode(
        tags.sequence,
        encodeOctets(engineId),
        encodeInteger(clock.boots),
        encodeInteger(clock.time),
        encodeOctets(user?.name ?? ''),
        encodeOctets(digest),
        saltField,
      ),
    ),
    body,
  );
  // Everything behind the digest has a known length, so its place is counted from the end.
  const digestAt = message.length - body.length - saltField.length - digest.length;
  user?.digest(message).copy(message, digestAt);
  return message;
}
