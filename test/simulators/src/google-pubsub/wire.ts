/**
 * What travels, as the decoder gives it: https://cloud.google.com/pubsub/docs/reference/rpc/google.pubsub.v1
 *
 * The definitions are those that Google's client for Node.js brings along.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type {
  MethodDefinition,
  ServiceDefinition,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { fromJSON, type PackageDefinition } from '@grpc/proto-loader';

export interface WireMessage {
  data: Buffer;
  attributes: Record<string, string>;
  messageId: string;
  publishTime: { seconds: number; nanos: number } | null;
  orderingKey: string;
}

/** Absent settings have their default: empty, 0, false or null. */
export interface TopicResource {
  name: string;
  labels: Record<string, string>;
  messageRetentionDuration: object | null;
}

export interface SubscriptionResource {
  name: string;
  topic: string;
  labels: Record<string, string>;
  pushConfig: { pushEndpoint: string } | null;
  bigqueryConfig: object | null;
  cloudStorageConfig: object | null;
  ackDeadlineSeconds: number;
  enableMessageOrdering: boolean;
  enableExactlyOnceDelivery: boolean;
  filter: string;
  expirationPolicy: object | null;
  messageRetentionDuration: object | null;
}

export interface PublishRequest {
  topic: string;
  messages: WireMessage[];
  /** As it came over the wire. */
  requestBytes: number;
}

export interface Page {
  pageSize: number;
  pageToken: string;
}

export interface ReceivedMessage {
  ackId: string;
  message: WireMessage;
}

export interface AcknowledgeRequest {
  subscription: string;
  ackIds: string[];
}

export interface ModifyAckDeadlineRequest extends AcknowledgeRequest {
  ackDeadlineSeconds: number;
}

export interface StreamingPullRequest {
  subscription: string;
  ackIds: string[];
  modifyDeadlineSeconds: number[];
  modifyDeadlineAckIds: string[];
  streamAckDeadlineSeconds: number;
  maxOutstandingMessages: number;
  maxOutstandingBytes: number;
}

export interface StreamingPullResponse {
  receivedMessages: ReceivedMessage[];
  subscriptionProperties: { messageOrderingEnabled: boolean };
}

interface Definitions {
  publisher: ServiceDefinition<UntypedServiceImplementation>;
  subscriber: ServiceDefinition<UntypedServiceImplementation>;
}

let definitions: Definitions | undefined;

/** Once for the process: it takes a tenth of a second. */
export function loadDefinitions(): Definitions {
  definitions ??= readDefinitions();
  return definitions;
}

function readDefinitions(): Definitions {
  const file = createRequire(import.meta.url).resolve(
    '@google-cloud/pubsub/build/protos/protos.json',
  );
  const all = fromJSON(JSON.parse(readFileSync(file, 'utf8')), {
    longs: Number,
    enums: String,
    defaults: true,
  });
  const publisher = serviceOf(all, 'google.pubsub.v1.Publisher');
  const { Publish } = publisher;
  if (!Publish) throw new Error(`${file} has no Publish`);
  return {
    publisher: {
      ...publisher,
      Publish: {
        ...Publish,
        requestDeserialize: (bytes) => ({
          ...Publish.requestDeserialize(bytes),
          requestBytes: bytes.length,
        }),
      },
    },
    subscriber: serviceOf(all, 'google.pubsub.v1.Subscriber'),
  };
}

function serviceOf(
  all: PackageDefinition,
  name: string,
): ServiceDefinition<UntypedServiceImplementation> {
  const service = all[name];
  if (!service || 'format' in service) throw new Error(`the definitions have no service ${name}`);
  return Object.fromEntries(Object.entries(service).filter(isMethod));
}

function isMethod(entry: [string, unknown]): entry is [string, MethodDefinition<object, object>] {
  return typeof entry[1] === 'object';
}
