import type { Api, Client } from '@skolo/api';
import type { ServiceName } from '@skolo/rack';
import type { Globals } from './command.ts';
import { CliError, usageError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';
import { loadRack } from './rack-file.ts';

/** A service that can be asked. */
export interface Service<A extends Api> {
  /** For what the client cannot do. */
  baseUrl: string;
  token: string | undefined;
  /**
   * Gives the answer, or says what is wrong and what to do about it.
   *
   * @throws CliError The service refuses, or does not answer.
   */
  ask<T>(question: (client: Client<A>) => Promise<T>): Promise<T>;
}

interface Target<A extends Api> {
  api: A;
  service: ServiceName;
  /** Which of its two has the API. */
  port: 'public' | 'metrics';
  globals: Globals;
}

/**
 * The service at `--url`, else where rack.yaml says. With the token of `--token-file`, else without one: reading may be
 * free for this network. Nothing is sent yet.
 *
 * @throws CliError URL or token are of no use.
 */
export async function connectTo<A extends Api>(target: Target<A>): Promise<Service<A>> {
  const { api, globals } = target;
  const { ApiError, ApiUnreachable, createClient } = await import('@skolo/api');
  const baseUrl = globals.url ?? (await urlOfRack(target));
  const token = globals.tokenFile === undefined ? undefined : await readToken(globals.tokenFile);
  const options = { baseUrl, ...(token !== undefined && { token }) };
  const client = checked(() => createClient(api, options));
  return {
    baseUrl,
    token,
    async ask(question) {
      try {
        return await question(client);
      } catch (error) {
        if (error instanceof ApiUnreachable && globals.url === undefined) {
          throw explained(error, `the URL comes from ${globals.rack}, --url gives another`);
        }
        // Who may not, and brought no token, may with one.
        const signIn = token === undefined ? [401, 403] : [401];
        if (error instanceof ApiError && signIn.includes(error.status)) {
          throw explained(error, signInHint(globals));
        }
        throw error;
      }
    },
  };
}

/** Of a URL that is of no use, the person who typed it can do something. */
function checked<T>(create: () => T): T {
  try {
    return create();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw usageError(error.message, { cause: error });
  }
}

async function urlOfRack({ globals, service, port }: Omit<Target<Api>, 'api'>): Promise<string> {
  const { serviceMetricsUrl, serviceUrl } = await import('@skolo/rack');
  const rack = await loadRack(globals);
  return port === 'public' ? serviceUrl(rack, service) : serviceMetricsUrl(rack, service);
}

/** The token in a file. @throws CliError */
export async function readToken(file: string): Promise<string> {
  const { readSecret, SecretError } = await import('@skolo/secrets');
  let token: string;
  try {
    // An empty folder: the path is relative to where skolo runs, not to rack.yaml.
    token = (await readSecret({ dir: '' }, file)).reveal().trim();
  } catch (error) {
    if (!(error instanceof SecretError)) throw error;
    throw noToken(error.message.slice(0, -`; ${error.hint}`.length), { cause: error });
  }
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw noToken(`${file}: more than a token on one line`);
}

function noToken(what: string, options?: ErrorOptions): CliError {
  const hint = '--token-file or SKOLO_TOKEN_FILE should name the file with your token';
  return new CliError(`${what}; ${hint}`, exitCodes.badConfiguration, options);
}

function signInHint({ tokenFile }: Globals): string {
  return tokenFile === undefined
    ? 'give the file of your token with --token-file or SKOLO_TOKEN_FILE'
    : `the token is that of ${tokenFile}`;
}

/** An error with what to do about it. */
export function explained(error: Error, hint: string): CliError {
  return new CliError(`${error.message}; ${hint}`, exitCodes.failed, { cause: error });
}
