import { Server, ServerCredentials } from '@grpc/grpc-js';
import { CallLog } from '../cloud/call-log.ts';
import { CallFaults } from '../cloud/fault.ts';
import { Listener } from '../listener.ts';
import { Broker } from './broker.ts';
import type { Method, PubSubCall } from './calls.ts';
import { Fault, type FaultKind, type FaultOptions } from './faults.ts';
import { idOf, type Limits, serviceLimits } from './limits.ts';
import { type Counts, Reception } from './reception.ts';
import { streamClosed } from './rejection.ts';
import type { PublishedMessage } from './topic.ts';
import { loadDefinitions } from './wire.ts';

export interface GooglePubSubOptions {
  /** 127.0.0.1 when absent. */
  host?: string;
  /** 0, any free one, when absent. */
  port?: number;
  /** Topics that exist from the start: `projects/PROJECT/topics/ID`. */
  topics?: string[];
  /** Others than the service's. */
  limits?: Partial<Limits>;
  /** False: what was published and called is counted only, not remembered. */
  keep?: boolean;
  /** Messages of one ordering key that may be out on a subscription at a time; as many as there are when absent. */
  orderedInFlight?: number;
  /** Whether a bearer token, or none, is good; any, and none, is when absent. Clients send theirs over TLS only. */
  accepts?: (token: string | undefined) => boolean;
  /** Speaks TLS instead of plain text. PEM. */
  tls?: { key: string; certificate: string };
}

interface MessageToPublish {
  data?: Buffer | string;
  attributes?: Record<string, string>;
  orderingKey?: string;
}

/** Google Cloud Pub/Sub on loopback; see `startGooglePubSub`. Topics and subscriptions may be named by their id alone. */
export interface GooglePubSub {
  /** `127.0.0.1:PORT`: PUBSUB_EMULATOR_HOST, or `apiEndpoint` of the client. */
  readonly endpoint: string;
  readonly port: number;
  addTopic(name: string): void;
  addSubscription(
    name: string,
    topic: string,
    settings?: { filter?: string; enableMessageOrdering?: boolean; ackDeadlineSeconds?: number },
  ): void;

  /** Publishes, as another client would have. @throws Rejection */
  publish(topic: string, ...messages: MessageToPublish[]): void;
  /** What was published to a topic, oldest first; empty when nothing is kept. */
  published(topic: string): readonly PublishedMessage[];
  /** Resolves once so many messages are stored, of all topics when none is given. */
  publishedSeen(count: number, topic?: string): Promise<void>;
  /** Tells of each publish that is stored, before it is answered. Returns what ends that. */
  onPublish(listener: (topic: string, messages: readonly PublishedMessage[]) => void): () => void;
  /** Of a subscription: not acknowledged, and how many of those are out. */
  unacknowledged(subscription: string): { messages: number; out: number };
  readonly counts: Readonly<Counts>;

  /** Every call so far, oldest first; empty when nothing is kept. */
  readonly calls: readonly PubSubCall[];
  /** Resolves once so many calls have arrived, of these methods where given. */
  callsSeen(count: number, ...methods: Method[]): Promise<void>;

  /** Misbehaves at the next calls; faults asked for earlier come first. */
  misbehave(kind: FaultKind, options?: FaultOptions): Fault;
  /** Rejects the next call, or so many. */
  failNext(options?: Omit<FaultOptions, 'methods'> & { method?: Method }): Fault;
  /** Ends all misbehaviour. */
  behave(): void;
  /** All messages that are out go out again, as if their time had passed. */
  expireLeases(): void;
  /** Ends all open StreamingPulls, as the service does now and then. */
  endStreams(): void;
  /** Cuts all connections. */
  dropConnections(): void;
  /** An outage: connections are refused, those that are open end. */
  stop(): Promise<void>;
  /** The same port again, with all that was stored. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts a server on loopback that behaves as Google Cloud Pub/Sub with pull subscriptions: publishing with the
 * service's limits, ordering keys, filters, leases and flow control. It keeps books, and it fails on demand.
 *
 * Left out: push and export subscriptions, exactly-once delivery, snapshots and seek, schemas, IAM. Expiry, retention,
 * retry and dead-letter policies are accepted and not obeyed.
 */
export async function startGooglePubSub(options: GooglePubSubOptions = {}): Promise<GooglePubSub> {
  const { host = '127.0.0.1', port = 0, topics = [], keep = true } = options;
  const log = new CallLog<PubSubCall>();
  const faults = new CallFaults<Fault>();
  const listeners = new Set<Parameters<GooglePubSub['onPublish']>[0]>();
  const counts: Counts = { requests: {}, rejected: 0, messages: 0, bytes: 0 };
  const broker = new Broker({
    limits: { ...serviceLimits, ...options.limits },
    keep,
    orderedInFlight: options.orderedInFlight ?? Number.POSITIVE_INFINITY,
    published: (topic, messages) => {
      counts.messages += messages.length;
      for (const { data } of messages) counts.bytes += data.length;
      for (const listener of listeners) listener(topic, messages);
      log.update();
    },
  });
  const { tls } = options;
  const credentials = tls
    ? ServerCredentials.createSsl(null, [
        { private_key: Buffer.from(tls.key), cert_chain: Buffer.from(tls.certificate) },
      ])
    : ServerCredentials.createInsecure();
  // What is too large is rejected in the service's words, not by the library.
  const server = new Server({ 'grpc.max_receive_message_length': -1 });
  const injector = server.createConnectionInjector(credentials);
  const listener = new Listener(host, port, (socket) => injector.injectConnection(socket));
  function close(): Promise<void> {
    listener.cut();
    return listener.close();
  }
  const reception = new Reception({
    broker,
    log,
    faults,
    counts,
    keep,
    accepts: options.accepts,
    cut: (peer) => listener.cut(peer),
  });
  const definitions = loadDefinitions();
  server.addService(definitions.publisher, reception.publisher());
  server.addService(definitions.subscriber, reception.subscriber());
  const addTopic = (name: string) =>
    void broker.createTopic({ name, labels: {}, messageRetentionDuration: null });
  for (const name of topics) addTopic(name);
  await listener.open();

  const misbehave = (kind: FaultKind, faultOptions: FaultOptions = {}) =>
    faults.add(new Fault(kind, faultOptions, log));
  const behave = () => faults.clear();
  const countOf = (topic: string | undefined) =>
    topic === undefined ? counts.messages : (find(broker.topics, topic)?.count ?? 0);

  return {
    endpoint: `${host}:${listener.port}`,
    port: listener.port,
    addTopic,
    addSubscription: (name, topic, settings = {}) => {
      broker.createSubscription({
        name,
        topic,
        labels: {},
        pushConfig: null,
        bigqueryConfig: null,
        cloudStorageConfig: null,
        ackDeadlineSeconds: settings.ackDeadlineSeconds ?? 0,
        enableMessageOrdering: settings.enableMessageOrdering ?? false,
        enableExactlyOnceDelivery: false,
        filter: settings.filter ?? '',
        expirationPolicy: null,
        messageRetentionDuration: null,
      });
    },
    publish: (topic, ...messages) => {
      broker.publish({
        topic: find(broker.topics, topic)?.resource.name ?? topic,
        messages: messages.map(({ data = '', attributes = {}, orderingKey = '' }) => ({
          data: Buffer.from(data),
          attributes,
          orderingKey,
          messageId: '',
          publishTime: null,
        })),
        requestBytes: 0,
      });
    },
    published: (topic) => find(broker.topics, topic)?.messages ?? [],
    publishedSeen: (count, topic) => log.until(() => countOf(topic) >= count),
    onPublish: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    unacknowledged: (subscription) =>
      find(broker.subscriptions, subscription)?.unacknowledged ?? { messages: 0, out: 0 },
    counts,

    calls: log.calls,
    callsSeen: (count, ...methods) => log.until(() => requestsOf(counts, methods) >= count),

    misbehave,
    failNext: ({ method, ...others } = {}) =>
      misbehave('reject', { times: 1, ...(method && { methods: [method] }), ...others }),
    behave,
    expireLeases: () => {
      for (const subscription of broker.subscriptions.values()) subscription.expireLeases();
    },
    endStreams: () => {
      for (const subscription of broker.subscriptions.values()) {
        subscription.disconnect(streamClosed());
      }
    },
    dropConnections: () => listener.cut(),
    stop: close,
    start: () => listener.open(),
    close: async () => {
      behave();
      await close();
      for (const subscription of broker.subscriptions.values()) subscription.close();
      server.forceShutdown();
    },
  };
}

/** By its whole name, or its id. */
function find<T>(all: ReadonlyMap<string, T>, name: string): T | undefined {
  if (all.has(name)) return all.get(name);
  for (const [whole, found] of all) {
    if (idOf(whole) === name) return found;
  }
  return undefined;
}

function requestsOf({ requests }: Counts, methods: readonly Method[]): number {
  return Object.entries(requests)
    .filter(([method]) => methods.length === 0 || methods.some((wanted) => wanted === method))
    .reduce((sum, [, count]) => sum + count, 0);
}
