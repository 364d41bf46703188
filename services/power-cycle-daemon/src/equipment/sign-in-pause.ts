/**
 * Decides how long a switch or PDU is left alone after it has rejected a sign-in (wrong password). Many devices lock an account after a
 * few rejections, and this account may be the only one that can turn an outlet on again. One per controller and login, shared by all
 * work: after a rejected sign-in, the device is not contacted for minutes, unless the login or one of its secrets has changed.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { isoTime } from '@skolo/base';
import { type Credentials, secretsOf } from '@skolo/base/secrets';
import type { Clock } from '@skolo/common';
import { SignInRejected } from '@skolo/equipment/transports';

interface SignInPauseDeps {
  /** The current login. */
  credentials(): Promise<Credentials>;
  clock: Pick<Clock, 'now' | 'uptime'>;
}

interface Rejected {
  times: number;
  /** Of the first rejection, milliseconds since 1970. */
  since: number;
  /** Seconds since boot. */
  nextUptime: number;
  /** The rejected login, as returned by `login()`. */
  login: string | undefined;
  why: string;
}

/** After the first rejected sign-in, the second, and each later one. */
const pauseSeconds = [120, 300, 600] as const;
const longestSeconds = 600;
/** So that what is stored of a password is useless, even in a memory dump. */
const ownKey = randomBytes(32);

export class SignInPause {
  private readonly deps: SignInPauseDeps;
  private rejected: Rejected | undefined;

  constructor(deps: SignInPauseDeps) {
    this.deps = deps;
  }

  /** Whether the device rejected the last sign-in. */
  get isRejected(): boolean {
    return this.rejected !== undefined;
  }

  /** @throws SignInRejected It is too early for another attempt: the device was not contacted. */
  async beforeAttempt(equipment: string): Promise<void> {
    const { rejected } = this;
    if (rejected === undefined || this.deps.clock.uptime() >= rejected.nextUptime) return;
    if ((await this.login()) !== rejected.login) return;
    throw new SignInRejected(equipment, this.text(rejected));
  }

  /** Returns the error as shown to people. */
  async rejectedBy(error: SignInRejected): Promise<SignInRejected> {
    const { clock } = this.deps;
    const login = await this.login();
    const previous = this.rejected?.login === login ? this.rejected : undefined;
    const { times, since } = previous ?? { times: 0, since: clock.now() };
    const nextUptime = clock.uptime() + (pauseSeconds[times] ?? longestSeconds);
    const prefix = `${error.device}: `;
    const { message } = error;
    const why = message.startsWith(prefix) ? message.slice(prefix.length) : message;
    this.rejected = { times: times + 1, since, nextUptime, login, why };
    return new SignInRejected(error.device, this.text(this.rejected), { cause: error });
  }

  accepted(): void {
    this.rejected = undefined;
  }

  private text({ why, times, since, nextUptime }: Rejected): string {
    const { clock } = this.deps;
    const nextAt = clock.now() + Math.max(0, nextUptime - clock.uptime()) * 1000;
    const often = times === 1 ? 'once' : `${times} times`;
    return `${why}; sign-in has been rejected ${often} since ${isoTime(since)}; the next attempt is at ${isoTime(nextAt)}, or as soon as its login or secret changes`;
  }

  /** Undefined: a secret cannot be read. */
  private async login(): Promise<string | undefined> {
    const credentials = await this.deps.credentials().catch(() => undefined);
    if (credentials === undefined) return undefined;
    const { username, legacySsh, snmp } = credentials;
    const { version, user, authProtocol, privProtocol } = snmp ?? {};
    const parts = [username, legacySsh, version, user, authProtocol, privProtocol];
    const content = JSON.stringify([parts, secretsOf(credentials)]);
    return createHmac('sha256', ownKey).update(content).digest('hex');
  }
}
