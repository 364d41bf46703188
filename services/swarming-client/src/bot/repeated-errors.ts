/**
 * Decides which lines of the bot are logged: an error that it repeats in each of its loops is folded. A message is a line with a time and
 * the following lines without one, such as a stack. Its first occurrence in an hour is passed on; repeats that differ only in process and
 * time are counted, and the count accompanies the next one.
 */
import type { Clock } from '@skolo/common/light';

interface RepeatedErrorsDeps {
  clock: Pick<Clock, 'now' | 'uptime'>;
  emit: (line: string) => void;
}

/** `1234 2026-11-20 10:00:00.123 E: …` */
const stamp = /^(?:\d+ )?\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d+)?Z? */;
const foldSeconds = 3600;
const mostMessages = 100;
const mostLines = 100;

interface Message {
  /** After the first one. */
  lines: string[];
  folded: number;
  /** Seconds since boot. */
  until: number;
  since: Date;
}

export class RepeatedErrors {
  private readonly deps: RepeatedErrorsDeps;
  private readonly known = new Map<string, Message>();
  /** The message being received. `folded`: its first line, while nothing of it was passed on. */
  private current: { message: Message; at: number; folded: string | undefined } | undefined;

  constructor(deps: RepeatedErrorsDeps) {
    this.deps = deps;
  }

  add(line: string): void {
    const [time] = stamp.exec(line) ?? [];
    if (time === undefined) this.goOn(line);
    else this.startMessage(line, line.slice(time.length));
  }

  private startMessage(line: string, text: string): void {
    const { clock, emit } = this.deps;
    const before = this.known.get(text);
    if (before !== undefined && clock.uptime() < before.until) {
      before.folded += 1;
      this.current = { message: before, at: 0, folded: line };
      return;
    }
    const since = before?.since.toISOString().slice(0, 19);
    emit(before?.folded ? `${line} (and ${before.folded} times since ${since}Z)` : line);
    const message: Message = {
      lines: [],
      folded: 0,
      until: clock.uptime() + foldSeconds,
      since: new Date(clock.now()),
    };
    // Oldest first.
    this.known.delete(text);
    this.known.set(text, message);
    for (const oldest of this.known.keys()) {
      if (this.known.size <= mostMessages) break;
      this.known.delete(oldest);
    }
    this.current = { message, at: 0, folded: undefined };
  }

  private goOn(line: string): void {
    const { current } = this;
    const { emit } = this.deps;
    if (current?.folded !== undefined) {
      const { message, at, folded } = current;
      if (message.lines[at] === line || at >= mostLines) {
        current.at += 1;
        return;
      }
      // It begins like the other, but differs.
      message.folded -= 1;
      message.lines = message.lines.slice(0, at);
      current.folded = undefined;
      for (const each of [folded, ...message.lines]) emit(each);
    }
    if (current !== undefined && current.message.lines.length < mostLines) {
      current.message.lines.push(line);
    }
    emit(line);
  }
}
