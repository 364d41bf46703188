/**
 * Recognises log messages in a configuration that was read over a terminal, between its lines or inside one. A similar line may also
 * belong to a banner, so nothing is removed because of its form alone. Two readings decide: text that looks like a message is one if
 * only one reading has it; if both have it, it belongs to the configuration.
 */

import { setImmediate } from 'node:timers/promises';
import type { LineRule } from '../contract/backup.ts';
import { matches, matchingLines } from './text.ts';

interface MessageRules {
  /** Lines that may be log messages. */
  messages: readonly RegExp[];
  /** Lines that change without an edit, such as timestamps. */
  volatile: readonly LineRule[];
}

/** A message is recognised by its beginning. */
const longestBeginning = 4096;

/** Whether a line looks like a message. Lines have one character per byte. */
export function hasMessages(content: Buffer, messages: MessageRules['messages']): boolean {
  if (messages.length === 0) return false;
  // One line at a time, because all of them together would need many times its memory.
  for (let at = 0, end = 0; end >= 0; at = end + 1) {
    end = content.indexOf('\n', at);
    const lineEnd = Math.min(end < 0 ? content.length : end, at + longestBeginning);
    if (looksLike(content.toString('latin1', at, lineEnd), messages)) return true;
  }
  return false;
}

/**
 * The common content of two readings, after removing the messages from each. Undefined: they differ in something else.
 *
 * @returns the reading from which less was removed; `cut` is how much
 */
export async function withoutMessages(
  one: string,
  other: string,
  rules: MessageRules,
): Promise<{ text: string; cut: number } | undefined> {
  const sideOf = async (text: string): Promise<Side> => {
    const lines = text.split('\n');
    const volatile = await matchingLines(lines, rules.volatile);
    return { lines, volatile, at: 0, kept: [], cut: 0, ends: 0, isVolatile: false };
  };
  const walk = new Walk([await sideOf(one), await sideOf(other)], rules);
  if (!(await walk.run())) return undefined;
  const [a, b] = walk.sides.map(({ kept, cut }) => ({ text: kept.join('\n'), cut }));
  return a !== undefined && b !== undefined && a.cut < b.cut ? a : b;
}

/** Consecutive messages. */
const mostInRow = 64;
/** Text before a message on its line. */
const longestInFront = 512;

interface Side {
  lines: readonly string[];
  /** For each line, whether it is volatile. */
  volatile: readonly boolean[];
  at: number;
  kept: string[];
  /** Removed messages. */
  cut: number;
  /** Messages removed directly above, ignoring empty lines: each may have left the end of a line. */
  ends: number;
  /** Whether the last line is a volatile one: text after a following message may be the rest of it. */
  isVolatile: boolean;
}

/** Compares both line by line. */
class Walk {
  readonly sides: readonly [Side, Side];
  private readonly rules: MessageRules;

  constructor(sides: readonly [Side, Side], rules: MessageRules) {
    this.sides = sides;
    this.rules = rules;
  }

  /** Whether they have the same content. */
  async run(): Promise<boolean> {
    const [a, b] = this.sides;
    while (a.at < a.lines.length || b.at < b.lines.length) {
      if (this.takeSame()) continue;
      // A difference may take milliseconds, and there may be thousands, so each has a turn of the event loop of its own.
      await setImmediate();
      if (!(this.takeJoined(a, b) || this.takeJoined(b, a) || this.skip())) return false;
    }
    return true;
  }

  /** The same line in both, or a volatile one. */
  private takeSame(): boolean {
    const [a, b] = this.sides;
    const [one, other] = [a.lines[a.at], b.lines[b.at]];
    if (one === undefined || other === undefined) return false;
    if (one !== other && !(a.volatile[a.at] && b.volatile[b.at])) return false;
    keepLine(a, one, a.at + 1);
    keepLine(b, other, b.at + 1);
    for (const side of this.sides) side.isVolatile = one !== other;
    return true;
  }

  /** A line that messages have split, and the complete one in the other reading. */
  private takeJoined(side: Side, whole: Side): boolean {
    const wanted = whole.lines[whole.at];
    const joined = wanted === undefined ? undefined : this.joined(side, wanted);
    if (wanted === undefined || joined === undefined) return false;
    keepLine(side, wanted, joined.next);
    side.cut += joined.cut;
    keepLine(whole, wanted, whole.at + 1);
    return true;
  }

  private joined({ lines, at }: Side, wanted: string): { next: number; cut: number } | undefined {
    const { messages } = this.rules;
    const begun = lines[at] ?? '';
    let text = this.withoutOwn(begun, wanted);
    let cut = text === begun ? 0 : 1;
    let next = at + 1;
    if (cut > 0 && text === wanted) return { next, cut };
    while (text !== '' && wanted.startsWith(text)) {
      const before = cut;
      for (; next <= at + mostInRow && looksLike(lines[next] ?? '', messages); next += 1) cut += 1;
      const rest = lines[next];
      if (rest === undefined || cut === 0 || (cut === before && next > at + 1)) return undefined;
      text += rest;
      next += 1;
      if (text === wanted) return { next, cut };
    }
    return undefined;
  }

  /** A message may begin on the line that it interrupts. */
  private withoutOwn(line: string, wanted: string): string {
    const most = Math.min(line.length, wanted.length, longestInFront);
    for (let end = 1; end <= most && line[end - 1] === wanted[end - 1]; end += 1) {
      if (looksLike(line.slice(end), this.rules.messages)) return line.slice(0, end);
    }
    return line;
  }

  /** A message or a volatile line that the other reading lacks here. */
  private skip(): boolean {
    const [a, b] = this.sides;
    const [inA, inB] = [this.row(a), this.row(b)];
    // One of several consecutive messages may be in both.
    const isInBoth = inA[0] !== undefined && inB.includes(inA[0]);
    if (inA.length > 0 && !isInBoth) return drop(a);
    if (inB.length > 0) return drop(b);
    return this.dropEnd(a) || this.dropEnd(b) || this.keepVolatile(a) || this.keepVolatile(b);
  }

  /** The end of an interrupted line, or the rest of a volatile one. */
  private dropEnd(side: Side): boolean {
    const line = side.lines[side.at];
    if (side.ends === 0 || line === undefined || !(line === '' || side.isVolatile)) return false;
    side.kept.push(`${side.kept.pop() ?? ''}${line}`);
    side.at += 1;
    side.ends -= 1;
    return true;
  }

  private keepVolatile(side: Side): boolean {
    const line = side.lines[side.at];
    if (line === undefined || !side.volatile[side.at]) return false;
    keepLine(side, line, side.at + 1);
    return true;
  }

  /** Lines that look like messages, starting here. */
  private row({ lines, at }: Side): string[] {
    let end = at;
    while (end < at + mostInRow && looksLike(lines[end] ?? '', this.rules.messages)) end += 1;
    return lines.slice(at, end);
  }
}

function keepLine(side: Side, line: string, next: number): void {
  side.kept.push(line);
  side.at = next;
  side.isVolatile = false;
  if (line !== '') side.ends = 0;
}

function drop(side: Side): true {
  side.at += 1;
  side.cut += 1;
  side.ends += 1;
  return true;
}

function looksLike(line: string, messages: readonly RegExp[]): boolean {
  const beginning = line.slice(0, longestBeginning);
  return messages.some((rule) => matches(rule, beginning));
}
