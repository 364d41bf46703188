import { createLogger, type Logger } from '@skolo/common/light';

/** A logger that hands over its errors, a line of JSON each. */
export function errorLog(onError: (line: string) => void): Logger {
  return createLogger({ service: 'test', level: 'error', destination: { write: onError } });
}
