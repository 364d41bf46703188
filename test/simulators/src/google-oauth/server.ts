import type { IncomingMessage, ServerResponse } from 'node:http';
import { CallLog } from '../cloud/call-log.ts';
import { ScriptedAnswers, type ScriptOptions } from '../cloud/scripted.ts';
import { type Answer, send, WebServer } from '../cloud/web-server.ts';
import type { Relay } from '../relay.ts';
import type { RefreshGrant, SubjectGrant } from './accounts.ts';
import { type Arrived, claimedBy, receive } from './arrived.ts';
import type { Call, Endpoint } from './calls.ts';
import { Google } from './google.ts';
import { generateAccessToken, generateIdToken } from './iam-credentials-endpoint.ts';
import type { IssuedToken } from './ledger.ts';
import { oauthError, Rejection } from './rejection.ts';
import type { ServiceAccountKey } from './service-account-key.ts';
import { stsEndpoint } from './sts-endpoint.ts';
import { tokenEndpoint } from './token-endpoint.ts';

const tokenEndpoints: readonly Endpoint[] = [
  'token',
  'sts',
  'generateAccessToken',
  'generateIdToken',
];

export interface GoogleOAuthOptions {
  /** Wall clock, milliseconds since 1970; the computer's when absent. */
  clock?: { now(): number };
}

/**
 * Starts a server on 127.0.0.1 that behaves as the token side of Google: `POST /token`, `POST /v1/token`, IAM
 * credentials and the published signing keys, each as its file tells. It keeps books, so that a test can ask the
 * issuer whether a token is good, and answers what a test scripts.
 */
export async function startGoogleOAuth(options: GoogleOAuthOptions = {}): Promise<GoogleOAuth> {
  const started = new GoogleOAuth(options);
  await started.open();
  return started;
}

/** Google's token side on loopback; see `startGoogleOAuth`. */
export class GoogleOAuth {
  private readonly google: Google;
  private readonly log = new CallLog<Call>();
  private readonly scripted = new ScriptedAnswers<Answer, Endpoint>();
  private readonly server: WebServer;

  constructor({ clock = Date }: GoogleOAuthOptions) {
    this.google = new Google(() => clock.now());
    this.server = new WebServer((request, response) => this.serve(request, response));
  }

  /** @internal */
  async open(): Promise<void> {
    await this.server.open();
    this.google.tokenUrl = this.tokenUrl;
  }

  /** Puts a relay in front of it, which has its addresses from now on. */
  async behindRelay(): Promise<Relay> {
    const relay = await this.server.behindRelay();
    this.google.tokenUrl = this.tokenUrl;
    return relay;
  }

  /** `http://127.0.0.1:PORT`, also the `endpoint` of google-auth-library's `Impersonated`. */
  get url(): string {
    return this.server.url;
  }

  /** `token_uri` of a service account's key, `endpoints.oauth2TokenUrl` of a refresh client. */
  get tokenUrl(): string {
    return `${this.url}/token`;
  }

  /** `token_url` of an external account's configuration. */
  get stsUrl(): string {
    return `${this.url}/v1/token`;
  }

  /** X.509 certificates by key id. */
  get certsUrl(): string {
    return `${this.url}/oauth2/v1/certs`;
  }

  /** `service_account_impersonation_url` of an external account's configuration. */
  impersonationUrl(email: string): string {
    return `${this.url}/v1/projects/-/serviceAccounts/${email}:generateAccessToken`;
  }

  /** Knows the key, and its account, from now on. */
  addServiceAccountKey(key: ServiceAccountKey): void {
    this.google.accounts.addKey(key);
  }

  /** Forgets a key, as after `gcloud iam service-accounts keys delete`. */
  removeServiceAccountKey(keyId: string): void {
    this.google.accounts.removeKey(keyId);
  }

  addRefreshToken(grant: RefreshGrant): void {
    this.google.accounts.refreshGrants.push(grant);
  }

  addSubjectToken(grant: SubjectGrant): void {
    this.google.accounts.subjectGrants.push(grant);
  }

  /** Lets `actor` (an e-mail, or a `principal://…`) act as the service account `email`, which is made when missing. */
  allowImpersonation(actor: string, email: string): void {
    this.google.accounts.serviceAccount(email).impersonators.add(actor);
  }

  /** A disabled account gets nothing, and what it has is good no more. */
  setDisabled(email: string, disabled: boolean): void {
    this.google.accounts.serviceAccount(email).disabled = disabled;
  }

  /** Every request so far, oldest first. */
  get calls(): readonly Call[] {
    return this.log.calls;
  }

  /** Resolves once this many requests have arrived, at these endpoints where given. */
  async callsSeen(count: number, ...endpoints: Endpoint[]): Promise<void> {
    await this.log.seen(
      count,
      ({ endpoint }) => endpoints.length === 0 || endpoints.includes(endpoint),
    );
  }

  /** Every token handed out, oldest first. */
  get issued(): readonly IssuedToken[] {
    return this.google.ledger.issued;
  }

  /** Whether Google would take this token at this moment, for `scope` where given. */
  isValid(token: string, scope?: string): boolean {
    return this.google.isValid(token, scope);
  }

  /** Life of access tokens; 3599, as Google's, until it is set. */
  set tokenLifeSeconds(seconds: number) {
    this.google.tokenLifeSeconds = seconds;
  }

  /** Answers the next calls for tokens with this; what was scripted earlier comes first. */
  script(answer: Answer, options: ScriptOptions<Endpoint> = {}): void {
    this.scripted.add(answer, { at: tokenEndpoints, ...options });
  }

  /** Answers as Google does again. */
  behave(): void {
    this.scripted.clear();
  }

  async close(): Promise<void> {
    await this.server.close();
    this.google.signingKeys.close();
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { google, log } = this;
    const arrived = await receive(request);
    const call: Call = {
      at: new Date(google.now()),
      endpoint: arrived.endpoint,
      method: arrived.method,
      path: arrived.path,
      ...claimedBy(google, arrived),
    };
    log.arrive(call);
    // Clients compare it with their own clock.
    response.setHeader('date', new Date(google.now()).toUTCString());
    response.setHeader('cache-control', 'no-cache, no-store, max-age=0, must-revalidate');
    const answer = this.scripted.next(call.endpoint) ?? answerTo(google, arrived, call);
    call.status = answer.status;
    send(response, answer);
  }
}

/** The answer to a request, errors included. */
function answerTo(google: Google, arrived: Arrived, call: Call): Answer {
  try {
    return dispatch(google, arrived);
  } catch (error) {
    if (!(error instanceof Rejection)) throw error;
    call.rejection = error.reason;
    return error.answer;
  }
}

function dispatch(google: Google, arrived: Arrived): Answer {
  switch (arrived.endpoint) {
    case 'token':
      return tokenEndpoint(google, checkedForm(arrived));
    case 'sts':
      return stsEndpoint(google, checkedForm(arrived));
    case 'generateAccessToken':
      return generateAccessToken(google, arrived.impersonation());
    case 'generateIdToken':
      return generateIdToken(google, arrived.impersonation());
    case 'certs':
      return google.signingKeys.certificates();
    case 'unknown':
      return { status: 404, body: '<!DOCTYPE html>\n<title>Error 404 (Not Found)!!1</title>\n' };
  }
}

function checkedForm({ contentType, form }: Arrived): URLSearchParams {
  if (!contentType.startsWith('application/x-www-form-urlencoded')) {
    throw oauthError('invalid_request', `Unsupported content type: ${contentType}`);
  }
  return form;
}
