import type { EventLog } from './log.ts';

/** Keeps the lines of a start back, so that `listening` is the first one. */
export class HeldLog implements EventLog {
  private held: (() => void)[] | undefined = [];
  private readonly log: EventLog;

  constructor(log: EventLog) {
    this.log = log;
  }

  info(fields: object, message: string): void {
    this.say(() => this.log.info(fields, message));
  }

  warn(fields: object, message: string): void {
    this.say(() => this.log.warn(fields, message));
  }

  error(fields: object, message: string): void {
    this.say(() => this.log.error(fields, message));
  }

  /** Writes them now, and those to come at once. */
  release(): void {
    const held = this.held ?? [];
    this.held = undefined;
    for (const say of held) say();
  }

  private say(line: () => void) {
    if (this.held === undefined) line();
    else this.held.push(line);
  }
}
