/**
 * Extracts a configuration from terminal output: the bytes between echo and prompt, as the device sent them. Only removes what the terminal
 * adds: line ends, and pagers that were answered and erased. Control characters in a line are kept, because a description may contain any.
 * Works on positions in the output, because lines as objects would need many times its memory.
 */

import { inTurns } from '@skolo/base';
import { type AnswerRules, isEchoAgain, withoutPreamble } from './answer.ts';
import { lastPrompt, longestMatched } from './prompt.ts';
import { lineEnd, paintedTo, shownLine, wipedAt } from './terminal-text.ts';

interface ExactRules extends Omit<AnswerRules, 'isPaged'> {
  /** Positions after each answered pager. */
  stops: readonly number[];
  /** The device ends lines by moving the cursor, and erases before it writes. */
  isPainted: boolean;
}

/** Where each line starts and ends. */
interface Lines {
  starts: number[];
  ends: number[];
}

/** Log messages that may follow the last prompt, and lines that may precede the configuration. */
const mostAtEnds = 1000;
const lineFeed = 0x0a;

/**
 * The lines between echo and prompt, separated by `\n`, in the memory of `raw`, which begins after the echo and ends with the prompt.
 */
export async function exactAnswer(raw: Buffer, rules: ExactRules): Promise<Buffer> {
  const { dialect, prompts, isPainted, stops } = rules;
  const bytes = await withoutPagers(raw, stops, rules);
  const lines: Lines = { starts: [], ends: [] };
  const { starts, ends } = lines;
  await inTurns(linesIn(bytes, isPainted), ([start, end]) => {
    starts.push(start);
    ends.push(end);
  });
  await withoutLineEnds(bytes, lines);
  const skipped = Math.max(0, ends.length - mostAtEnds);
  const tail = ends.slice(skipped).map((end, i) => {
    const start = starts[skipped + i] ?? end;
    return bytes.toString('latin1', Math.max(start, end - longestMatched), end);
  });
  const shown = tail.map((line) => shownLine(line).text);
  const found = lastPrompt(shown, prompts, dialect);
  const body = tail.slice(0, found?.index);
  if (found !== undefined && found.before !== '') {
    // A last line without a line end, followed by the prompt.
    const line = tail[found.index] ?? '';
    const rest = line.slice(0, line.lastIndexOf(found.prompt));
    const index = skipped + found.index;
    ends[index] = (ends[index] ?? 0) - (line.length - rest.length);
    body.push(rest);
  }
  while (isAbovePrompt(body.at(-1), dialect)) body.pop();
  const last = skipped + body.length;
  const first = headerOf(bytes, { starts: starts.slice(0, last), ends }, rules);
  let length = 0;
  await inTurns(starts.slice(first, last), (start, i) => {
    const end = ends[first + i] ?? start;
    if (i > 0) length += bytes.write('\n', length);
    length += bytes.copy(bytes, length, start, end);
  });
  return bytes.subarray(0, length);
}

/** The number of lines that precede the configuration. */
function headerOf(bytes: Buffer, { starts, ends }: Lines, rules: ExactRules): number {
  const lines = starts.slice(0, mostAtEnds).map((start, i) => {
    return bytes.toString('latin1', start, Math.min(ends[i] ?? start, start + longestMatched));
  });
  const echo = isEchoAgain(shownLine(lines[0] ?? '').text, rules) ? 1 : 0;
  return lines.length - withoutPreamble(lines.slice(echo), rules.dialect).length;
}

function isAbovePrompt(line: string | undefined, { abovePrompt = [] }: ExactRules['dialect']) {
  return line !== undefined && abovePrompt.some((pattern) => pattern.test(line.trimEnd()));
}

/** An erased pager is much shorter. */
const longestWiping = 1024;

async function withoutPagers(
  raw: Buffer,
  stops: readonly number[],
  { dialect }: Pick<ExactRules, 'dialect'>,
): Promise<Buffer> {
  let [length, from] = [0, 0];
  await inTurns(stops, (stop) => {
    const begin = Math.max(from, stop - longestWiping);
    const near = raw.toString('latin1', begin, stop + longestWiping);
    const at = stop - begin;
    const start = near.lastIndexOf('\n', at - 1) + 1;
    const text = shownLine(near.slice(start, at)).text.trim();
    if (!dialect.pagers.some((pager) => pager.line.test(text))) return;
    const standing = /^\r*\0?\n/.exec(near.slice(at, at + 10))?.[0].length;
    const end = wipedAt(near, start, at) ?? (standing && at + standing);
    if (end === undefined) return;
    length += raw.copy(raw, length, from, begin + start);
    from = begin + end;
  });
  length += raw.copy(raw, length, from);
  return raw.subarray(0, length);
}

type Range = readonly [start: number, end: number];

function* linesIn(bytes: Buffer, isPainted: boolean): Generator<Range> {
  let at = behindEcho(bytes.toString('latin1', 0, longestMatched), isPainted);
  for (let end = 0; end >= 0; at = end + 1) {
    end = bytes.indexOf(lineFeed, at);
    const line: Range = [at, end < 0 ? bytes.length : end];
    if (isPainted) yield* paintedLines(bytes, line);
    else yield line;
  }
}

function* paintedLines(bytes: Buffer, [start, end]: Range): Generator<Range> {
  const text = bytes.toString('latin1', start, end);
  // Its own, because others use it in between.
  const ends = new RegExp(lineEnd);
  for (let at = 0, found: RegExpExecArray | null; at >= 0; at = found ? ends.lastIndex : -1) {
    found = ends.exec(text);
    const [from, to] = withoutPainting(text, [at, found?.index ?? text.length]);
    yield [start + from, start + to];
  }
}

/** More carriage returns and NULs than this do not belong to a line end. */
const longestEnd = 8;

/**
 * The most common line end is the device's; an additional carriage return or NUL before it belongs to the line. If none is the most common,
 * all count as line ends.
 */
async function withoutLineEnds(bytes: Buffer, { starts, ends }: Lines): Promise<void> {
  /** Carriage returns and NULs before a line end, and carriage returns after it. */
  const around = (i: number) => {
    const [end = 0, next = 0, nextEnd = 0] = [ends[i], starts[i + 1], ends[i + 1]];
    const behind = bytes.toString('latin1', Math.max(starts[i] ?? 0, end - longestEnd), end);
    const before = bytes.toString('latin1', next, Math.min(nextEnd, next + longestEnd));
    return { trail: /[\r\0]*$/.exec(behind)?.[0] ?? '', lead: /^\r*/.exec(before)?.[0] ?? '' };
  };
  const most = ends.length - 1;
  const kinds = new Map<string, number>();
  await inTurns(starts.slice(0, most), (_, i) => {
    const { trail, lead } = around(i);
    kinds.set(`${trail}\n${lead}`, (kinds.get(`${trail}\n${lead}`) ?? 0) + 1);
  });
  const [usual] = [...kinds].find(([, times]) => times * 2 > most) ?? [];
  const [usualTrail, usualLead] = usual?.split('\n') ?? [];
  await inTurns(starts.slice(0, most), (_, i) => {
    const { trail, lead } = around(i);
    const [cut, skip] = [usualTrail ?? trail, usualLead ?? lead];
    if (trail.endsWith(cut)) ends[i] = (ends[i] ?? 0) - cut.length;
    if (lead.startsWith(skip)) starts[i + 1] = (starts[i + 1] ?? 0) + skip.length;
  });
}

/** The rest of the echo's line end, and terminal modes that a shell turns off before it runs a command. */
function behindEcho(text: string, isPainted: boolean): number {
  let start = 0;
  const most = isPainted ? text.search(lineEnd) : text.indexOf('\n');
  for (let end = -1; end !== start; ) {
    end = start;
    while (/[\r\0]/.test(text.charAt(start))) start += 1;
    start = paintedTo(text, start);
  }
  return most < 0 ? start : Math.min(start, most);
}

/** Sequences around a line place the cursor and wipe what was there. */
function withoutPainting(text: string, [from, to]: Range): Range {
  const start = Math.min(to, paintedTo(text, from));
  let end = to;
  for (let at = text.lastIndexOf('\x1b', end - 1); at >= start; ) {
    if (paintedTo(text, at, 1) !== end) break;
    end = at;
    at = end === 0 ? -1 : text.lastIndexOf('\x1b', end - 1);
  }
  return [start, end];
}
