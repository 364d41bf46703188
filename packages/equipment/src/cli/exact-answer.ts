/**
 * Extracts a configuration from terminal output: the bytes between echo and prompt, as the device sent them. Only removes what the terminal
 * adds: line ends, and pagers that were answered and erased. Control characters in a line are kept, because a description may contain any.
 * Text has one character per byte.
 */
import { type AnswerRules, isEchoAgain, withoutPreamble } from './answer.ts';
import { lastPrompt } from './prompt.ts';
import { lineEnd, paintedTo, shownLine, wipedAt } from './terminal-text.ts';

interface ExactRules extends Omit<AnswerRules, 'isPaged'> {
  /** Positions after each answered pager. */
  stops: readonly number[];
  /** The device ends lines by moving the cursor, and erases before it writes. */
  isPainted: boolean;
}

/** The lines between echo and prompt, separated by `\n`. `raw` begins after the echo and ends with the prompt. */
export function exactAnswer(raw: string, rules: ExactRules): string {
  const { dialect, prompts, isPainted, stops } = rules;
  const lines = linesIn(withoutPagers(raw, stops, rules), isPainted);
  const tail = lines.slice(-mostBehind);
  const found = lastPrompt(
    tail.map((line) => shownLine(line).text),
    prompts,
    dialect,
  );
  const last = found === undefined ? lines.length : lines.length - tail.length + found.index;
  const body = lines.slice(0, last);
  if (found !== undefined && found.before !== '') {
    // A last line without a line end, followed by the prompt.
    const line = lines[last] ?? '';
    body.push(line.slice(0, line.lastIndexOf(found.prompt)));
  }
  while (isAbovePrompt(body.at(-1), dialect)) body.pop();
  if (isEchoAgain(shownLine(body[0] ?? '').text, rules)) body.shift();
  return withoutPreamble(body, dialect).join('\n');
}

function isAbovePrompt(line: string | undefined, { abovePrompt = [] }: ExactRules['dialect']) {
  return line !== undefined && abovePrompt.some((pattern) => pattern.test(line.trimEnd()));
}

/** Log messages that may follow the last prompt. */
const mostBehind = 1000;

function withoutPagers(
  raw: string,
  stops: readonly number[],
  { dialect }: Pick<ExactRules, 'dialect'>,
): string {
  let kept = '';
  let from = 0;
  for (const stop of stops) {
    const start = Math.max(from, raw.lastIndexOf('\n', stop - 1) + 1);
    const text = shownLine(raw.slice(start, stop)).text.trim();
    if (!dialect.pagers.some((pager) => pager.line.test(text))) continue;
    const standing = /^\r*\0?\n/.exec(raw.slice(stop, stop + 10))?.[0].length;
    const end = wipedAt(raw, start, stop) ?? (standing && stop + standing);
    if (end === undefined) continue;
    kept += raw.slice(from, start);
    from = end;
  }
  return kept + raw.slice(from);
}

/**
 * Without line ends. The most common line end is the device's; an additional carriage return or NUL before it belongs to the line. If none
 * is the most common, all count as line ends.
 */
function linesIn(raw: string, isPainted: boolean): string[] {
  const parts = isPainted ? raw.split(lineEnd).map(withoutPainting) : raw.split('\n');
  // The rest of the echo's line end, and terminal modes that a shell turns off before it runs a command.
  parts[0] = behindEcho(parts[0] ?? '');
  const counts = new Map<string, number>();
  for (let i = 1; i < parts.length; i += 1) {
    const kind = `${trailOf(parts[i - 1] ?? '')}\n${leadOf(parts[i] ?? '')}`;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  const [usual] = [...counts].find(([, count]) => count * 2 > parts.length - 1) ?? [];
  const [trail, lead] = usual?.split('\n') ?? [];
  return parts.map((part, i) => {
    const before = i === 0 ? '' : (lead ?? leadOf(part));
    const behind = i === parts.length - 1 ? '' : (trail ?? trailOf(part));
    const start = part.startsWith(before) ? before.length : 0;
    const end = part.endsWith(behind) ? part.length - behind.length : part.length;
    return part.slice(start, Math.max(start, end));
  });
}

function behindEcho(part: string): string {
  let start = 0;
  for (let end = -1; end !== start; ) {
    end = start;
    while (/[\r\0]/.test(part.charAt(start))) start += 1;
    start = paintedTo(part, start);
  }
  return part.slice(start);
}

/** Carriage returns and NULs before the line end. */
function trailOf(part: string): string {
  let start = part.length;
  while (start > 0 && /[\r\0]/.test(part.charAt(start - 1))) start -= 1;
  return part.slice(start);
}

/** Carriage returns after the previous line end. */
function leadOf(part: string): string {
  let end = 0;
  while (part.charAt(end) === '\r') end += 1;
  return part.slice(0, end);
}

/** Sequences around a line place the cursor and wipe what was there. */
function withoutPainting(part: string): string {
  const start = paintedTo(part, 0);
  let end = part.length;
  for (let at = part.lastIndexOf('\x1b'); at >= start; at = part.lastIndexOf('\x1b', at - 1)) {
    if (at === -1 || paintedTo(part, at) < end) break;
    end = at;
    if (at === 0) break;
  }
  return part.slice(start, end);
}
