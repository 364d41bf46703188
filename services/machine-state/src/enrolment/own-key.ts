/** Key and certificate of the endpoint. Cards pin the key, so it never changes. */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import { join } from 'node:path';
import { sha256Bytes } from '@skolo/base';
import { makeFolder, readFileIfExists, writeFileAtomic } from '@skolo/base/durable';

interface OwnKey {
  key: string;
  cert: string;
  /** In curl's format: `sha256//…`. */
  pin: string;
}

/** Generates it at the first start. @throws FileNotWritten @throws Error The file is not a key. */
export async function ownKey(stateDir: string): Promise<OwnKey> {
  const folder = join(stateDir, 'enrolment');
  const file = join(folder, 'key.pem');
  let key = (await readFileIfExists(file))?.toString();
  if (key === undefined) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    await makeFolder(folder);
    await writeFileAtomic(file, key);
  }
  const privateKey = createPrivateKey(key);
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const pin = `sha256//${sha256Bytes(spki).toString('base64')}`;
  return { key, cert: certificateOf(privateKey, spki), pin };
}

/**
 * Self-signed: TLS requires some certificate, and a card compares only its public key. So it is also valid in 1970, the year in which a
 * Raspberry Pi may start. Source: RFC 5280.
 */
function certificateOf(privateKey: KeyObject, spki: Buffer): string {
  const ecdsaWithSha256 = Buffer.from('300a06082a8648ce3d040302', 'hex');
  const commonName = Buffer.from('0603550403', 'hex');
  const name = der(
    0x30,
    der(0x31, der(0x30, commonName, der(0x0c, Buffer.from('skolo enrolment')))),
  );
  const version3 = Buffer.from('a003020102', 'hex');
  const serial = sha256Bytes(spki).subarray(0, 8);
  serial[0] = 0x40;
  const utc = (text: string) => der(0x17, Buffer.from(text));
  const valid = der(0x30, utc('700101000000Z'), utc('491231235959Z'));
  const content = [version3, der(0x02, serial), ecdsaWithSha256, name, valid, name, spki];
  const signed = der(0x30, ...content);
  const signature = sign('sha256', signed, privateKey);
  const whole = der(0x30, signed, ecdsaWithSha256, der(0x03, Buffer.from([0]), signature));
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** Tag, length, content. */
function der(tag: number, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const { length } = body;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
}
