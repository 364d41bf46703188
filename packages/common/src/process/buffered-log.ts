import type { EventLog } from './log.ts';

/** Buffers the log lines of a start, so that `listening` is the first. */
export interface BufferedLog extends EventLog {
  /** Writes buffered lines. Later lines are written at once. */
  release(): void;
}

export function bufferedLog(log: EventLog): BufferedLog {
  let buffer: (() => void)[] | undefined = [];
  const later = (level: keyof EventLog) => (fields: object, message: string) => {
    const write = () => log[level](fields, message);
    if (buffer === undefined) write();
    else buffer.push(write);
  };
  return {
    info: later('info'),
    warn: later('warn'),
    error: later('error'),
    release() {
      const lines = buffer ?? [];
      buffer = undefined;
      for (const write of lines) write();
    },
  };
}
