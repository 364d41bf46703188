/**
 * Signing in to Pub/Sub: with what this computer is signed in with, a key file, or the rack's own metadata server.
 *
 * The key of a service account signs its own tokens, so nothing but Pub/Sub itself has to be reachable:
 * https://google.aip.dev/auth/4111. google-auth-library asks no metadata server but that of the environment, and
 * looks for it first; that is why ours is asked here:
 * https://cloud.google.com/compute/docs/access/authenticate-workloads
 */
import { SecretError, SecretFile, SecretFormatError } from '@skolo/rack';
import type { AuthClient, GoogleAuth } from 'google-auth-library';
import { z } from 'zod';
import { SinkError } from './sinks/sink.ts';

export type PubSubCredentials = 'default' | 'metadata' | { keyFile: string };

export interface SignIn {
  /**
   * What a call is signed in with.
   *
   * @throws SinkError `credentials`; `unavailable` or `timeout` where they could not be asked for
   */
  headers(): Promise<Headers>;
  /** Of these credentials, where they say so. */
  project(): Promise<string | undefined>;
  /** They were refused: they are not to be used again as they are. */
  forget(): void;
}

const scopes = [
  'https://www.googleapis.com/auth/cloud-platform',
  'https://www.googleapis.com/auth/pubsub',
];
const servicePath = 'pubsub.googleapis.com';
const audience = `https://${servicePath}/`;

/** Where nobody asks who one is. */
export const noSignIn: SignIn = {
  headers: async () => new Headers(),
  project: async () => undefined,
  forget() {},
};

/**
 * @param metadataUrl of the rack's metadata server
 * @param withinMs how long the library may ask others for a token; by itself it waits as long as TCP does
 */
export function signIn(
  credentials: PubSubCredentials,
  metadataUrl: string | undefined,
  withinMs = 20_000,
): SignIn {
  if (credentials === 'default') return byDefaultChain(withinMs);
  if (credentials !== 'metadata') return byKeyFile(credentials.keyFile, withinMs);
  if (metadataUrl === undefined) throw new TypeError('credentials of no metadata server');
  return byMetadataServer(metadataUrl);
}

function byDefaultChain(withinMs: number): SignIn {
  let found: Promise<{ auth: GoogleAuth; client: AuthClient }> | undefined;
  async function find() {
    const auth = await googleAuth();
    return { auth, client: await auth.getClient() };
  }
  async function ask<T>(question: (found: { auth: GoogleAuth; client: AuthClient }) => Promise<T>) {
    const asked = found ?? find();
    found = asked;
    try {
      return await inTime(asked.then(question), withinMs);
    } catch (error) {
      // What is missing may be put there while we run.
      if (found === asked) found = undefined;
      throw libraryError(
        'the Google credentials of this computer',
        error,
        'set credentials in rack.yaml, or GOOGLE_APPLICATION_CREDENTIALS to a key file',
      );
    }
  }
  return {
    headers: () => ask(({ client }) => client.getRequestHeaders(audience)),
    project: () => ask(({ auth }) => auth.getProjectId().catch(() => undefined)),
    forget() {
      found = undefined;
    },
  };
}

const KeyFile = z.looseObject({ type: z.string(), project_id: z.string().exactOptional() });
type KeyFile = z.output<typeof KeyFile>;

function byKeyFile(path: string, withinMs: number): SignIn {
  const open = () => new SecretFile(path, parseKey);
  let file = open();
  let made: { key: KeyFile; client: AuthClient } | undefined;
  async function read() {
    try {
      return await file.read();
    } catch (error) {
      if (error instanceof SecretError) {
        throw new SinkError('credentials', error.code, `the key for Pub/Sub: ${error.message}`);
      }
      throw error;
    }
  }
  return {
    async headers() {
      const key = await read();
      try {
        if (made?.key !== key) made = { key, client: (await googleAuth()).fromJSON(key) };
        const { client } = made;
        return await inTime(client.getRequestHeaders(audience), withinMs);
      } catch (error) {
        // One that was not answered may never be, and the library would wait for it again.
        if (error instanceof NotInTime) made = undefined;
        throw libraryError(`the key ${path}`, error, 'put a valid key in its place');
      }
    },
    project: async () => (await read()).project_id,
    forget() {
      made = undefined;
      file = open();
    },
  };
}

function parseKey(text: string) {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // The error would quote it.
  }
  const key = KeyFile.safeParse(json);
  if (!key.success) throw new SecretFormatError('it is no key file of Google');
  return key.data;
}

const Token = z.looseObject({
  access_token: z.string().min(1),
  expires_in: z.number().positive(),
});

/** When the token has a few minutes left, the next one is asked for; not each time, if there is none yet. */
const aheadMs = 240_000;
const askAgainMs = 10_000;
const answerWithinMs = 10_000;

function byMetadataServer(url: string): SignIn {
  let token = '';
  let expires = 0;
  let renewAt = 0;
  let renewing: Promise<void> | undefined;
  async function renew() {
    const asked = performance.now();
    renewAt = asked + askAgainMs;
    const text = await askMetadata(url, 'instance/service-accounts/default/token');
    const answer = Token.safeParse(parseJson(text));
    if (!answer.success) {
      throw new SinkError('credentials', 'NO_TOKEN', `the metadata server ${url} gave no token`);
    }
    token = answer.data.access_token;
    expires = asked + answer.data.expires_in * 1000;
    renewAt = Math.max(renewAt, expires - aheadMs);
  }
  return {
    async headers() {
      if (performance.now() >= Math.min(renewAt, expires)) {
        renewing ??= renew().finally(() => {
          renewing = undefined;
        });
        try {
          await renewing;
        } catch (error) {
          if (performance.now() >= expires) throw error;
        }
      }
      return new Headers({ authorization: `Bearer ${token}` });
    },
    project: async () => (await askMetadata(url, 'project/project-id')).trim() || undefined,
    forget() {
      expires = 0;
    },
  };
}

/** @throws SinkError */
async function askMetadata(url: string, path: string): Promise<string> {
  const who = `the metadata server ${url}`;
  let answer: Response;
  let text: string;
  try {
    answer = await fetch(new URL(`/computeMetadata/v1/${path}`, url), {
      headers: { 'metadata-flavor': 'Google' },
      redirect: 'error',
      signal: AbortSignal.timeout(answerWithinMs),
    });
    text = await answer.text();
  } catch (error) {
    const isLate = error instanceof Error && error.name === 'TimeoutError';
    throw new SinkError(
      isLate ? 'timeout' : 'unavailable',
      isLate ? 'TIMEOUT' : codeOf(error),
      `${who} does not answer (${causeOf(error)}); is it running? services.metadata-server.url of rack.yaml says where it is`,
    );
  }
  if (answer.status === 200 && answer.headers.get('metadata-flavor') === 'Google') return text;
  const code = String(answer.status);
  if (answer.status === 200) {
    throw new SinkError('credentials', code, `${who} is none: its answer does not say so`);
  }
  if (answer.status >= 500 || answer.status === 429) {
    throw new SinkError('unavailable', code, `${who} has no token now (${code}); its log says why`);
  }
  throw new SinkError(
    'credentials',
    code,
    `${who} gives this address no token (${code}); give it an identity in rack.yaml`,
  );
}

/** Loaded when there is something to sign in to. */
async function googleAuth(): Promise<GoogleAuth> {
  const { GoogleAuth } = await import('google-auth-library');
  return Object.assign(new GoogleAuth({ scopes }), {
    useJWTAccessWithScope: true,
    defaultServicePath: servicePath,
  });
}

class NotInTime extends Error {}

/** @throws NotInTime */
async function inTime<T>(answer: Promise<T>, withinMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const end = () => reject(new NotInTime(`no answer within ${withinMs / 1000} s`));
    timer = setTimeout(end, withinMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

const ofNetworks = /^(E(AI_AGAIN|CONN|HOST|NET|NOTFOUND|PIPE|PROTO|TIMEDOUT)|UND_ERR|CERT_)/;

const Answered = z.looseObject({ response: z.looseObject({ status: z.number() }) });

/** What the library throws holds the request, and that the secret: nothing of it is kept but its first line. */
function libraryError(what: string, error: unknown, hint: string): SinkError {
  if (error instanceof SinkError) return error;
  const status = Answered.safeParse(error).data?.response.status;
  const why = causeOf(error);
  if (error instanceof NotInTime) {
    return new SinkError('timeout', 'TIMEOUT', `${what}: no token can be had now: ${why}`);
  }
  if (status !== undefined && status < 500 && status !== 429) {
    return new SinkError('credentials', String(status), `${what} are refused: ${why}; ${hint}`);
  }
  const code = status === undefined ? codeOf(error) : String(status);
  if (status !== undefined || ofNetworks.test(code)) {
    return new SinkError('unavailable', code, `${what}: no token can be had now: ${why}`);
  }
  return new SinkError('credentials', 'NO_CREDENTIALS', `${what}: ${why}; ${hint}`);
}

/** Of the system, where it has one: `ECONNREFUSED`. */
function codeOf(error: unknown): string {
  for (const each of [error, error instanceof Error ? error.cause : undefined]) {
    if (each instanceof Error && 'code' in each && typeof each.code === 'string') return each.code;
  }
  return 'UNKNOWN';
}

/** Node hides what happened behind `fetch failed`. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const text = cause instanceof Error ? cause.message || cause.name : String(cause);
  return text.split('\n')[0] ?? '';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
