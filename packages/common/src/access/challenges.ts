/**
 * Issues challenges for signatures, and decides when a signed request is too old, or a repetition: a challenge is valid once, for a minute
 * of the computer's uptime, independently of the wall clock.
 */
import { createHmac, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import {
  challengeHeader,
  nonceOf,
  type Receiver,
  signatureInput,
  whyNotSigned,
} from '@skolo/api/signature';
import { HttpProblem } from '../http/response/problem.ts';
import type { Clock } from '../process/clock.ts';

const validSeconds = 60;
/** Maximum number of used ones that are stored for a machine. A few per minute are usual. */
const mostUsed = 1000;
/** Uptime, random bytes and the code of both: 32 bytes are 43 characters of base64url. */
const [uptimeBytes, randomCount, codeBytes] = [8, 8, 16];

/** Issuing challenges takes no memory, because each one contains evidence that it was issued since the program started. */
export class Challenges {
  private readonly clock: Pick<Clock, 'uptime'>;
  private readonly secret = randomBytes(32);
  /** By machine, so that one that signs endlessly does not affect others. With the uptime at which each expires. */
  private readonly used = new Map<string, Map<string, number>>();

  constructor(clock: Pick<Clock, 'uptime'>) {
    this.clock = clock;
  }

  /** Response header: the next challenge. */
  headers(): Record<string, string> {
    return { [challengeHeader]: signatureInput(this.issue()) };
  }

  /**
   * Accepts a signed request once.
   *
   * @returns `Content-Digest` of its body, which is not read yet
   * @throws HttpProblem 401: it is not signed by this key for this receiver, with a valid challenge; 429
   */
  verify(request: IncomingMessage, whom: Receiver & { key: KeyObject }): string {
    const nonce = nonceOf(request.headers['signature-input']?.toString());
    if (nonce === undefined) throw unsigned('the format of Signature-Input is wrong');
    const why = this.whyNot(nonce, whom.machine) ?? whyNotSigned(request, whom, nonce);
    if (why !== undefined) throw unsigned(why);
    this.use(nonce, whom.machine);
    return `${request.headers['content-digest']}`;
  }

  issue(): string {
    const content = Buffer.alloc(uptimeBytes + randomCount);
    content.writeDoubleBE(this.clock.uptime());
    randomBytes(randomCount).copy(content, uptimeBytes);
    return Buffer.concat([content, this.codeOf(content)]).toString('base64url');
  }

  /** Why it is invalid; undefined if it is valid. */
  whyNot(challenge: string, machine: string): string | undefined {
    const bytes = Buffer.from(challenge, 'base64url');
    const content = bytes.subarray(0, -codeBytes);
    const code = bytes.subarray(-codeBytes);
    const isOurs =
      content.length === uptimeBytes + randomCount && timingSafeEqual(code, this.codeOf(content));
    if (!isOurs) return 'this program has not issued the challenge since it last started';
    if (this.used.get(machine)?.has(challenge)) return 'the challenge has already been used';
    const age = this.clock.uptime() - content.readDoubleBE();
    return age > validSeconds ? `the challenge is older than ${validSeconds} s` : undefined;
  }

  /**
   * Stores a valid challenge with a correct signature, so only owners of the key take memory.
   *
   * @throws HttpProblem 429: too many recently. None is deleted before it expires, because it could be used again.
   */
  use(challenge: string, machine: string): void {
    const now = this.clock.uptime();
    const used = this.used.get(machine) ?? new Map<string, number>();
    for (const [each, until] of used) if (until < now) used.delete(each);
    if (used.size >= mostUsed) {
      throw new HttpProblem(
        429,
        `more than ${mostUsed} signed requests within a minute; send fewer`,
        {
          headers: { 'retry-after': `${validSeconds}` },
        },
      );
    }
    this.used.set(machine, used.set(challenge, now + validSeconds));
  }

  private codeOf(content: Buffer): Buffer {
    return createHmac('sha256', this.secret).update(content).digest().subarray(0, codeBytes);
  }
}

export function unsigned(detail: string): HttpProblem {
  return new HttpProblem(401, detail, { headers: { 'www-authenticate': 'Signature' } });
}
