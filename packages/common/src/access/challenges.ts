/** Challenges for signatures. They are valid once, and for a minute of the computer's uptime: no wall clock counts. */
import { createHmac, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import {
  challengeHeader,
  nonceOf,
  type Receiver,
  signatureInput,
  whyNotSigned,
} from '@skolo/api/signature';
import { HttpProblem } from '../http/problem.ts';
import type { Clock } from '../process/clock.ts';

const validSeconds = 60;
/** Used ones that are remembered for a machine. A few in a minute are usual. */
const mostUsed = 1000;
/** Uptime, random bytes and the code of both: 32 bytes are 43 characters of base64url. */
const [uptimeBytes, randomCount, codeBytes] = [8, 8, 16];

/** Whoever asks for many costs no memory: a challenge proves by itself that it is of this start of the program. */
export class Challenges {
  private readonly clock: Pick<Clock, 'uptime'>;
  private readonly secret = randomBytes(32);
  /** By machine: who signs without end takes nothing from others. With the uptime when each is no longer valid. */
  private readonly used = new Map<string, Map<string, number>>();

  constructor(clock: Pick<Clock, 'uptime'>) {
    this.clock = clock;
  }

  /** Of an answer: the next challenge. */
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

  /** Why it is not valid; undefined: it is. */
  whyNot(challenge: string, machine: string): string | undefined {
    const bytes = Buffer.from(challenge, 'base64url');
    const content = bytes.subarray(0, -codeBytes);
    const code = bytes.subarray(-codeBytes);
    const isOurs =
      content.length === uptimeBytes + randomCount && timingSafeEqual(code, this.codeOf(content));
    if (!isOurs) return 'the challenge was issued before the program restarted';
    if (this.used.get(machine)?.has(challenge)) return 'the challenge has already been used';
    const age = this.clock.uptime() - content.readDoubleBE();
    return age > validSeconds ? `the challenge is older than ${validSeconds} s` : undefined;
  }

  /**
   * Remembers a valid one whose signature holds, so only who has the key takes memory.
   *
   * @throws HttpProblem 429: too many of late. None is forgotten before its time, because it could be used again.
   */
  use(challenge: string, machine: string): void {
    const now = this.clock.uptime();
    const used = this.used.get(machine) ?? new Map<string, number>();
    for (const [each, until] of used) if (until < now) used.delete(each);
    if (used.size >= mostUsed) {
      throw new HttpProblem(429, `${mostUsed} signed requests within a minute; send fewer`, {
        headers: { 'retry-after': `${validSeconds}` },
      });
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
