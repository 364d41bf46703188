/**
 * Pauses between the sign-ins that a device rejects. Many devices lock an account after a few of them, and this account
 * may be the only one that can turn an outlet on again. One for each controller and its login, across all work: after a
 * rejected sign-in nothing contacts the device for minutes, unless the login or one of its secrets was changed.
 */
import { createHmac, randomBytes } from 'node:crypto';
import type { Clock } from '@skolo/common';
import { SignInRefused } from '@skolo/equipment';
import { type Credentials, secretsOf } from '@skolo/secrets';

/** The device was not contacted. */
export class SignInPaused extends SignInRefused {}

interface SignInPauseDeps {
  /** The login as it is now. */
  credentials(): Promise<Credentials>;
  clock: Pick<Clock, 'now' | 'uptime'>;
}

export interface RejectedSignIns {
  times: number;
  /** Of the first one, milliseconds since 1970. */
  since: number;
  /** Milliseconds since 1970. */
  nextAt: number;
}

/** After the first rejected sign-in, the second, and each later one. */
const pauseSeconds = [120, 300, 600] as const;
const longestSeconds = 600;
/** So that what is kept of a password is useless, even in a dump of the memory. */
const ownKey = randomBytes(32);

export class SignInPause {
  private readonly deps: SignInPauseDeps;
  private state:
    | { times: number; since: number; nextUptime: number; login: string | undefined; why: string }
    | undefined;

  constructor(deps: SignInPauseDeps) {
    this.deps = deps;
  }

  /** Undefined: the last sign-in was accepted. */
  get rejected(): RejectedSignIns | undefined {
    if (this.state === undefined) return undefined;
    const { times, since, nextUptime } = this.state;
    const { clock } = this.deps;
    const left = Math.max(0, nextUptime - clock.uptime());
    return { times, since, nextAt: clock.now() + left * 1000 };
  }

  /** @throws SignInPaused It is not yet time for another attempt. */
  async beforeAttempt(device: string): Promise<void> {
    const { state, rejected } = this;
    if (state === undefined || rejected === undefined) return;
    if (this.deps.clock.uptime() >= state.nextUptime) return;
    if ((await this.login()) !== state.login) return;
    throw new SignInPaused(device, this.text(state.why, rejected));
  }

  /** Gives the error as people are to read it. */
  async rejectedBy(error: SignInRefused): Promise<SignInRefused> {
    const { clock } = this.deps;
    const login = await this.login();
    const isSame = this.state !== undefined && this.state.login === login;
    const times = isSame ? (this.state?.times ?? 0) + 1 : 1;
    const since = isSame ? (this.state?.since ?? clock.now()) : clock.now();
    const pause = pauseSeconds[times - 1] ?? longestSeconds;
    const prefix = `${error.device}: `;
    const why = error.message.startsWith(prefix)
      ? error.message.slice(prefix.length)
      : error.message;
    this.state = { times, since, nextUptime: clock.uptime() + pause, login, why };
    const nextAt = clock.now() + pause * 1000;
    const text = this.text(why, { times, since, nextAt });
    return new SignInRefused(error.device, text, { cause: error });
  }

  accepted(): void {
    this.state = undefined;
  }

  private text(why: string, { times, since, nextAt }: RejectedSignIns): string {
    const often = times === 1 ? 'once' : `${times} times`;
    return `${why}; sign-in was rejected ${often} since ${time(since)}, the next attempt is at ${time(nextAt)}, or once its login or secret is changed`;
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

function time(ms: number): string {
  return new Date(ms).toISOString();
}
