/** gRPC errors: their code, and their text without wrapping. */

/** By number: https://grpc.io/docs/guides/status-codes/ */
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

export function grpcCode(error: unknown): GrpcCode | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'number' ? codes[error.code] : undefined;
}

/** Enough for people; some errors fill a page. */
const mostChars = 500;

/** On one line. */
export function grpcText(error: unknown): string {
  const details = error instanceof Error && 'details' in error ? error.details : undefined;
  const message = error instanceof Error ? error.message : String(error);
  if (typeof details !== 'string' || details === '') return firstLine(message);
  // gRPC adds the history of the error.
  const [, last] = /Last error: (?:Error: )?(.+?)\.? Resolution note:/.exec(details) ?? [];
  return firstLine(last ?? details);
}

function firstLine(text: string): string {
  return (text.split('\n')[0] ?? '').trim().replace(/\.$/, '').slice(0, mostChars);
}
