/** Decides who may post alerts: requests with the password or token of rack.yaml, from the current file. */
import { timingSafeEqual } from 'node:crypto';
import { errorText, sha256Bytes } from '@skolo/base';
import { readSecret, Secret, SecretFile, type SecretRef, secretPath } from '@skolo/base/secrets';
import type { AlertToPubsubSettings, Rack } from '@skolo/rack';
import type { EmitAlertEvent } from '../events.ts';
import { Rejection } from './rejection.ts';

interface ReceiverAuthDeps {
  rack: () => Pick<Rack, 'dir'>;
  settings: () => Pick<AlertToPubsubSettings, 'auth'>;
  emit: EmitAlertEvent;
}

type Settings = AlertToPubsubSettings['auth'];

export class ReceiverAuth {
  private readonly deps: ReceiverAuthDeps;
  private readonly files = new Map<string, SecretFile<Secret>>();

  constructor(deps: ReceiverAuthDeps) {
    this.deps = deps;
  }

  /**
   * Accepts a request with the right credentials.
   *
   * @throws Rejection 401; or 503 for every request, while a secret is missing or cannot be read.
   */
  async check(authorization: string | undefined): Promise<void> {
    const { auth } = this.deps.settings();
    const { username, password, bearer } = auth;
    const isOpen = username === undefined && password === undefined && bearer === undefined;
    if (isOpen) return this.report(undefined);
    if (!isOneOf(await this.wanted(auth), authorization)) throw wrong(auth, authorization);
  }

  /** The accepted values of the header. */
  private async wanted({ username, password, bearer }: Settings): Promise<string[]> {
    if ((username === undefined) !== (password === undefined)) {
      const missing = username === undefined ? 'username' : 'password';
      const why = `\`services.alert-to-pubsub.auth\` in rack.yaml does not set \`${missing}\``;
      throw this.closed(new Error(why));
    }
    try {
      const values: string[] = [];
      if (username !== undefined && password !== undefined) {
        values.push(basic(username, (await this.read(password)).reveal()));
      }
      if (bearer !== undefined) values.push(`bearer ${(await this.read(bearer)).reveal()}`);
      this.report(undefined);
      return values;
    } catch (cause) {
      throw this.closed(cause);
    }
  }

  /** Reports that nobody can sign in. */
  private closed(cause: unknown): Rejection {
    const why = errorText(cause);
    this.report(`alerts are rejected: ${why}`);
    const what = `all requests are rejected: ${why}`;
    return new Rejection('secret', what, { headers: { 'retry-after': '10' }, cause });
  }

  private report(why: string | undefined) {
    this.deps.emit({ type: 'degraded', what: 'receiver secrets', why });
  }

  private async read(ref: SecretRef): Promise<Secret> {
    const rack = this.deps.rack();
    if ('env' in ref) return readSecret(rack, ref);
    const path = secretPath(rack, ref.file);
    const known = this.files.get(path) ?? new SecretFile(path, (text) => new Secret(text));
    this.files.set(path, known);
    return known.read();
  }
}

function basic(username: string, password: string): string {
  return `basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** All of them are compared, so that the time does not reveal which one matched. */
function isOneOf(wanted: readonly string[], authorization = ''): boolean {
  return wanted.map((one) => isSame(one, authorization)).includes(true);
}

/** The scheme's name in any case; the rest exactly. */
function isSame(wanted: string, authorization: string): boolean {
  const given = authorization
    .trim()
    .replace(/^\S+ +/, (scheme) => `${scheme.trim().toLowerCase()} `);
  return timingSafeEqual(sha256Bytes(wanted), sha256Bytes(given));
}

function wrong({ bearer, password }: Settings, authorization: string | undefined): Rejection {
  const schemes = [
    ...(password === undefined ? [] : ['Basic realm="alert-to-pubsub", charset="UTF-8"']),
    ...(bearer === undefined ? [] : ['Bearer realm="alert-to-pubsub"']),
  ];
  const what =
    authorization === undefined ? 'no credentials were sent' : 'the credentials are incorrect';
  return new Rejection(
    'auth',
    `${what}; in Alertmanager (http_config) or Prometheus (alertmanagers), set those from \`services.alert-to-pubsub.auth\` in rack.yaml`,
    { headers: { 'www-authenticate': schemes.join(', ') } },
  );
}
