/** What Pub/Sub refuses, in words for people: https://cloud.google.com/pubsub/docs/reference/error-codes */
import { saidBy } from '../grpc-text.ts';
import { SinkError, type SinkReason } from './sink.ts';

/** Of gRPC, by number: https://grpc.io/docs/guides/status-codes/ */
const codes = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;
export type GrpcCode = (typeof codes)[number];

interface Kind {
  reason: SinkReason;
  hint: string;
}

const away: Kind = { reason: 'unavailable', hint: 'it is tried again' };

const kinds: Partial<Record<GrpcCode, Kind>> = {
  DEADLINE_EXCEEDED: { reason: 'timeout', hint: 'it is tried again' },
  PERMISSION_DENIED: {
    reason: 'permission',
    hint: 'give the account roles/pubsub.publisher on the topic, and see that the Pub/Sub API is enabled in the project',
  },
  UNAUTHENTICATED: { reason: 'credentials', hint: 'correct services.alert-to-pubsub.credentials' },
  RESOURCE_EXHAUSTED: { reason: 'quota', hint: 'it is tried again; or raise the quota' },
  NOT_FOUND: { reason: 'topic', hint: 'correct project and topic, or make the topic' },
  // The key that encrypts the topic is not usable, or this region may not store its messages: of this no message is guilty.
  FAILED_PRECONDITION: { reason: 'topic', hint: "look at the topic's encryption key and regions" },
  UNIMPLEMENTED: { reason: 'topic', hint: 'correct services.alert-to-pubsub.endpoint' },
  INVALID_ARGUMENT: {
    reason: 'refused',
    hint: 'correct services.alert-to-pubsub, or the schema of the topic',
  },
  OUT_OF_RANGE: {
    reason: 'refused',
    hint: 'correct services.alert-to-pubsub, or the schema of the topic',
  },
};

export function grpcCode(error: unknown): GrpcCode | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'number' ? codes[error.code] : undefined;
}

/** @param topic `projects/P/topics/T` */
export function publishError(error: unknown, topic: string): SinkError {
  if (error instanceof SinkError) return error;
  const code = grpcCode(error) ?? 'UNKNOWN';
  const said = saidBy(error);
  const { reason, hint } = isAboutNames(code, said)
    ? { reason: 'topic' as const, hint: 'correct project and topic' }
    : (kinds[code] ?? away);
  return new SinkError(reason, code, `Pub/Sub, ${topic}: ${code}: ${said}; ${hint}`);
}

/** The topic is not there, and could not be made. */
export function topicMissing(error: unknown, topic: string): SinkError {
  const code = grpcCode(error) ?? 'UNKNOWN';
  const [, project, , name] = topic.split('/');
  const hint = `make it (gcloud pubsub topics create ${name} --project ${project}), or give the account roles/pubsub.editor`;
  const why = `${topic} is not there and could not be made: ${code}: ${saidBy(error)}`;
  return new SinkError('topic', code, `Pub/Sub: ${why}; ${hint}`);
}

/** Then no message would pass, and none is guilty. */
function isAboutNames(code: GrpcCode, said: string): boolean {
  return code === 'INVALID_ARGUMENT' && /resource name/i.test(said);
}
