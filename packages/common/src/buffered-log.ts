import type { EventLog } from './log.ts';

/** Buffers the log lines of a start, so that `listening` is the first. */
export class BufferedLog implements EventLog {
  private buffer: (() => void)[] | undefined = [];
  private readonly log: EventLog;

  constructor(log: EventLog) {
    this.log = log;
  }

  info(fields: object, message: string): void {
    this.add(() => this.log.info(fields, message));
  }

  warn(fields: object, message: string): void {
    this.add(() => this.log.warn(fields, message));
  }

  error(fields: object, message: string): void {
    this.add(() => this.log.error(fields, message));
  }

  /** Writes buffered lines. Later lines are written at once. */
  release(): void {
    const lines = this.buffer ?? [];
    this.buffer = undefined;
    for (const write of lines) write();
  }

  private add(write: () => void) {
    if (this.buffer === undefined) write();
    else this.buffer.push(write);
  }
}
