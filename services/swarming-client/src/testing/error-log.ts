import { createLogger, type Logger } from '@skolo/common/light';

/** A logger that passes on its errors, one line of JSON each. */
export function errorLog(onError: (line: string) => void): Logger {
  return createLogger({ service: 'test', level: 'error', destination: { write: onError } });
}
