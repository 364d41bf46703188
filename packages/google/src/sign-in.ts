/**
 * Signing in to Google's APIs, with this computer's credentials, a key, or the rack's own metadata server.
 *
 * google-auth-library supports only the environment's metadata server, and looks for it first, so ours
 * is queried here. https://cloud.google.com/compute/docs/access/authenticate-workloads
 */
import { errorText, orAborted, parseJson, stopwatch } from '@skolo/base';
import { setLibraryProxy } from '@skolo/base/internet';
import { readSecret, type Secret, SecretError } from '@skolo/base/secrets';
import type { AuthClient, GoogleAuth, GoogleAuthOptions } from 'google-auth-library';
import { z } from 'zod';
import { credentialFileFault, ExternalAccount } from './credential-file.ts';
import { tokenFetch } from './request.ts';
import { SignInError } from './sign-in-error.ts';
import { withoutSecrets } from './sources/library-error.ts';
import { metadataValue } from './sources/metadata-server.ts';
import { serviceAccountKey } from './sources/service-account-key.ts';
import type { IssuedToken } from './sources/source.ts';
import { withSubjectToken } from './sources/subject-token.ts';
import { TokenAnswer, tokenLife } from './token-life.ts';

export interface SignIn {
  /**
   * The credentials of a call.
   *
   * @throws SignInError, SecretError
   */
  headers(): Promise<Headers>;
  /** The project of these credentials, if they contain one. */
  project(): Promise<string | undefined>;
  /** They were rejected, and must not be used again unchanged. */
  forget(): void;
}

/** Time limit for a token from Google. */
const usualWithinMs = 20_000;
/** google-auth-library signs such tokens itself. In seconds. */
const selfSignedLife = 3600;

/** Without sign-in. */
export const noSignIn: SignIn = {
  headers: async () => new Headers(),
  project: async () => undefined,
  forget() {},
};

/** With the rack's metadata server, which identifies this computer by its address. */
export function metadataSignIn(url: string): SignIn {
  const kept = keptHeaders(async () => {
    const text = await metadataValue(url, 'instance/service-accounts/default/token');
    const { data, error } = TokenAnswer.safeParse(parseJson(text));
    if (data) return bearer({ token: data.access_token, lifeSeconds: data.expires_in });
    const why = error.issues[0]?.message;
    const what = `the metadata server ${url} returned no token that can be used: ${why}`;
    throw new SignInError('unexpected-answer', what, { detail: 'NO_TOKEN' });
  });
  return {
    ...kept,
    project: async () => (await metadataValue(url, 'project/project-id')).trim() || undefined,
  };
}

/** With a service account key, whose `token_uri` issues tokens. */
export function serviceAccountSignIn(key: Secret, scopes: readonly string[]): SignIn {
  const file = { name: `the service account's key`, read: async () => key };
  const source = serviceAccountKey(file, Date.now);
  return {
    ...keptHeaders(async () =>
      bearer(await source.accessToken(scopes, AbortSignal.timeout(usualWithinMs))),
    ),
    project: async () => undefined,
  };
}

/** The target of google-auth-library's sign-in. */
interface LibraryOptions {
  scopes: string[];
  /** The API's host. With it, a service account key signs its own tokens: https://google.aip.dev/auth/4111 */
  servicePath?: string;
  /** Time limit for a token from Google; the library itself waits as long as TCP does. */
  withinMs?: number;
}

/** With application default credentials. */
export function defaultSignIn(options: LibraryOptions): SignIn {
  return librarySignIn(options, {
    what: "this computer's Google credentials",
    hint: 'run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS to a key file',
    async open(auth, client) {
      const key = await defaultKey();
      return key === undefined ? await auth.getClient() : auth.fromJSON(forLibrary(key), client);
    },
  });
}

/** The error in the key file of application default credentials, if there is one. */
export async function defaultKeyFault(): Promise<string | undefined> {
  return await defaultKey().then(() => undefined, errorText);
}

async function defaultKey() {
  const file = process.env.GOOGLE_APPLICATION_CREDENTIALS;
  if (!file) return undefined;
  const secret = await readSecret({ dir: process.cwd() }, file).catch((error) => {
    throw new SignInError('rejected', `GOOGLE_APPLICATION_CREDENTIALS: ${errorText(error)}`);
  });
  return keyOf(file, secret);
}

const KeyFile = z.looseObject({ type: z.string(), project_id: z.string().exactOptional() });

/**
 * With a key file of any kind that Google's tools write.
 *
 * @param read returns the current file; the same value while it is unchanged
 */
export function keyFileSignIn(
  name: string,
  read: () => Promise<Secret>,
  options: LibraryOptions,
): SignIn {
  let last: Secret | undefined;
  const what = `the key ${name}`;
  const hint = 'replace it with a valid key';
  const key = async () => keyOf(name, await read());
  const signIn = librarySignIn(options, {
    what,
    hint,
    open: async (auth, client) => auth.fromJSON(forLibrary(await key()), client),
  });
  return {
    ...signIn,
    async headers() {
      const secret = await read();
      if (secret !== last) signIn.forget();
      last = secret;
      return await signIn.headers();
    },
    async project() {
      try {
        return (await key()).project_id;
      } catch (error) {
        throw libraryError(what, error, hint);
      }
    },
  };
}

function keyOf(name: string, secret: Secret) {
  const content = secret.reveal();
  const fault = credentialFileFault('any', content);
  if (fault === undefined) return KeyFile.parse(parseJson(content));
  throw new SignInError('rejected', `${name}: ${fault}`);
}

function forLibrary(key: z.infer<typeof KeyFile>): z.infer<typeof KeyFile> {
  const account = ExternalAccount.safeParse(key).data;
  return account ? withSubjectToken(account, AbortSignal.timeout(usualWithinMs)) : key;
}

function librarySignIn(
  options: LibraryOptions,
  {
    what,
    hint,
    open,
  }: {
    what: string;
    hint: string;
    open(auth: GoogleAuth, options: GoogleAuthOptions['clientOptions']): Promise<AuthClient>;
  },
): SignIn {
  const { scopes, servicePath, withinMs = usualWithinMs } = options;
  let opened: Promise<{ auth: GoogleAuth; client: AuthClient }> | undefined;
  async function load() {
    const library = await import('google-auth-library');
    // The library makes some requests with clients of its own.
    setLibraryProxy('https://sts.googleapis.com');
    const clientOptions = { transporterOptions: { fetchImplementation: tokenFetch } };
    const auth = new library.GoogleAuth({ scopes, clientOptions });
    if (servicePath !== undefined) {
      Object.assign(auth, { useJWTAccessWithScope: true, defaultServicePath: servicePath });
    }
    return { auth, client: await open(auth, clientOptions) };
  }
  const { headers, forget } = keptHeaders(async () => {
    // A new client for each token, so that nothing is kept twice.
    const opening = load();
    opened = opening;
    const audience = servicePath === undefined ? undefined : `https://${servicePath}/`;
    const issued = opening.then(async ({ client }) => {
      const headers = await client.getRequestHeaders(audience);
      const { access_token: token, expiry_date: expiry } = client.credentials;
      const life = token ? ((expiry ?? Number.NaN) - Date.now()) / 1000 : selfSignedLife;
      return { headers, lifeSeconds: tokenLife(life, what) };
    });
    try {
      return await orAborted(issued, AbortSignal.timeout(withinMs));
    } catch (error) {
      // What is missing may be put there while we run, and the library would wait again for a request that hangs.
      opened = undefined;
      throw libraryError(what, error, hint);
    }
  });
  return {
    headers,
    async project() {
      await headers();
      return await opened?.then(({ auth }) => auth.getProjectId()).catch(() => undefined);
    },
    forget,
  };
}

const networkError =
  /^(E(AI_AGAIN|CONN|HOST|NET|NOTFOUND|PIPE|PROTO|TIMEDOUT)|UND_ERR|CERT_|TIMEOUT|PROXY)/;

/** The library's errors contain the request with its secrets, so only the status or code and first line are kept. */
function libraryError(what: string, error: unknown, hint: string): Error {
  if (error instanceof SecretError) return error;
  const { code, detail, message } = withoutSecrets(error, what);
  const isNetwork = code === 'unreachable' && (networkError.test(detail) || /^\d/.test(detail));
  if (isNetwork) return new SignInError('unreachable', message, { detail });
  const because = detail === 'UNKNOWN' ? 'NO_CREDENTIALS' : detail;
  return new SignInError('rejected', `${message}; ${hint}`, { detail: because });
}

/** The next token is requested when the current one has a few minutes left, and not more often than every 30 s while one is valid. */
const aheadMs = 240_000;
const calmMs = 30_000;

/** One request at a time. A token is used until it expires. */
function keptHeaders(
  issue: () => Promise<{ headers: Headers; lifeSeconds: number }>,
): Pick<SignIn, 'headers' | 'forget'> {
  let held = { headers: new Headers(), lifeMs: 0, age: stopwatch() };
  let sinceAsked = stopwatch();
  let renewing: Promise<void> | undefined;
  const leftMs = () => held.lifeMs - held.age();
  async function renew() {
    const age = stopwatch();
    sinceAsked = age;
    const { headers, lifeSeconds } = await issue();
    held = { headers, lifeMs: lifeSeconds * 1000, age };
  }
  return {
    async headers() {
      if (leftMs() <= 0 || (leftMs() < aheadMs && sinceAsked() >= calmMs)) {
        renewing ??= renew().finally(() => {
          renewing = undefined;
        });
        try {
          await renewing;
        } catch (error) {
          if (leftMs() <= 0) throw error;
        }
      }
      return new Headers(held.headers);
    },
    forget() {
      held.lifeMs = 0;
    },
  };
}

function bearer({ token, lifeSeconds }: IssuedToken) {
  return { headers: new Headers({ authorization: `Bearer ${token}` }), lifeSeconds };
}
