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

/** Fields that are never logged, at the top level and up to two objects deep. */
const secretFields = [
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
];

const redactPaths = ['', '*.', '*.*.'].flatMap((depth) =>
  secretFields.map((field) =>
    field.includes('-') ? `${depth.slice(0, -1)}["${field}"]` : depth + field,
  ),
);

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
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: redactPaths, censor: redacted },
      serializers: { err: loggedError, error: loggedError },
    },
    onLine === undefined ? destination : tee(destination, onLine),
  );
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
