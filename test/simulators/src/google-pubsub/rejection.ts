/**
 * Errors with the codes and the words of the service.
 *
 * Words that its users have quoted are its own; where none were found (ordering key, reserved and empty attribute keys,
 * filters) the code is the documented one and the words are ours in its manner.
 */
import { status } from '@grpc/grpc-js';

export type Code = Exclude<keyof typeof status, 'OK'>;

export class Rejection extends Error {
  readonly code: Code;

  constructor(code: Code, message: string) {
    super(message);
    this.name = 'Rejection';
    this.code = code;
  }

  /** As @grpc/grpc-js sends it. */
  get sent(): { code: status; details: string } {
    return { code: status[this.code], details: this.message };
  }
}

const quotas = 'Refer to https://cloud.google.com/pubsub/quotas for more information.';

export function invalid(message: string): Rejection {
  return new Rejection('INVALID_ARGUMENT', message);
}

export function invalidArgument(argument: string): Rejection {
  return invalid(`You have passed an invalid argument to the service (argument=${argument}).`);
}

export function invalidName(name: string): Rejection {
  return invalid(
    `Invalid resource name given (name=${name}). Refer to https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names for more information.`,
  );
}

export function notFound(id: string): Rejection {
  return new Rejection('NOT_FOUND', `Resource not found (resource=${id}).`);
}

export function alreadyExists(id: string): Rejection {
  return new Rejection(
    'ALREADY_EXISTS',
    `Resource already exists in the project (resource=${id}).`,
  );
}

/** @param what `message_count`, `request_size` */
export function tooLarge(what: string, passed: number, maximum: number): Rejection {
  return invalid(
    `The value for ${what} is too large. You passed ${passed} in the request, but the maximum value is ${maximum}.`,
  );
}

export function tooSmall(what: string, passed: number, minimum: number): Rejection {
  return invalid(
    `The value for ${what} is too small. You passed ${passed} in the request, but the minimum value is ${minimum}.`,
  );
}

export function payloadTooLarge(maximum: number): Rejection {
  return invalid(`Request payload size exceeds the limit: ${maximum} bytes.`);
}

export function emptyMessage(): Rejection {
  return invalid(
    'One or more messages in the publish request is empty. Each message must contain either non-empty data, or at least one attribute.',
  );
}

export function tooManyAttributes(count: number, maximum: number): Rejection {
  return invalid(
    `There are too many attributes in the request. The request contains ${count} attributes, but the maximum allowed is ${maximum}. ${quotas}`,
  );
}

export function attributeTooLarge(
  key: string,
  part: 'key' | 'value',
  bytes: number,
  maximum: number,
): Rejection {
  return invalid(
    `The attribute "${key}" in the request has a ${part} that is too large. The size is ${bytes} bytes, but the maximum allowed is ${maximum}. ${quotas}`,
  );
}

export function badAttributeKey(key: string): Rejection {
  return invalid(
    key === ''
      ? 'An attribute in the request has an empty key.'
      : `The attribute "${key}" in the request has a key that begins with "goog", which is reserved.`,
  );
}

export function orderingKeyTooLarge(bytes: number, maximum: number): Rejection {
  return invalid(
    `The ordering key in the request is too large. The size is ${bytes} bytes, but the maximum allowed is ${maximum}. ${quotas}`,
  );
}

export function mixedOrderingKeys(): Rejection {
  return new Rejection(
    'FAILED_PRECONDITION',
    'In a single publish request, all messages must have no ordering key or they must all have the same ordering key. [code=539b]',
  );
}

export function invalidAckId(ackId: string): Rejection {
  return invalid(`You have passed an invalid ack ID to the service (ack_id=${ackId}).`);
}

export function noAckIds(): Rejection {
  return invalid('You have not specified an ack ID in the request.');
}

export function invalidAckDeadline(seconds: number, minimum: number, maximum: number): Rejection {
  return invalid(
    `Invalid ack deadline given (ack_deadline=${seconds}). The ack deadline must be between ${minimum} and ${maximum} seconds.`,
  );
}

export function notSignedIn(hasToken: boolean): Rejection {
  const what = hasToken
    ? 'Request had invalid authentication credentials.'
    : 'Request is missing required authentication credential.';
  return new Rejection(
    'UNAUTHENTICATED',
    `${what} Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.`,
  );
}

export function streamClosed(): Rejection {
  return new Rejection(
    'UNAVAILABLE',
    'The StreamingPull stream closed for an expected reason and should be recreated, which is done automatically if using Cloud Pub/Sub client libraries. Refer to https://cloud.google.com/pubsub/docs/pull#streamingpull for more information.',
  );
}

/** What this simulator leaves out. */
export function leftOut(what: string): Rejection {
  return new Rejection('UNIMPLEMENTED', `The simulator has no ${what}.`);
}

/** What the service says for a reason of its own. */
export function usualWords(code: Code): string {
  return words[code] ?? 'The service was unable to fulfill your request.';
}

const words: Partial<Record<Code, string>> = {
  UNAVAILABLE: 'The service was unable to fulfill your request. Please try again. [code=8a75]',
  PERMISSION_DENIED: 'User not authorized to perform this action.',
  RESOURCE_EXHAUSTED:
    "Quota exceeded for quota metric 'Regional publisher throughput, kB' and limit 'Regional publisher throughput, kB per minute per region' of service 'pubsub.googleapis.com'.",
  INTERNAL:
    'A service error has occurred. Please retry your request. If the error persists, please report it.',
  DEADLINE_EXCEEDED: 'Deadline expired before operation could complete.',
  ABORTED: 'The operation was aborted.',
  NOT_FOUND: 'Resource not found.',
  UNAUTHENTICATED:
    'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.',
};
