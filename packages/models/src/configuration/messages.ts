/**
 * Log messages in a configuration that came over a terminal: between its lines, or in the middle of one. A line that looks like
 * one may as well belong to a banner, so nothing is taken out for its looks. Two readings decide: what looks like a message and
 * is in one of them only is a message; what is in both belongs to the configuration.
 */

import { matches } from './text.ts';

interface MessageRules {
  /** Lines that may be log messages. */
  messages: readonly RegExp[];
  /** Lines that change without an edit, such as timestamps. */
  volatile: readonly RegExp[];
}

/** Whether a line looks like a message. */
export function hasMessages(text: string, { messages }: Pick<MessageRules, 'messages'>): boolean {
  return messages.length > 0 && text.split('\n').some((line) => looksLike(line, messages));
}

/**
 * What two readings have in common once the messages of each are taken out. Undefined: they differ in something else.
 *
 * @returns the reading from which less was taken; `cut` is how much that was
 */
export function withoutMessages(
  one: string,
  other: string,
  rules: MessageRules,
): { text: string; cut: number } | undefined {
  const walk = new Walk([one.split('\n'), other.split('\n')], rules);
  if (!walk.run()) return undefined;
  const [a, b] = walk.sides.map(({ kept, cut }) => ({ text: kept.join('\n'), cut }));
  return a !== undefined && b !== undefined && a.cut < b.cut ? a : b;
}

/** Messages that come one after another. */
const mostInRow = 64;
/** Text in front of a message, in its line. */
const longestInFront = 512;

interface Side {
  lines: readonly string[];
  at: number;
  kept: string[];
  /** Messages that were taken out. */
  cut: number;
  /** Messages that were taken out directly above, empty lines apart: each may have left the end of a line. */
  ends: number;
  /** Whether the last line is one that changes by itself: what follows a message behind it may be the rest of it. */
  isVolatile: boolean;
}

/** Goes through both, line by line. */
class Walk {
  readonly sides: readonly [Side, Side];
  private readonly rules: MessageRules;

  constructor([one, other]: [readonly string[], readonly string[]], rules: MessageRules) {
    const side = (lines: readonly string[]): Side => ({
      lines,
      at: 0,
      kept: [],
      cut: 0,
      ends: 0,
      isVolatile: false,
    });
    this.sides = [side(one), side(other)];
    this.rules = rules;
  }

  /** Whether they say the same. */
  run(): boolean {
    const [a, b] = this.sides;
    while (a.at < a.lines.length || b.at < b.lines.length) {
      if (!(this.takeSame() || this.takeJoined(a, b) || this.takeJoined(b, a) || this.skip())) {
        return false;
      }
    }
    return true;
  }

  /** The same line in both, or one that changes by itself. */
  private takeSame(): boolean {
    const [a, b] = this.sides;
    const [one, other] = [a.lines[a.at], b.lines[b.at]];
    if (one === undefined || other === undefined || !this.isSameLine(one, other)) return false;
    keep(a, one, a.at + 1);
    keep(b, other, b.at + 1);
    for (const side of this.sides) side.isVolatile = one !== other;
    return true;
  }

  /** A line that messages cut in pieces, and the whole one of the other reading. */
  private takeJoined(side: Side, whole: Side): boolean {
    const wanted = whole.lines[whole.at];
    const joined = wanted === undefined ? undefined : this.joined(side, wanted);
    if (wanted === undefined || joined === undefined) return false;
    keep(side, wanted, joined.next);
    side.cut += joined.cut;
    keep(whole, wanted, whole.at + 1);
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

  /** A message may begin in the line that it cuts. */
  private withoutOwn(line: string, wanted: string): string {
    const most = Math.min(line.length, wanted.length, longestInFront);
    for (let end = 1; end <= most && line[end - 1] === wanted[end - 1]; end += 1) {
      if (looksLike(line.slice(end), this.rules.messages)) return line.slice(0, end);
    }
    return line;
  }

  /** A message, or a line that changes by itself, that the other reading does not have here. */
  private skip(): boolean {
    const [a, b] = this.sides;
    const [inA, inB] = [this.row(a), this.row(b)];
    // One of several that come together may be in both.
    const isInBoth = inA[0] !== undefined && inB.includes(inA[0]);
    if (inA.length > 0 && !isInBoth) return drop(a);
    if (inB.length > 0) return drop(b);
    return this.dropEnd(a) || this.dropEnd(b) || this.keepVolatile(a) || this.keepVolatile(b);
  }

  /** The end of a line that a message came in front of, or the rest of one that changes by itself. */
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
    if (line === undefined || !this.rules.volatile.some((rule) => matches(rule, line)))
      return false;
    keep(side, line, side.at + 1);
    return true;
  }

  /** What look like messages, from here on. */
  private row({ lines, at }: Side): string[] {
    let end = at;
    while (end < at + mostInRow && looksLike(lines[end] ?? '', this.rules.messages)) end += 1;
    return lines.slice(at, end);
  }

  private isSameLine(one: string, other: string): boolean {
    return (
      one === other ||
      this.rules.volatile.some((rule) => matches(rule, one) && matches(rule, other))
    );
  }
}

function keep(side: Side, line: string, next: number): void {
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
  return messages.some((rule) => matches(rule, line));
}
