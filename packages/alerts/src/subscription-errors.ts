/** What Pub/Sub refuses or does not do, in words for people. */

import { saidBy } from './grpc-text.ts';
import { StreamEnded } from './pull-stream.ts';
import { SinkError } from './sinks/sink.ts';

/** Codes of gRPC that have a meaning here: https://grpc.io/docs/guides/status-codes/ */
export const grpcCodes = {
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  failedPrecondition: 9,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** What somebody has to put right; it does not pass by itself. */
const lasting: readonly number[] = [
  grpcCodes.invalidArgument,
  grpcCodes.notFound,
  grpcCodes.permissionDenied,
  grpcCodes.failedPrecondition,
  grpcCodes.unauthenticated,
];

/** Messages cannot be had. The message says which, why, and what to do. */
export class SubscribeError extends Error {
  readonly code = 'SUBSCRIBE';
  /** It does not pass by itself. */
  readonly isLasting: boolean;

  constructor(message: string, isLasting: boolean, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SubscribeError';
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

/** @param thrown whatever the library threw */
export function subscribeError(thrown: unknown, where: Where): SubscribeError {
  const error = thrown instanceof StreamEnded ? thrown.cause : thrown;
  const code = grpcCodeOf(error);
  const cause = { cause: error };
  // Of the credentials, before anything was sent.
  if (error instanceof SinkError) {
    return new SubscribeError(error.message, error.reason === 'credentials', cause);
  }
  const text = textOf(code, error, where) ?? `${where.subscription}: ${saidBy(error)}`;
  return new SubscribeError(text, code !== undefined && lasting.includes(code), cause);
}

function textOf(
  code: number | undefined,
  error: unknown,
  { topic, subscription, isTemporary }: Where,
): string | undefined {
  switch (code) {
    case grpcCodes.notFound:
      return isTemporary
        ? `${topic}: there is no such topic; correct project and topic, or wait for the first alert, which makes it`
        : `${subscription}: there is no such subscription; make it, or name none, and a temporary one is made`;
    case grpcCodes.permissionDenied:
      return isTemporary
        ? `${topic}: these credentials may not make a subscription (roles/pubsub.editor may); or name one that exists`
        : `${subscription}: these credentials may not read it; they need roles/pubsub.subscriber`;
    case grpcCodes.unauthenticated:
      return `${topic}: these credentials are not valid; give other ones`;
    case grpcCodes.deadlineExceeded:
      return `${topic}: Pub/Sub does not answer; is the network there?`;
    case grpcCodes.unavailable:
      return `${topic}: Pub/Sub cannot be reached: ${saidBy(error)}`;
    default:
      return undefined;
  }
}

export function grpcCodeOf(thrown: unknown): number | undefined {
  const error = thrown instanceof StreamEnded ? thrown.cause : thrown;
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'number' ? error.code : undefined;
}
