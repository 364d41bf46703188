import type { Writable } from 'node:stream';
import { loggedError, redacted } from '@skolo/errors';
import pino from 'pino';

export type Logger = pino.Logger;

type LogLine = (fields: object, message: string) => void;

/** A log as our own parts use it: facts, and a constant message. */
export interface EventLog {
  info: LogLine;
  warn: LogLine;
  error: LogLine;
}

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Fields that are never shown, at the top of a log line and up to two objects deep. */
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

export interface LoggerOptions {
  service: string;
  level?: LogLevel | undefined;
  /** Where the lines go; default stdout. */
  destination?: pino.DestinationStream;
  /** Is told each line, too. */
  onLine?: ((line: string) => void) | undefined;
}

/**
 * One JSON object a line: `level` as a word, `time` in RFC 3339 UTC, `service`, `msg`, and the facts as fields. The
 * message is constant for each kind of event. An error is given as `err`, and printed without secrets.
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
    onLine === undefined ? destination : heard(destination, onLine),
  );
}

function heard(destination: pino.DestinationStream, onLine: (line: string) => void) {
  return {
    write(line: string) {
      onLine(line);
      destination.write(line);
    },
  };
}

/** For people at a terminal. Loaded only then: in an image nobody needs it. */
export async function prettyLines(destination: Writable): Promise<pino.DestinationStream> {
  const { default: pretty } = await import('pino-pretty');
  return pretty({ destination, sync: true, ignore: 'service', translateTime: 'SYS:HH:MM:ss.l' });
}

/** Written at once, so that the last line before an exit is not lost. A full disk or a closed pipe costs the line, not the service. */
function stdout(): pino.DestinationStream {
  const stream = pino.destination({ fd: 1, sync: true });
  stream.on('error', () => undefined);
  return stream;
}
