/** Keys, digests and encryption of SNMP version 3: RFC 3414 (MD5, SHA), RFC 7860 (SHA-2), RFC 3826 (AES). */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';

export interface SnmpUser {
  name: string;
  access: 'read' | 'write';
  authProtocol: AuthProtocol;
  authKey: string;
  /** With AES-128. Absent: messages are signed, and not encrypted. */
  privKey?: string;
}

/** Node's name of each hash, and how many bytes of a digest travel. */
const hashes = {
  md5: { name: 'md5', bytes: 12 },
  sha: { name: 'sha1', bytes: 12 },
  sha224: { name: 'sha224', bytes: 16 },
  sha256: { name: 'sha256', bytes: 24 },
  sha384: { name: 'sha384', bytes: 32 },
  sha512: { name: 'sha512', bytes: 48 },
} as const;
export type AuthProtocol = keyof typeof hashes;

/** An engine's clock, as it travels in each message. */
export interface EngineTime {
  boots: number;
  time: number;
}

/** A user with the keys for one engine: RFC 3414, appendix A.2. */
export class LocalUser {
  readonly name: string;
  readonly access: SnmpUser['access'];
  readonly encrypts: boolean;
  readonly digestLength: number;
  private readonly hash: string;
  private readonly authKey: Buffer;
  private readonly privKey: Buffer;

  constructor({ name, access, authProtocol, authKey, privKey }: SnmpUser, engineId: Buffer) {
    this.name = name;
    this.access = access;
    this.encrypts = privKey !== undefined;
    this.digestLength = hashes[authProtocol].bytes;
    this.hash = hashes[authProtocol].name;
    this.authKey = localKey(this.hash, authKey, engineId);
    this.privKey = localKey(this.hash, privKey ?? authKey, engineId).subarray(0, 16);
  }

  /** Over the whole message, its field for the digest all zeros. */
  digest(message: Buffer): Buffer {
    return createHmac(this.hash, this.authKey)
      .update(message)
      .digest()
      .subarray(0, this.digestLength);
  }

  /** `at` is where the digest is in the message. */
  isAuthentic(message: Buffer, at: number, digest: Buffer): boolean {
    if (digest.length !== this.digestLength) return false;
    const blank = Buffer.from(message);
    blank.fill(0, at, at + digest.length);
    return timingSafeEqual(this.digest(blank), digest);
  }

  encrypt(plain: Buffer, clock: EngineTime): { encrypted: Buffer; salt: Buffer } {
    const salt = randomBytes(8);
    const cipher = createCipheriv('aes-128-cfb', this.privKey, initialVector(clock, salt));
    return { encrypted: Buffer.concat([cipher.update(plain), cipher.final()]), salt };
  }

  /** What comes out is nonsense when the key is not the same. @throws When the salt is no salt. */
  decrypt(encrypted: Buffer, clock: EngineTime, salt: Buffer): Buffer {
    const decipher = createDecipheriv('aes-128-cfb', this.privKey, initialVector(clock, salt));
    return Buffer.concat([decipher.update(encrypted), decipher.final()]);
  }
}

function localKey(hash: string, password: string, engineId: Buffer): Buffer {
  const key = createHash(hash)
    .update(Buffer.alloc(1024 * 1024, password))
    .digest();
  return createHash(hash).update(key).update(engineId).update(key).digest();
}

function initialVector({ boots, time }: EngineTime, salt: Buffer): Buffer {
  const clock = Buffer.alloc(8);
  clock.writeUInt32BE(boots, 0);
  clock.writeUInt32BE(time, 4);
  return Buffer.concat([clock, salt]);
}
