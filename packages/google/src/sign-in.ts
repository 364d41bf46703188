/**
 * Signing in to Google's APIs: with what this computer is signed in with, a key, or the rack's own metadata server.
 *
 * google-auth-library asks no metadata server but that of the environment, and looks for it first; that is why ours
 * is asked here. https://cloud.google.com/compute/docs/access/authenticate-workloads
 */
import { once } from 'node:events';
import { parseJson } from '@skolo/base';
import { type Secret, SecretError } from '@skolo/secrets';
import type { AuthClient, GoogleAuth } from 'google-auth-library';
import { z } from 'zod';
import { SignInError } from './sign-in-error.ts';
import { withoutSecrets } from './sources/library-error.ts';
import { metadataValue } from './sources/metadata-server.ts';
import { serviceAccountKey } from './sources/service-account-key.ts';
import type { IssuedToken } from './sources/source.ts';

export interface SignIn {
  /**
   * What a call is signed in with.
   *
   * @throws SignInError, SecretError
   */
  headers(): Promise<Headers>;
  /** The project of these credentials, where they name one. */
  project(): Promise<string | undefined>;
  /** They were rejected: they are not to be used again as they are. */
  forget(): void;
}

/** How long Google may take for a token. */
const usualWithinMs = 20_000;

/** Where no sign-in is needed. */
export const noSignIn: SignIn = {
  headers: async () => new Headers(),
  project: async () => undefined,
  forget() {},
};

/** By the rack's metadata server, which knows this computer by its address. */
export function metadataSignIn(url: string): SignIn {
  const Token = z.looseObject({
    access_token: z.string().min(1),
    expires_in: z.number().positive(),
  });
  const kept = keptToken(async () => {
    const text = await metadataValue(url, 'instance/service-accounts/default/token');
    const answer = Token.safeParse(parseJson(text)).data;
    if (answer) return { token: answer.access_token, lifeSeconds: answer.expires_in };
    const what = `the metadata server ${url} returned no token`;
    throw new SignInError('unexpected-answer', what, { detail: 'NO_TOKEN' });
  });
  return {
    ...kept,
    project: async () => (await metadataValue(url, 'project/project-id')).trim() || undefined,
  };
}

/** By a service account's key, whose `token_uri` is asked for tokens. */
export function serviceAccountSignIn(key: Secret, scopes: readonly string[]): SignIn {
  const file = { name: `the service account's key`, read: async () => key };
  const source = serviceAccountKey(file, Date.now);
  return {
    ...keptToken(() => source.accessToken(scopes, AbortSignal.timeout(usualWithinMs))),
    project: async () => undefined,
  };
}

/** What google-auth-library signs in to. */
interface LibraryOptions {
  scopes: string[];
  /** Of the API. With it, the key of a service account signs its own tokens: https://google.aip.dev/auth/4111 */
  servicePath?: string;
  /** How long Google may take for a token; the library itself waits as long as TCP does. */
  withinMs?: number;
}

/** By application default credentials. */
export function defaultSignIn(options: LibraryOptions): SignIn {
  return librarySignIn(options, {
    what: "this computer's Google credentials",
    hint: 'run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS to a key file',
    open: (auth) => auth.getClient(),
  });
}

const KeyFile = z.looseObject({ type: z.string(), project_id: z.string().exactOptional() });

/**
 * By a key file of any kind that Google's tools write.
 *
 * @param read the file as it is now; the same value while it has not changed
 */
export function keyFileSignIn(
  name: string,
  read: () => Promise<Secret>,
  options: LibraryOptions,
): SignIn {
  let last: Secret | undefined;
  async function key() {
    const parsed = KeyFile.safeParse(parseJson((await read()).reveal()));
    if (parsed.success) return parsed.data;
    throw new SignInError('rejected', `${name}: not a Google key file`);
  }
  const signIn = librarySignIn(options, {
    what: `the key ${name}`,
    hint: 'replace it with a valid key',
    open: async (auth) => auth.fromJSON(await key()),
  });
  return {
    ...signIn,
    async headers() {
      const secret = await read();
      if (secret !== last) signIn.forget();
      last = secret;
      return await signIn.headers();
    },
    project: async () => (await key()).project_id,
  };
}

function librarySignIn(
  options: LibraryOptions,
  { what, hint, open }: { what: string; hint: string; open(auth: GoogleAuth): Promise<AuthClient> },
): SignIn {
  const { scopes, servicePath, withinMs = usualWithinMs } = options;
  let opened: Promise<{ auth: GoogleAuth; client: AuthClient }> | undefined;
  async function load() {
    const library = await import('google-auth-library');
    const auth = new library.GoogleAuth({ scopes });
    if (servicePath !== undefined) {
      Object.assign(auth, { useJWTAccessWithScope: true, defaultServicePath: servicePath });
    }
    return { auth, client: await open(auth) };
  }
  async function headers() {
    opened ??= load();
    const audience = servicePath === undefined ? undefined : `https://${servicePath}/`;
    const late = AbortSignal.timeout(withinMs);
    try {
      return await Promise.race([
        opened.then(({ client }) => client.getRequestHeaders(audience)),
        once(late, 'abort').then((): never => {
          throw late.reason;
        }),
      ]);
    } catch (error) {
      // What is missing may be put there while we run, and the library would wait again for a request that hangs.
      opened = undefined;
      throw libraryError(what, error, hint);
    }
  }
  return {
    headers,
    async project() {
      await headers();
      return await opened?.then(({ auth }) => auth.getProjectId()).catch(() => undefined);
    },
    forget() {
      opened = undefined;
    },
  };
}

const networkError =
  /^(E(AI_AGAIN|CONN|HOST|NET|NOTFOUND|PIPE|PROTO|TIMEDOUT)|UND_ERR|CERT_|TIMEOUT)/;

/** What the library throws holds the request with its secrets: only its status or code and first line are kept. */
function libraryError(what: string, error: unknown, hint: string): Error {
  if (error instanceof SecretError) return error;
  const { code, detail, message } = withoutSecrets(error, what);
  const isNetwork = code === 'unreachable' && (networkError.test(detail) || /^\d/.test(detail));
  if (isNetwork) return new SignInError('unreachable', message, { detail });
  const because = detail === 'UNKNOWN' ? 'NO_CREDENTIALS' : detail;
  return new SignInError('rejected', `${message}; ${hint}`, { detail: because });
}

/** When the token has a few minutes left, the next one is asked for. While there is none, not at each call. */
const aheadMs = 240_000;
const askAgainMs = 10_000;

/** One request at a time. A token in hand is used until it expires, by a clock that does not jump. */
function keptToken(issue: () => Promise<IssuedToken>): Pick<SignIn, 'headers' | 'forget'> {
  let token = '';
  let expires = 0;
  let renewAt = 0;
  let renewing: Promise<void> | undefined;
  async function renew() {
    const asked = performance.now();
    renewAt = asked + askAgainMs;
    const issued = await issue();
    token = issued.token;
    expires = asked + issued.lifeSeconds * 1000;
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
    forget() {
      expires = 0;
    },
  };
}
