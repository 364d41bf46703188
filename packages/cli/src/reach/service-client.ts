/** Clients of a rack's services for commands: URL, token, retries, and what to do if one rejects a request or does not respond. */
import { readFile } from 'node:fs/promises';
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
import { olderStatus } from '@skolo/api/calls';
import { errorCode, lazily } from '@skolo/base';
import type { ServiceName } from '@skolo/rack';
import { rackNameIn, serviceMetricsUrl, serviceUrl } from '@skolo/rack/light';
import type { Globals, SkoloCommand } from '../command.ts';
import { CliError, exitCodes, usageError } from '../errors.ts';
import type { Io } from '../io.ts';
import { badFile, readSecretFile } from '../workstation/given-file.ts';
import { rackFile, rackToReach } from '../workstation/rack-file.ts';
import { savedTokenFile } from '../workstation/workstation-files.ts';
import { retriedWhenOverloaded } from './when-overloaded.ts';

export interface Service<A extends Api> {
  /** @throws CliError The service rejects the request or does not respond; the message says what to do. */
  ask<T>(question: (client: Client<A>) => Promise<T>): Promise<T>;
}

interface LazyService<A extends Api> extends Service<A> {
  /** For a command that changes something before its first request. @throws CliError URL or token are not valid. */
  open(): Promise<{ baseUrl: string; rack: string | undefined }>;
}

interface Target<A extends Api> {
  api: A;
  service: ServiceName;
  /** The port with the API. */
  port?: 'public' | 'metrics';
}

export type PowerCycleDaemon = Service<typeof powerCycleDaemonApi>;
export type RouterBackup = Service<typeof routerBackupApi>;
export type MachineState = Service<typeof machineStateApi>;
export type AlertToPubsub = Service<typeof alertToPubsubApi>;

/** @param token used instead of the saved one */
export function powerCycleDaemon(command: SkoloCommand, token?: string) {
  return connectTo(command, { api: powerCycleDaemonApi, service: 'power-cycle-daemon' }, token);
}

export function routerBackup(command: SkoloCommand) {
  return connectTo(command, { api: routerBackupApi, service: 'router-backup' });
}

export function alertToPubsub(command: SkoloCommand) {
  return connectTo(command, { api: alertToPubsubApi, service: 'alert-to-pubsub' });
}

/** Its errors name the alternative that does not need machine-state. */
export function machineState(command: SkoloCommand): MachineState {
  const service = connectTo(command, { api: machineStateApi, service: 'machine-state' });
  return {
    async ask(question) {
      try {
        return await service.ask(question);
      } catch (error) {
        if (!(error instanceof Error) || whyUnreachable(error) === undefined) throw error;
        throw explained(error, 'skolo machine list --agents queries the agents directly');
      }
    },
  };
}

/** Its API is on the metrics port: the public port only has Google's protocol. */
export function metadataServer(command: SkoloCommand) {
  return connectTo(command, {
    api: metadataServerApi,
    service: 'metadata-server',
    port: 'metrics',
  });
}

/**
 * The service at `--url`, otherwise at its URL in rack.yaml. The first request sends the token of `--token-file`, otherwise the one that
 * `skolo login` saved for the rack in rack.yaml, or none: this network may allow reading without one.
 *
 * @param given used instead
 */
export function connectTo<A extends Api>(
  command: SkoloCommand,
  target: Target<A>,
  given?: string,
): LazyService<A> {
  const open = lazily(() => connect(command, target, given));
  return {
    open,
    async ask(question) {
      const { client, signIn } = await open();
      return explaining(() => question(client), command.globals(), signIn);
    },
  };
}

/** @throws CliError URL or token are not valid. */
async function connect<A extends Api>(command: SkoloCommand, target: Target<A>, given?: string) {
  const { baseUrl, rack } = await placeOf(command, target);
  // A given token may be meant to replace an unreadable saved one.
  const own = given === undefined ? await tokenFor(command, rack) : undefined;
  const token = given ?? own?.token;
  const { fetch: send = fetch } = await wayOn(command);
  const client = newClient(target.api, {
    baseUrl,
    rack,
    token,
    fetch: retriedWhenOverloaded(send),
  });
  const signIn = {
    // Without a token, 403 may only mean that one is required.
    hint: own
      ? `the token is from ${own.file}`
      : 'save your token with skolo login, or set --token-file or SKOLO_TOKEN_FILE',
    statuses: token === undefined ? [401, 403] : [401],
  };
  return { baseUrl, rack, client, signIn };
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
      throw explained(error, `the URL is from ${rack}; specify another one with --url`);
    }
    if (error instanceof ApiError && signIn.statuses.includes(error.status)) {
      throw explained(error, signIn.hint);
    }
    throw error;
  }
}

/** A short reason for a request that failed and is worth a retry; undefined for other errors. */
export function temporaryReason(error: unknown): string | undefined {
  const original = unexplained(error);
  if (original instanceof ApiUnreachable) {
    // `fetch` wraps the system's error, whose code is short.
    const { cause, why } = original;
    return (cause instanceof Error && errorCode(cause.cause)) || why;
  }
  const isTemporary =
    original instanceof ApiError &&
    original.status !== olderStatus &&
    (original.status >= 500 || original.status === 429);
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
  const { fetchOn } = await import('./racks.ts');
  return { fetch: await fetchOn(command) };
}

/** The name of the rack that a request is meant for, even with `--url`; undefined: there is no rack.yaml. */
export async function rackNameOf(globals: Globals): Promise<string | undefined> {
  if (globals.on !== undefined && globals.rackIsDefault) return globals.on;
  try {
    // The whole file takes longer to parse than the request.
    return rackNameIn(await readFile(await rackFile(globals), 'utf8'));
  } catch (error) {
    if (globals.rackIsDefault) return undefined;
    throw error;
  }
}

/** The location of a service. */
export async function placeOf(
  command: SkoloCommand,
  { service, port }: Omit<Target<Api>, 'api'>,
): Promise<{ baseUrl: string; rack?: string }> {
  const globals = command.globals();
  if (globals.url !== undefined) {
    const name = await rackNameOf(globals);
    return { baseUrl: globals.url, ...(name !== undefined && { rack: name }) };
  }
  const rack = await rackToReach(command);
  const baseUrl = port === 'metrics' ? serviceMetricsUrl(rack, service) : serviceUrl(rack, service);
  return { baseUrl, rack: rack.name };
}

/** The token for the service at its `placeOf`. `--url` may lead anywhere, so a saved token is not sent there. */
export function tokenFor(command: SkoloCommand, rack: string | undefined) {
  const { tokenFile, url } = command.globals();
  return findToken(command.io, tokenFile, url === undefined ? rack : undefined);
}

/** The token in this file, otherwise the one that `skolo login` saved for a rack. @throws CliError It cannot be read. */
export async function findToken(
  { env }: Pick<Io, 'env'>,
  given: string | undefined,
  rack: string | undefined,
): Promise<{ token: string; file: string } | undefined> {
  const file = given ?? (rack && savedTokenFile(env, rack));
  return file === undefined ? undefined : { token: await readToken(file), file };
}

/** The token in a file. @throws CliError */
async function readToken(file: string): Promise<string> {
  const hint = 'set --token-file or SKOLO_TOKEN_FILE to the file that contains your token';
  const token = (await readSecretFile(file, hint)).reveal().trim();
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw badFile(`${file}: expected a token on a single line`, hint);
}

/** The error without its hints. */
export function unexplained(error: unknown): unknown {
  return error instanceof CliError ? unexplained(error.cause) : error;
}

/** Why a service cannot be reached; undefined: the error is another one. */
export function whyUnreachable(error: unknown): string | undefined {
  const original = unexplained(error);
  return original instanceof ApiUnreachable ? original.why : undefined;
}

/** Adds a hint to an error. */
export function explained(error: Error, hint: string): CliError {
  return new CliError(`${error.message}; ${hint}`, exitCodes.failed, { cause: error });
}
