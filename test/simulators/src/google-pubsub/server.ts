import { Server, ServerCredentials } from '@grpc/grpc-js';
import { CallLog } from '../cloud/call-log.ts';
import { ScriptedAnswers, type ScriptOptions } from '../cloud/scripted.ts';
import { Listener } from '../listener.ts';
import { Broker } from './broker.ts';
import type { Method, PubSubCall } from './calls.ts';
import { idOf } from './limits.ts';
import { type Counts, Reception, type ScriptedError } from './reception.ts';
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
  /** False: what was published and called is counted only, not remembered. */
  keep?: boolean;
  /** Whether a bearer token, or none, is good; any, and none, is when absent. Clients send theirs over TLS only. */
  accepts?: (token: string | undefined) => boolean;
  /** Speaks TLS instead of plain text. PEM. */
  tls?: { key: string; certificate: string };
}

type PublishListener = (topic: string, messages: readonly PublishedMessage[]) => void;

interface MessageToPublish {
  data?: Buffer | string;
  attributes?: Record<string, string>;
  orderingKey?: string;
}

/**
 * Starts a server on loopback that behaves as Google Cloud Pub/Sub with pull subscriptions: publishing with the
 * service's limits, ordering keys, filters, leases and flow control. It keeps books, and answers what a test scripts.
 *
 * Left out: push and export subscriptions, exactly-once delivery, snapshots and seek, schemas, IAM. Expiry, retention,
 * retry and dead-letter policies are accepted and not obeyed.
 */
export async function startGooglePubSub(options: GooglePubSubOptions = {}): Promise<GooglePubSub> {
  const started = new GooglePubSub(options);
  await started.start();
  return started;
}

/** Google Cloud Pub/Sub on loopback; see `startGooglePubSub`. Topics and subscriptions may be named by their id alone. */
export class GooglePubSub {
  readonly counts: Readonly<Counts>;
  readonly host: string;
  private readonly log = new CallLog<PubSubCall>();
  private readonly scripted = new ScriptedAnswers<ScriptedError, Method>();
  private readonly listeners = new Set<PublishListener>();
  private readonly broker: Broker;
  private readonly server: Server;
  private readonly listener: Listener;

  constructor({
    host = '127.0.0.1',
    port = 0,
    topics = [],
    keep = true,
    ...rest
  }: GooglePubSubOptions) {
    const counts: Counts = { requests: {}, rejected: 0, messages: 0, bytes: 0 };
    this.counts = counts;
    this.host = host;
    this.broker = new Broker({
      keep,
      published: (topic, messages) => {
        counts.messages += messages.length;
        for (const { data } of messages) counts.bytes += data.length;
        for (const listener of this.listeners) listener(topic, messages);
        this.log.update();
      },
    });
    // What is too large is rejected in the service's words, not by the library.
    this.server = new Server({ 'grpc.max_receive_message_length': -1 });
    const injector = this.server.createConnectionInjector(credentialsOf(rest.tls));
    this.listener = new Listener(host, port, (socket) => injector.injectConnection(socket));
    const reception = new Reception({
      broker: this.broker,
      log: this.log,
      scripted: this.scripted,
      counts,
      keep,
      accepts: rest.accepts,
    });
    const definitions = loadDefinitions();
    this.server.addService(definitions.publisher, reception.publisher());
    this.server.addService(definitions.subscriber, reception.subscriber());
    for (const name of topics) this.addTopic(name);
  }

  /** `127.0.0.1:PORT`: PUBSUB_EMULATOR_HOST, or `apiEndpoint` of the client. */
  get endpoint(): string {
    return `${this.host}:${this.port}`;
  }

  get port(): number {
    return this.listener.port;
  }

  addTopic(name: string): void {
    this.broker.createTopic({ name, labels: {}, messageRetentionDuration: null });
  }

  addSubscription(
    name: string,
    topic: string,
    settings: {
      filter?: string;
      enableMessageOrdering?: boolean;
      ackDeadlineSeconds?: number;
    } = {},
  ): void {
    this.broker.createSubscription({
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
  }

  /** Publishes, as another client would have. @throws Rejection */
  publish(topic: string, ...messages: MessageToPublish[]): void {
    this.broker.publish({
      topic: find(this.broker.topics, topic)?.resource.name ?? topic,
      messages: messages.map(({ data = '', attributes = {}, orderingKey = '' }) => ({
        data: Buffer.from(data),
        attributes,
        orderingKey,
        messageId: '',
        publishTime: null,
      })),
      requestBytes: 0,
    });
  }

  /** What was published to a topic, oldest first; empty when nothing is kept. */
  published(topic: string): readonly PublishedMessage[] {
    return find(this.broker.topics, topic)?.messages ?? [];
  }

  /** Tells of each publish that is stored, before it is answered. Returns what ends that. */
  onPublish(listener: PublishListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Of a subscription: not acknowledged, and how many of those are out. */
  unacknowledged(subscription: string): { messages: number; out: number } {
    const found = find(this.broker.subscriptions, subscription);
    return found?.unacknowledged ?? { messages: 0, out: 0 };
  }

  /** Every call so far, oldest first; empty when nothing is kept. */
  get calls(): readonly PubSubCall[] {
    return this.log.calls;
  }

  /** Resolves once so many calls have arrived, of these methods where given. */
  async callsSeen(count: number, ...methods: Method[]): Promise<void> {
    await this.log.until(() => requestsOf(this.counts, methods) >= count);
  }

  /** Answers the next calls with this; what was scripted earlier comes first. */
  script(error: ScriptedError, options?: ScriptOptions<Method>): void {
    this.scripted.add(error, options);
  }

  /** Answers as Pub/Sub does again. */
  behave(): void {
    this.scripted.clear();
  }

  /** All messages that are out go out again, as if their time had passed. */
  expireLeases(): void {
    for (const subscription of this.broker.subscriptions.values()) subscription.expireLeases();
  }

  /** Ends all open StreamingPulls, as the service does now and then. */
  endStreams(): void {
    for (const subscription of this.broker.subscriptions.values()) {
      subscription.disconnect(streamClosed());
    }
  }

  /** An outage: connections are refused, those that are open end. */
  async stop(): Promise<void> {
    this.listener.cut();
    await this.listener.close();
  }

  /** The same port again, with all that was stored. */
  async start(): Promise<void> {
    await this.listener.open();
  }

  async close(): Promise<void> {
    await this.stop();
    for (const subscription of this.broker.subscriptions.values()) subscription.close();
    this.server.forceShutdown();
  }
}

function credentialsOf(tls: GooglePubSubOptions['tls']): ServerCredentials {
  if (!tls) return ServerCredentials.createInsecure();
  const pair = { private_key: Buffer.from(tls.key), cert_chain: Buffer.from(tls.certificate) };
  return ServerCredentials.createSsl(null, [pair]);
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
