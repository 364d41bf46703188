import type { Api, Client } from '@skolo/api';
import type { ServiceName } from '@skolo/rack';
import type { Globals } from './command.ts';
import { CliError, usageError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';
import { loadRack } from './rack-file.ts';

/**
 * Asks a service on its metrics port: at `--url`, else where rack.yaml says. With the token of `--token-file`, else
 * without one: reading may be free for this network.
 *
 * @throws CliError The service refuses, or does not answer: with what to do about it.
 */
export async function askService<A extends Api, T>(
  { api, service, globals }: { api: A; service: ServiceName; globals: Globals },
  ask: (client: Client<A>) => Promise<T>,
): Promise<T> {
  const { ApiError, ApiUnreachable } = await import('@skolo/api');
  const baseUrl = globals.url ?? (await urlOfRack(globals, service));
  const client = await createClient(api, baseUrl, globals.tokenFile);
  try {
    return await ask(client);
  } catch (error) {
    if (error instanceof ApiUnreachable && globals.url === undefined) {
      throw explained(error, `the URL comes from ${globals.rack}, --url gives another`);
    }
    if (error instanceof ApiError && error.status === 401) {
      throw explained(error, signInHint(globals));
    }
    throw error;
  }
}

async function createClient<A extends Api>(api: A, baseUrl: string, tokenFile: string | undefined) {
  const { createClient } = await import('@skolo/api');
  const token = tokenFile === undefined ? undefined : await readToken(tokenFile);
  try {
    return createClient(api, { baseUrl, ...(token !== undefined && { token }) });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw usageError(error.message, { cause: error });
  }
}

async function urlOfRack(globals: Globals, service: ServiceName): Promise<string> {
  const { serviceMetricsUrl } = await import('@skolo/rack');
  return serviceMetricsUrl(await loadRack(globals), service);
}

async function readToken(file: string): Promise<string> {
  const { readSecret, SecretError } = await import('@skolo/rack');
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

function explained(error: Error, hint: string): CliError {
  return new CliError(`${error.message}; ${hint}`, exitCodes.failed, { cause: error });
}
