/**
 * A self-signed X.509 certificate (RFC 5280), because Google publishes its signing keys as certificates
 * and node:crypto reads but does not make them.
 */
import { createHash, type KeyObject, sign } from 'node:crypto';

const sequence = 0x30;
const set = 0x31;
const integer = 0x02;
const bitString = 0x03;
const utf8String = 0x0c;
const utcTime = 0x17;
const generalizedTime = 0x18;
const commonNameOid = Buffer.from('0603550403', 'hex');
/** sha256WithRSAEncryption (1.2.840.113549.1.1.11) with its NULL parameters. */
const sha256WithRsa = Buffer.from('300d06092a864886f70d01010b0500', 'hex');

interface Subject {
  publicKey: KeyObject;
  privateKey: KeyObject;
  commonName: string;
  notBefore: Date;
  notAfter: Date;
}

/** The certificate as PEM. */
export function selfSignedCertificate(subject: Subject): string {
  const spki = subject.publicKey.export({ type: 'spki', format: 'der' });
  // A positive serial number that differs from key to key.
  const serial = createHash('sha256').update(spki).digest().subarray(0, 8);
  serial[0] = 0x40 | ((serial[0] ?? 0) & 0x3f);
  const name = der(
    sequence,
    der(set, der(sequence, commonNameOid, der(utf8String, Buffer.from(subject.commonName)))),
  );
  const toBeSigned = der(
    sequence,
    der(integer, serial),
    sha256WithRsa,
    name,
    der(sequence, time(subject.notBefore), time(subject.notAfter)),
    name,
    spki,
  );
  const signature = sign('sha256', toBeSigned, subject.privateKey);
  const certificate = der(
    sequence,
    toBeSigned,
    sha256WithRsa,
    der(bitString, Buffer.from([0]), signature),
  );
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** One DER element: tag, length, content. */
function der(tag: number, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content);
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  const significant = length.subarray(length.findIndex((byte) => byte !== 0));
  return Buffer.concat([Buffer.from([tag, 0x80 | significant.length]), significant, body]);
}

/** RFC 5280, 4.1.2.5: two digits of the year until 2049, four from then on. */
function time(date: Date): Buffer {
  const text = `${date.toISOString().replace(/\.\d+Z$|[-:T]/g, '')}Z`;
  return date.getUTCFullYear() < 2050
    ? der(utcTime, Buffer.from(text.slice(2)))
    : der(generalizedTime, Buffer.from(text));
}
