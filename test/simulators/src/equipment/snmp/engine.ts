/** The user-based security model of version 3, from the side of the one who is asked: RFC 3414, section 3.2. */
import { randomBytes } from 'node:crypto';
import { encodeV3, type MessageV3, readScoped, type ScopedPdu } from './message-v3.ts';
import { type Pdu, pduTypes } from './pdu.ts';
import { type EngineTime, LocalUser, type SnmpUser } from './usm.ts';

/** Counters of SNMP-USER-BASED-SM-MIB, whose number a report gives. */
const stats = {
  unsupportedSecurityLevels: 1,
  notInTimeWindows: 2,
  unknownUserNames: 3,
  unknownEngineIds: 4,
  wrongDigests: 5,
  decryptionErrors: 6,
} as const;

const timeWindowSeconds = 150;

/** A request that may be answered, or the report that says why not; nothing where even that is forbidden. */
type Opened =
  | { user: LocalUser; scoped: ScopedPdu; encrypted: boolean }
  | { report: Buffer }
  | undefined;

export class SnmpEngine {
  /** RFC 3411: an enterprise's number (0, reserved), format 5: octets. */
  private readonly id = Buffer.concat([Buffer.from('8000000005', 'hex'), randomBytes(8)]);
  private readonly users: readonly SnmpUser[];
  /** Their keys take a while to make. */
  private readonly locals = new WeakMap<SnmpUser, LocalUser>();
  private boots = 1;
  private started = performance.now();

  constructor(users: readonly SnmpUser[]) {
    this.users = users;
  }

  /** Somebody may have given it another key meanwhile. */
  private find(name: string): LocalUser | undefined {
    const user = this.users.find((each) => each.name === name);
    if (user === undefined) return undefined;
    const local = this.locals.get(user) ?? new LocalUser(user, this.id);
    this.locals.set(user, local);
    return local;
  }

  /** As after a power failure: one boot more, and time from 0. */
  restart(): void {
    this.boots += 1;
    this.started = performance.now();
  }

  /** `locked`: no password is right. */
  open(whole: Buffer, message: MessageV3, locked: boolean): Opened {
    const reject = (stat: keyof typeof stats, signer?: LocalUser): Opened =>
      message.reportable ? { report: this.report(message, stats[stat], signer) } : undefined;
    const { signed, encrypted, digest, digestAt, clock } = message;
    if (!message.engineId.equals(this.id)) return reject('unknownEngineIds');
    const user = this.find(message.user);
    if (!user) return reject('unknownUserNames');
    if (signed !== true || encrypted !== user.encrypts) return reject('unsupportedSecurityLevels');
    if (locked || !user.isAuthentic(whole, digestAt, digest)) return reject('wrongDigests');
    const now = this.now();
    if (clock.boots !== now.boots || Math.abs(clock.time - now.time) > timeWindowSeconds) {
      return reject('notInTimeWindows', user);
    }
    try {
      const body = encrypted ? user.decrypt(message.body, clock, message.salt) : message.body;
      return { user, scoped: readScoped(body), encrypted };
    } catch {
      return reject('decryptionErrors', user);
    }
  }

  /** Wraps an answer as its request was wrapped. */
  seal(message: MessageV3, user: LocalUser, encrypts: boolean, pdu: Pdu): Buffer {
    return encodeV3({ id: message.id, engineId: this.id, clock: this.now(), user, encrypts, pdu });
  }

  private report(message: MessageV3, stat: number, user?: LocalUser): Buffer {
    const oid = `1.3.6.1.6.3.15.1.1.${stat}.0`;
    const pdu: Pdu = {
      type: pduTypes.report,
      requestId: 0,
      errorStatus: 0,
      errorIndex: 0,
      varbinds: [{ oid, value: { type: 'counter', value: 1 } }],
    };
    const signer = user && { user };
    return encodeV3({
      id: message.id,
      engineId: this.id,
      clock: this.now(),
      ...signer,
      encrypts: false,
      pdu,
    });
  }

  private now(): EngineTime {
    return { boots: this.boots, time: Math.floor((performance.now() - this.started) / 1000) };
  }
}
