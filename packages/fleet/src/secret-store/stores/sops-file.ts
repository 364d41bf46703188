/**
 * A file in sops 3's format for any content (its "binary" store): JSON with the content encrypted with AES-256-GCM
 * and its own data key, which is encrypted with age for each recipient. `sops decrypt FILE.sops` prints the content,
 * and `sops edit FILE.sops` changes it. Source: getsops/sops v3.13.3, aes/cipher.go, sops.go, stores/json, age/keysource.go.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { errorText, parseJson } from '@skolo/base';
import { Secret } from '@skolo/base/secrets';
import { armor, Decrypter, Encrypter } from 'age-encryption';
import { z } from 'zod';
import { StoreError } from '../errors.ts';

const SopsFile = z.looseObject({
  data: z.string(),
  sops: z.looseObject({
    age: z.array(z.looseObject({ recipient: z.string(), enc: z.string() })).default([]),
    lastmodified: z.iso.datetime({ offset: true }),
    mac: z.string(),
    version: z.string(),
    mac_only_encrypted: z.boolean().default(false),
  }),
});
type SopsFile = z.output<typeof SopsFile>;

/** Facts about a file without decrypting it. */
interface SopsHeader {
  recipients: string[];
  /** Milliseconds since 1970. */
  changedAt: number;
}

/** The sops version of this format. */
const version = '3.13.3';
const dataPath = 'data:';
/** sha256 of `sops`: the start of a MAC over encrypted values only. */
const macSeed = createHash('sha256').update('sops').digest();

/**
 * The text of an encrypted file.
 *
 * @param now milliseconds since 1970
 * @throws StoreError A recipient is invalid.
 */
export async function sealSops(
  secret: Secret,
  recipients: readonly string[],
  now: number,
): Promise<string> {
  const key = randomBytes(32);
  const content = secret.reveal();
  const lastmodified = new Date(now).toISOString().replace(/\.\d+Z$/, 'Z');
  const mac = createHash('sha512').update(content).digest('hex').toUpperCase();
  const file = {
    data: sealValue(content, key, dataPath),
    sops: {
      age: await Promise.all(
        recipients.map(async (recipient) => ({ recipient, enc: await wrapKey(key, recipient) })),
      ),
      lastmodified,
      mac: sealValue(mac, key, lastmodified),
      unencrypted_suffix: '_unencrypted',
      version,
    },
  };
  return `${JSON.stringify(file, null, '\t')}\n`;
}

/**
 * The content of a file.
 *
 * @param where for people: the file
 * @throws StoreError No identity decrypts it, or it is damaged.
 */
export async function openSops(
  text: string,
  identities: readonly Secret[],
  where: string,
): Promise<Secret> {
  const { data, sops } = parse(text, where);
  const key = await unwrapKey(sops.age, identities, where);
  const content = openValue(data, key, dataPath, where);
  const mac = openValue(sops.mac, key, sops.lastmodified, where).toString();
  const hash = createHash('sha512');
  if (sops.mac_only_encrypted) hash.update(macSeed);
  if (hash.update(content).digest('hex').toUpperCase() !== mac) throw damaged(where);
  return new Secret(content.toString());
}

/** @throws StoreError It is damaged. */
export function sopsHeader(text: string, where: string): SopsHeader {
  const { sops } = parse(text, where);
  return {
    recipients: sops.age.map(({ recipient }) => recipient),
    changedAt: Date.parse(sops.lastmodified),
  };
}

function parse(text: string, where: string): SopsFile {
  const { data } = SopsFile.safeParse(parseJson(text));
  if (data !== undefined) return data;
  throw new StoreError(
    `${where}: not a sops file with binary content; restore it from git, or encrypt it again with skolo secrets set`,
  );
}

function damaged(where: string): StoreError {
  return new StoreError(
    `${where}: the file is damaged or was changed manually; restore it from git`,
  );
}

async function wrapKey(key: Uint8Array, recipient: string): Promise<string> {
  const encrypter = new Encrypter();
  try {
    encrypter.addRecipient(recipient);
  } catch (cause) {
    throw new StoreError(`${recipient}: not an age recipient; fix .sops.yaml`, { cause });
  }
  return armor.encode(await encrypter.encrypt(key));
}

async function unwrapKey(
  wrapped: SopsFile['sops']['age'],
  identities: readonly Secret[],
  where: string,
): Promise<Uint8Array> {
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity.reveal());
  for (const { enc } of wrapped) {
    try {
      const key = await decrypter.decrypt(armor.decode(enc));
      if (key.length === 32) return key;
    } catch (error) {
      // Not for this workstation, but the next may be.
      if (!errorText(error).startsWith('no identity matched')) throw damaged(where);
    }
  }
  const whom = wrapped.map(({ recipient }) => recipient).join(', ') || 'nobody';
  throw new StoreError(
    `${where}: none of your age identities can decrypt this file, which is encrypted for ${whom}; set SOPS_AGE_KEY_FILE, or ask one of these recipients to run skolo secrets set`,
  );
}

function sealValue(plain: string, key: Uint8Array, path: string): string {
  const iv = randomBytes(32);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(path));
  const data = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]).toString('base64');
  const parts = [`data:${data}`, `iv:${iv.toString('base64')}`];
  return `ENC[AES256_GCM,${parts},tag:${cipher.getAuthTag().toString('base64')},type:str]`;
}

const sealed =
  /^ENC\[AES256_GCM,data:(?<data>[^,]+),iv:(?<iv>[^,]+),tag:(?<tag>[^,]+),type:(str|bytes)\]$/;

function openValue(value: string, key: Uint8Array, path: string, where: string): Buffer {
  const { data = '', iv = '', tag = '' } = sealed.exec(value)?.groups ?? {};
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(iv, 'base64'), {
      authTagLength: 16,
    })
      .setAAD(Buffer.from(path))
      .setAuthTag(Buffer.from(tag, 'base64'));
    return Buffer.concat([decipher.update(data, 'base64'), decipher.final()]);
  } catch {
    throw damaged(where);
  }
}
