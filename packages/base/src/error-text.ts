/**
 * Decides which secrets are removed (redacted) from errors before they are logged or shown: tokens, keys, user, password and query of URLs.
 */
/** Replaces secrets in logs, metrics, errors and responses. The same word that Secret prints. */
export const redacted = '<secret>';

const url = /\b([a-z][a-z0-9+.-]*:\/\/)([^\s"'<>`\\]+)/gi;
const secrets = [
  /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)/g,
  /\b(?<=bearer\s)[\w.~+/=-]+/gi,
  /\beyJ[\w-]+\.[\w-]+\.[\w-]*/g,
  /\bya29\.[\w.-]+/g,
  /\bskolo_[\w-]{20,}/g,
];

/** `text` without user, password, query and fragment in its URLs, and without anything that looks like a token or private key. */
export function stripSecrets(text: string): string {
  let stripped = text.replace(url, (_all, scheme: string, rest: string) => scheme + bareUrl(rest));
  for (const secret of secrets) stripped = stripped.replace(secret, redacted);
  return stripped;
}

function bareUrl(rest: string): string {
  const [beforeQuery = ''] = rest.split(/[?#]/, 1);
  const slash = beforeQuery.indexOf('/');
  const authority = slash < 0 ? beforeQuery : beforeQuery.slice(0, slash);
  return beforeQuery.slice(authority.lastIndexOf('@') + 1);
}

/** The message of an error, or of any thrown value, on one line and without secrets, for readyz, problems and logs. */
export function errorText(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return stripSecrets(text).replace(/\s*\n\s*/g, '; ');
}

interface LoggedError {
  type: string;
  message: string;
  code?: string;
  stack?: string;
  cause?: LoggedError;
  errors?: LoggedError[];
}

const deepest = 4;

/**
 * An error as logged, with only these fields, because an HTTP client's error contains the request with its headers and body,
 * the response with its tokens, and more with every release.
 */
export function loggedError(error: unknown, depth = 0): LoggedError {
  if (!(error instanceof Error)) return { type: typeof error, message: errorText(error) };
  const code = errorCode(error);
  return {
    type: error.name,
    message: stripSecrets(error.message),
    ...(code !== undefined && { code }),
    ...(error.stack && { stack: stripSecrets(error.stack) }),
    ...(error.cause !== undefined &&
      depth < deepest && { cause: loggedError(error.cause, depth + 1) }),
    ...(error instanceof AggregateError &&
      depth < deepest && {
        errors: error.errors.slice(0, 5).map((e) => loggedError(e, depth + 1)),
      }),
  };
}

/** The `code` of an error from Node or a library (`ENOENT`, `ECONNREFUSED`); undefined if it has none. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Reports whether a disk, or the share that a quota allows, is full. An error that was caused by such a one counts, too. */
export function isDiskFull(error: unknown): boolean {
  const errors = new Set([error]);
  // A set iterates over what is added meanwhile.
  for (const each of errors) {
    const code = errorCode(each);
    if (code === 'ENOSPC' || code === 'EDQUOT') return true;
    if (!(each instanceof Error)) continue;
    // SQLITE_FULL.
    if ('errcode' in each && each.errcode === 13) return true;
    errors.add(each.cause);
  }
  return false;
}

/** The thrown value as an Error, because JavaScript can throw any value. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
