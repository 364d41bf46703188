/**
 * Decides whether a Pub/Sub error is about the message, the credentials, the topic or the connection:
 * https://cloud.google.com/pubsub/docs/reference/error-codes
 */
import { type GrpcCode, grpcCode, grpcText } from '../pubsub/grpc.ts';
import { SinkError, type SinkReason } from '../sink.ts';

interface Kind {
  reason: SinkReason;
  hint: string;
}

const unavailable: Kind = { reason: 'unavailable', hint: 'skolo retries the request' };

const kinds: Partial<Record<GrpcCode, Kind>> = {
  DEADLINE_EXCEEDED: { reason: 'timeout', hint: 'skolo retries the request' },
  PERMISSION_DENIED: {
    reason: 'permission',
    hint: 'grant the account roles/pubsub.publisher on the topic, and check that the Pub/Sub API is enabled in the project',
  },
  UNAUTHENTICATED: { reason: 'credentials', hint: 'fix services.alert-to-pubsub.credentials' },
  RESOURCE_EXHAUSTED: {
    reason: 'quota',
    hint: 'skolo retries the request; if this persists, raise the quota',
  },
  NOT_FOUND: {
    reason: 'topic',
    hint: 'check the project and topic in rack.yaml, or create the topic',
  },
  // The topic's encryption key is not usable, or this region may not store its messages: not the message's fault.
  FAILED_PRECONDITION: { reason: 'topic', hint: "check the topic's encryption key and regions" },
  UNIMPLEMENTED: { reason: 'topic', hint: 'fix services.alert-to-pubsub.endpoint' },
  INVALID_ARGUMENT: {
    reason: 'rejected',
    hint: "fix services.alert-to-pubsub or the topic's schema",
  },
  OUT_OF_RANGE: {
    reason: 'rejected',
    hint: "fix services.alert-to-pubsub or the topic's schema",
  },
};

/**
 * @param topic `projects/P/topics/T`
 * @param proxy of the connection
 */
export function publishError(error: unknown, topic: string, proxy: string): SinkError {
  if (error instanceof SinkError) return error;
  const code = grpcCode(error) ?? 'UNKNOWN';
  const text = grpcText(error);
  const { reason, hint } = isAboutNames(code, text)
    ? { reason: 'topic' as const, hint: 'check the project and topic in rack.yaml' }
    : (kinds[code] ?? unavailable);
  const via = reason === 'unavailable' || reason === 'timeout' ? proxy : '';
  return new SinkError(reason, code, `Pub/Sub${via}, ${topic}: ${code}: ${text}; ${hint}`);
}

/** The topic is missing, and could not be created. */
export function topicMissing(error: unknown, topic: string): SinkError {
  const code = grpcCode(error) ?? 'UNKNOWN';
  const [, project, , name] = topic.split('/');
  const hint = `grant roles/pubsub.editor to the account, or create the topic with gcloud pubsub topics create ${name} --project ${project}`;
  const why = `${topic} is missing and could not be created: ${code}: ${grpcText(error)}`;
  return new SinkError('topic', code, `Pub/Sub: ${why}; ${hint}`);
}

/** In this case no message would be accepted, so the message is not at fault. */
function isAboutNames(code: GrpcCode, text: string): boolean {
  return code === 'INVALID_ARGUMENT' && /resource name/i.test(text);
}
