import {
  type Api,
  ApiError,
  ApiUnreachable,
  alertToPubsubApi,
  type Client,
  type ClientOptions,
  createClient,
  metadataServerApi,
  powerCycleDaemonApi,
  routerBackupApi,
} from '@skolo/api';
import type { ServiceName } from '@skolo/rack';
import type { Globals, SkoloCommand } from './command.ts';
import { CliError, exitCodes, usageError } from './errors.ts';
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
  port?: 'public' | 'metrics';
}

export type PowerCycleDaemon = Awaited<ReturnType<typeof powerCycleDaemon>>;
export type RouterBackup = Awaited<ReturnType<typeof routerBackup>>;
export type AlertToPubsub = Awaited<ReturnType<typeof alertToPubsub>>;

export function powerCycleDaemon(command: SkoloCommand) {
  return connectTo(command, { api: powerCycleDaemonApi, service: 'power-cycle-daemon' });
}

export function routerBackup(command: SkoloCommand) {
  return connectTo(command, { api: routerBackupApi, service: 'router-backup' });
}

export function alertToPubsub(command: SkoloCommand) {
  return connectTo(command, { api: alertToPubsubApi, service: 'alert-to-pubsub' });
}

/** The metadata server, whose own API is on its metrics port: the public one speaks only Google's protocol. */
export function metadataServer(command: SkoloCommand) {
  return connectTo(command, {
    api: metadataServerApi,
    service: 'metadata-server',
    port: 'metrics',
  });
}

/**
 * The service at `--url`, else where rack.yaml says. With the token of `--token-file`, else without one: reading may be
 * free for this network. Nothing is sent yet.
 *
 * @throws CliError URL or token are of no use.
 */
export async function connectTo<A extends Api>(
  command: SkoloCommand,
  target: Target<A>,
): Promise<Service<A>> {
  const globals = command.globals();
  const baseUrl = globals.url ?? (await urlOfRack(globals, target));
  const token = globals.tokenFile === undefined ? undefined : await readToken(globals.tokenFile);
  const client = newClient(target.api, { baseUrl, ...(token !== undefined && { token }) });
  return {
    baseUrl,
    token,
    ask: (question) =>
      explaining(() => question(client), globals, {
        // Who may not, and brought no token, may with one.
        hint:
          token === undefined || globals.tokenFile === undefined
            ? 'give the file of your token with --token-file or SKOLO_TOKEN_FILE'
            : `the token is that of ${globals.tokenFile}`,
        statuses: token === undefined ? [401, 403] : [401],
      }),
  };
}

/**
 * What the service answers. Where it cannot be reached or refuses the sign-in, the error says what to do about it.
 *
 * @throws CliError
 */
export async function explaining<T>(
  ask: () => Promise<T>,
  { url, rack }: Globals,
  signIn: { hint: string; statuses: readonly number[] },
): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ApiUnreachable && url === undefined) {
      throw explained(error, `the URL comes from ${rack}, --url gives another`);
    }
    if (error instanceof ApiError && signIn.statuses.includes(error.status)) {
      throw explained(error, signIn.hint);
    }
    throw error;
  }
}

/** @throws CliError The person who typed the URL can correct it. */
export function newClient<A extends Api>(api: A, options: ClientOptions): Client<A> {
  try {
    return createClient(api, options);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw usageError(error.message, { cause: error });
  }
}

async function urlOfRack(globals: Globals, { service, port }: Target<Api>): Promise<string> {
  const { serviceMetricsUrl, serviceUrl } = await import('@skolo/rack');
  const rack = await loadRack(globals);
  return port === 'metrics' ? serviceMetricsUrl(rack, service) : serviceUrl(rack, service);
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

/** An error with what to do about it. */
export function explained(error: Error, hint: string): CliError {
  return new CliError(`${error.message}; ${hint}`, exitCodes.failed, { cause: error });
}
