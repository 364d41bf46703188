/** Google's Pub/Sub client with our own sign-in. The library is loaded only when something is sent, because it takes 40 MB. */
import type { v1 } from '@google-cloud/pubsub';
import { setLibraryProxy, throughProxy } from '@skolo/base/internet';
import { noSignIn } from '@skolo/google';
import { SinkError } from '../sink.ts';
import { type PubSubCredentials, pubSubSignIn } from './pubsub-sign-in.ts';

export interface PubSubSettings {
  /** Default: the project of the credentials. */
  project?: string | undefined;
  /** Host and port of a region. On loopback, it is an emulator. */
  endpoint?: string | undefined;
  credentials: PubSubCredentials;
  /** URL of the rack's metadata server, for credentials of that name. */
  metadataUrl?: string | undefined;
}

export interface PubSubDeps {
  env?: NodeJS.ProcessEnv;
  /** gRPC credentials, for tests with their own certificate. */
  channelOptions?: Record<string, string | number>;
  /** Whether loopback means an emulator without TLS. */
  loopbackIsPlain?: boolean;
}

export interface PubSubConnection {
  readonly project: string;
  /** ` (through the proxy HOST:PORT)`, or nothing: for errors, because gRPC does not name it. */
  readonly proxy: string;
  /** A new client with its own connection; the caller closes it. */
  publisher(): v1.PublisherClient;
  subscriber(): v1.SubscriberClient;
  /**
   * Resolves when the next call can be signed in.
   *
   * @throws SinkError `credentials`; `unavailable` or `timeout` if they could not be requested
   */
  signIn(): Promise<void>;
  /** Pub/Sub rejected the credentials: reads or requests them again. */
  forgetCredentials(): void;
}

/**
 * - Closing a channel closes its connection, so that a dead one is not reused from a global pool.
 * - After an outage, reconnects soon: by default gRPC waits up to two minutes.
 */
const channelDefaults = {
  'grpc.use_local_subchannel_pool': 1,
  'grpc.initial_reconnect_backoff_ms': 500,
  'grpc.max_reconnect_backoff_ms': 5000,
  'grpc.dns_min_time_between_resolutions_ms': 5000,
  'grpc.keepalive_time_ms': 300_000,
  'grpc.keepalive_timeout_ms': 20_000,
};

const defaultHost = 'pubsub.googleapis.com';

/** @throws SinkError The project is unknown: `credentials`; `unavailable` or `timeout` if it could not be requested. */
export async function connectPubSub(
  settings: PubSubSettings,
  { env = process.env, channelOptions = {}, loopbackIsPlain = true }: PubSubDeps = {},
): Promise<PubSubConnection> {
  const { address, isPlain } = whereIs(settings.endpoint, env, loopbackIsPlain);
  const asked = pubSubSignIn(settings.credentials, settings.metadataUrl);
  const signedIn = isPlain ? noSignIn : asked;
  // Does not look for credentials if none are needed.
  const isAsked =
    settings.project === undefined && !(isPlain && settings.credentials === 'default');
  const named = settings.project ?? (isAsked ? await asked.project() : undefined);
  const project = named ?? (env.GOOGLE_CLOUD_PROJECT || env.GCLOUD_PROJECT || undefined);
  if (project === undefined) {
    throw new SinkError(
      'credentials',
      'NO_PROJECT',
      'Pub/Sub: the credentials do not specify a project; set services.alert-to-pubsub.project in rack.yaml',
    );
  }
  const server = `https://${address ? `${address.host}:${address.port}` : defaultHost}`;
  setLibraryProxy(server, env);
  const { PubSub, v1 } = await import('@google-cloud/pubsub');
  // The library can connect without TLS, but we cannot load the gRPC module that this requires.
  const emulator = { projectId: project, apiEndpoint: 'http://localhost:1', emulatorMode: true };
  const { sslCreds } = isPlain ? await new PubSub(emulator).getClientConfig() : {};
  const options = {
    projectId: project,
    auth: await signedInBy(
      signedIn.headers,
      new v1.PublisherClient({ credentials: noCredentials }),
    ),
    ...(address && { servicePath: address.host, port: address.port }),
    ...(sslCreds && { sslCreds }),
    ...channelDefaults,
    ...channelOptions,
  };
  return {
    project,
    proxy: throughProxy(server, undefined, env),
    publisher: () => new v1.PublisherClient(options),
    subscriber: () => new v1.SubscriberClient(options),
    signIn: async () => void (await signedIn.headers()),
    forgetCredentials: () => signedIn.forget(),
  };
}

interface Address {
  host: string;
  port: number;
}

/** Undefined for the default address. */
function whereIs(
  endpoint: string | undefined,
  env: NodeJS.ProcessEnv,
  loopbackIsPlain: boolean,
): { address?: Address; isPlain: boolean } {
  // Setting this variable means not to use the real Pub/Sub, whatever is in rack.yaml.
  const emulator = env.PUBSUB_EMULATOR_HOST;
  if (emulator) return { address: addressOf(emulator, 'PUBSUB_EMULATOR_HOST'), isPlain: true };
  if (endpoint === undefined) return { isPlain: false };
  const address = addressOf(endpoint, 'services.alert-to-pubsub.endpoint');
  return { address, isPlain: loopbackIsPlain && isLoopback(address.host) };
}

function addressOf(text: string, source: string): Address {
  const url = `tcp://${text.replace(/^https?:\/\//, '')}`;
  if (!URL.canParse(url)) {
    throw new SinkError(
      'topic',
      'BAD_ENDPOINT',
      `${source} is ${JSON.stringify(text)}, but must be HOST:PORT`,
    );
  }
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port || 443) };
}

function isLoopback(host: string): boolean {
  return /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(host);
}

/** A placeholder: it keeps the client from looking for credentials, and is replaced by ours. */
const noCredentials = {
  type: 'authorized_user',
  client_id: 'none',
  client_secret: 'none',
  refresh_token: 'none',
};

/**
 * The client only accepts credentials from its own version of google-auth-library, which differs from ours. A credentials object that it
 * created asks ours before each call.
 */
async function signedInBy(headers: () => Promise<Headers>, { auth }: v1.PublisherClient) {
  const client = await auth.getClient();
  client.getRequestHeaders = headers;
  return auth;
}
