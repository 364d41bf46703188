/** The log: levels, fields, and which fields are redacted; secrets in errors and URLs are removed by `error-text.ts` in packages/base. */
import type { Writable } from 'node:stream';
import { loggedError, redacted } from '@skolo/base';
import pino from 'pino';

export type Logger = pino.Logger;

type LogLine = (fields: object, message: string) => void;

/** A log with fields and a constant message. */
export interface EventLog {
  info: LogLine;
  warn: LogLine;
  error: LogLine;
}

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Fields that are never logged, at any depth. */
const secretFields: ReadonlySet<string> = new Set([
  'authorization',
  'Authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'token',
  'accessToken',
  'access_token',
  'idToken',
  'id_token',
  'refreshToken',
  'refresh_token',
  'assertion',
  'client_secret',
  'secret',
  'password',
  'enablePassword',
  'kg',
  'passphrase',
  'privateKey',
  'private_key',
  'community',
  'authKey',
  'privKey',
]);

/** Of errors; their texts are searched for secrets instead. */
const serializers = { err: loggedError, error: loggedError };

/** Deeper objects are not logged, so that one that contains itself has an end. */
const deepest = 8;

/** A copy without secrets. pino's own `redact` takes paths, down to a fixed depth, and searches each line for every one of them. */
function withoutSecrets(fields: object, depth = 0): Record<string, unknown> {
  const entries = Object.entries(fields).map(([name, value]) => {
    if (secretFields.has(name)) return [name, redacted];
    return [name, depth === 0 && name in serializers ? value : loggable(value, depth + 1)];
  });
  return Object.fromEntries(entries);
}

function loggable(value: unknown, depth: number): unknown {
  if (value instanceof Error) return loggedError(value);
  if (typeof value !== 'object' || value === null || 'toJSON' in value) return value;
  if (depth > deepest) return '…';
  if (Array.isArray(value)) return value.map((each) => loggable(each, depth + 1));
  return withoutSecrets(value, depth);
}

interface LoggerOptions {
  service: string;
  level?: LogLevel | undefined;
  /** Default stdout. */
  destination?: pino.DestinationStream;
  /** Also receives each line. */
  onLine?: ((line: string) => void) | undefined;
}

/**
 * One JSON object per line: `level` as a word, `time` in RFC 3339 UTC, `service`, `msg` and fields. The message is constant
 * for each kind of event. An error is the field `err`, printed without secrets.
 */
export function createLogger(options: LoggerOptions): Logger {
  const { service, level = 'info', destination = stdout(), onLine } = options;
  return pino(
    {
      level,
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => withoutSecrets(fields),
      },
      serializers,
    },
    onLine === undefined ? destination : tee(destination, onLine),
  );
}

/** The same log, with these fields in each line. pino formats lines, but not the fields of its `child`. */
export function logWith(log: Logger, fields: object): Logger {
  return log.child(withoutSecrets(fields));
}

function tee(destination: pino.DestinationStream, onLine: (line: string) => void) {
  return {
    write(line: string) {
      onLine(line);
      destination.write(line);
    },
  };
}

/** For a terminal. Loaded on demand. */
export async function prettyLines(destination: Writable): Promise<pino.DestinationStream> {
  const { default: pretty } = await import('pino-pretty');
  return pretty({ destination, sync: true, ignore: 'service', translateTime: 'SYS:HH:MM:ss.l' });
}

/** Synchronous, so that the last line before an exit is written. A full disk or a closed pipe loses lines only. */
function stdout(): pino.DestinationStream {
  const stream = pino.destination({ fd: 1, sync: true });
  stream.on('error', () => undefined);
  return stream;
}
