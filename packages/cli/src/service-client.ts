import {
  type Api,
  ApiError,
  ApiUnreachable,
  alertToPubsubApi,
  type Client,
  type ClientOptions,
  createClient,
  machineStateApi,
  metadataServerApi,
  powerCycleDaemonApi,
  routerBackupApi,
} from '@skolo/api';
import { errorCode } from '@skolo/errors';
import type { ServiceName } from '@skolo/rack';
import { serviceMetricsUrl, serviceUrl } from '@skolo/rack/service-urls';
import type { Globals, SkoloCommand } from './command.ts';
import { savedTokenFile } from './desk-files.ts';
import { CliError, exitCodes, usageError } from './errors.ts';
import { loadRack } from './rack-file.ts';
import { badFile, readSecretFile } from './secret-file.ts';

/** A service and its client. */
export interface Service<A extends Api> {
  baseUrl: string;
  /** @throws CliError The service rejects the request or does not answer; the message says what to do. */
  ask<T>(question: (client: Client<A>) => Promise<T>): Promise<T>;
}

interface Target<A extends Api> {
  api: A;
  service: ServiceName;
  /** The port with the API. */
  port?: 'public' | 'metrics';
}

export type PowerCycleDaemon = Awaited<ReturnType<typeof powerCycleDaemon>>;
export type RouterBackup = Awaited<ReturnType<typeof routerBackup>>;
export type MachineState = Awaited<ReturnType<typeof machineState>>;
export type AlertToPubsub = Awaited<ReturnType<typeof alertToPubsub>>;

/** @param token is sent instead of the saved one */
export function powerCycleDaemon(command: SkoloCommand, token?: string) {
  return connectTo(command, { api: powerCycleDaemonApi, service: 'power-cycle-daemon' }, token);
}

export function routerBackup(command: SkoloCommand) {
  return connectTo(command, { api: routerBackupApi, service: 'router-backup' });
}

export function alertToPubsub(command: SkoloCommand) {
  return connectTo(command, { api: alertToPubsubApi, service: 'alert-to-pubsub' });
}

/** Its errors name the way that needs no machine-state. */
export async function machineState(command: SkoloCommand) {
  const service = await connectTo(command, { api: machineStateApi, service: 'machine-state' });
  const ask: typeof service.ask = async (question) => {
    try {
      return await service.ask(question);
    } catch (error) {
      const original = error instanceof CliError ? error.cause : error;
      if (!(error instanceof Error) || !(original instanceof ApiUnreachable)) throw error;
      throw explained(error, 'skolo machine status asks the agents themselves');
    }
  };
  return { ...service, ask };
}

/** Its API is on the metrics port: the public port has only Google's protocol. */
export function metadataServer(command: SkoloCommand) {
  return connectTo(command, {
    api: metadataServerApi,
    service: 'metadata-server',
    port: 'metrics',
  });
}

/**
 * The service at `--url`, else at its URL in rack.yaml. Sends the token of `--token-file`, else the one of `skolo login` for
 * the rack of rack.yaml, or none: reading may need none in this network.
 *
 * @param given is sent instead
 * @throws CliError URL or token are not valid.
 */
export async function connectTo<A extends Api>(
  command: SkoloCommand,
  target: Target<A>,
  given?: string,
): Promise<Service<A>> {
  const globals = command.globals();
  const { baseUrl, rack } = await placeOf(globals, target);
  const saved = rack && (await savedTokenFile(command.io.env, rack));
  const tokenFile = globals.tokenFile ?? saved;
  const token = given ?? (tokenFile === undefined ? undefined : await readToken(tokenFile));
  const client = newClient(target.api, { baseUrl, token, ...(await wayOn(command)) });
  return {
    baseUrl,
    ask: (question) =>
      explaining(() => question(client), globals, {
        // Without a token, 403 may only mean that a token is needed.
        hint:
          token === undefined || tokenFile === undefined
            ? 'give your token with skolo login, --token-file or SKOLO_TOKEN_FILE'
            : `the token is from ${tokenFile}`,
        statuses: token === undefined ? [401, 403] : [401],
      }),
  };
}

/**
 * Adds a hint to an unreachable service or a rejected sign-in.
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
      throw explained(error, `the URL is from ${rack}; give another with --url`);
    }
    if (error instanceof ApiError && signIn.statuses.includes(error.status)) {
      throw explained(error, signIn.hint);
    }
    throw error;
  }
}

/** In short, why a request failed that is worth a retry; undefined for other errors. */
export function temporaryReason(error: unknown): string | undefined {
  // An error with a hint has the original as its cause.
  const original = error instanceof CliError ? error.cause : error;
  if (original instanceof ApiUnreachable) {
    // `fetch` wraps the error of the system, whose code is short.
    const { cause, why } = original;
    return (cause instanceof Error && errorCode(cause.cause)) || why;
  }
  const isTemporary =
    original instanceof ApiError && (original.status >= 500 || original.status === 429);
  return isTemporary ? original.problem.detail : undefined;
}

/** @throws CliError The URL is not valid. */
export function newClient<A extends Api>(api: A, options: ClientOptions): Client<A> {
  try {
    return createClient(api, options);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw usageError(error.message, { cause: error });
  }
}

/** Options of a client for `--on`. Loads nothing without it. */
export async function wayOn(command: SkoloCommand): Promise<Pick<ClientOptions, 'fetch'>> {
  if (command.globals().on === undefined) return {};
  const { fetchOn } = await import('./fleet.ts');
  return { fetch: await fetchOn(command) };
}

/** A URL of `--url` may be of any rack. */
async function placeOf(
  globals: Globals,
  { service, port }: Target<Api>,
): Promise<{ baseUrl: string; rack?: string }> {
  if (globals.url !== undefined) return { baseUrl: globals.url };
  const rack = await loadRack(globals);
  const baseUrl = port === 'metrics' ? serviceMetricsUrl(rack, service) : serviceUrl(rack, service);
  return { baseUrl, rack: rack.name };
}

/** The token in a file. @throws CliError */
export async function readToken(file: string): Promise<string> {
  const hint = 'set --token-file or SKOLO_TOKEN_FILE to the file with your token';
  const token = (await readSecretFile(file, hint)).reveal().trim();
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw badFile(`${file}: expected one line with a token`, hint);
}

/** Adds a hint to an error. */
export function explained(error: Error, hint: string): CliError {
  return new CliError(`${error.message}; ${hint}`, exitCodes.failed, { cause: error });
}
