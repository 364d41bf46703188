/** Subscription errors, for people. */
import { NamedError } from '@skolo/base';
import { type GrpcCode, grpcCode, grpcText } from '../pubsub/grpc.ts';
import { SinkError } from '../sink.ts';
import { StreamEnded } from './pull-stream.ts';

/** An operator must fix these: retries do not help. */
const lasting: readonly (GrpcCode | undefined)[] = [
  'INVALID_ARGUMENT',
  'NOT_FOUND',
  'PERMISSION_DENIED',
  'FAILED_PRECONDITION',
  'UNAUTHENTICATED',
];

/** Messages cannot be received. The error message has the reason and says what to do. */
export class SubscribeError extends NamedError {
  readonly code = 'SUBSCRIBE';
  /** Retries do not help. */
  readonly isLasting: boolean;

  constructor(message: string, isLasting: boolean, options?: ErrorOptions) {
    super(message, options);
    this.isLasting = isLasting;
  }
}

interface Where {
  /** `projects/P/topics/T`. */
  topic: string;
  /** `projects/P/subscriptions/S`. */
  subscription: string;
  isTemporary: boolean;
}

/** @param thrown any error of the library */
export function subscribeError(thrown: unknown, where: Where): SubscribeError {
  const error = thrown instanceof StreamEnded ? thrown.cause : thrown;
  const code = codeOf(error);
  const cause = { cause: error };
  // A credentials error, before anything was sent.
  if (error instanceof SinkError) {
    return new SubscribeError(error.message, error.reason === 'credentials', cause);
  }
  const text = textOf(code, error, where) ?? `${where.subscription}: ${grpcText(error)}`;
  return new SubscribeError(text, lasting.includes(code), cause);
}

function textOf(
  code: GrpcCode | undefined,
  error: unknown,
  { topic, subscription, isTemporary }: Where,
): string | undefined {
  switch (code) {
    case 'NOT_FOUND':
      return isTemporary
        ? `${topic}: no such topic; check the project and topic in rack.yaml, or wait until the first alert creates the topic`
        : `${subscription}: no such subscription; create it, or omit --subscription to use a temporary one`;
    case 'PERMISSION_DENIED':
      return isTemporary
        ? `${topic}: the account does not have permission to create a subscription; grant it roles/pubsub.editor, or specify an existing subscription`
        : `${subscription}: the account does not have permission to read this subscription; grant it roles/pubsub.subscriber`;
    case 'UNAUTHENTICATED':
      return `${topic}: the credentials are invalid; specify other credentials`;
    case 'DEADLINE_EXCEEDED':
      return `${topic}: Pub/Sub did not respond in time; check the network`;
    case 'UNAVAILABLE':
      return `${topic}: Pub/Sub cannot be reached: ${grpcText(error)}`;
    default:
      return undefined;
  }
}

/** Also for an error that ended a stream. */
export function codeOf(thrown: unknown): GrpcCode | undefined {
  return grpcCode(thrown instanceof StreamEnded ? thrown.cause : thrown);
}
