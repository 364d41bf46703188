/**
 * Extracts the output of a command from the terminal's text: cuts off the echo and the prompt, and removes pagers and log messages.
 * Pure, so that it does not depend on how the bytes arrived.
 */
import { timely } from '@skolo/base/described-expression';
import { DeviceRejected } from '../errors.ts';
import type { Dialect } from './dialect.ts';
import { withinTurn } from './expression-time.ts';
import { lastPrompt, longestMatched, type Noise, type PromptPatterns } from './prompt.ts';
import { decodeBytes, lineEnd, longestLineEnd, shownLine, shownLines } from './terminal-text.ts';

/** Space for log messages and a late prompt before the echo. */
const longestWayToEcho = 64 * 1024;

/** Wrapping may add or remove blanks. */
function squeezed(text: string) {
  return text.replace(/\s+/g, '');
}

/** Bash wraps its input with a blank and a carriage return. */
const wrapOfInput = /([^\s\b]) \r(?=[^\s\b])/g;

/**
 * Finds the echo of a command in the output after it was typed. Earlier output, such as a prompt that answers an earlier empty line, does
 * not count. Each byte is inspected once, so a flood without an echo is cheap.
 */
export class EchoSearch {
  /** Number of bytes inspected. */
  length = 0;
  /** Whether the echo's line was ended by moving the cursor. */
  isPainted = false;
  private found: number | undefined;
  private readonly wanted: string;
  /** The end of the visible text so far. */
  private shown = '';
  /** Of the incomplete line: its beginning, in pieces, the bytes that may belong to a line end, and where it begins. */
  private begun: string[] = [];
  private seam = '';
  private from = 0;

  constructor(command: string) {
    this.wanted = squeezed(command);
  }

  /** @returns the index after the echo's line; undefined if it has not arrived yet */
  add(bytes: string): number | undefined {
    if (this.found !== undefined) return this.found;
    this.length += bytes.length;
    if (this.length - bytes.length >= longestWayToEcho) return undefined;
    // A line end may arrive in two parts.
    const text = this.seam + bytes;
    let at = 0;
    lineEnd.lastIndex = 0;
    for (let end = lineEnd.exec(text); end !== null; end = lineEnd.exec(text)) {
      const line = this.begun.join('') + text.slice(at, end.index);
      at = lineEnd.lastIndex;
      this.begun = [];
      this.from += line.length + end[0].length;
      if (this.isEcho(shownLine(line.replace(wrapOfInput, '$1')).text)) {
        this.isPainted = end[0] !== '\n';
        this.found = this.from;
        return this.found;
      }
      if (this.from >= longestWayToEcho) return undefined;
    }
    const seamAt = Math.max(at, text.length - longestLineEnd);
    this.begun.push(text.slice(at, seamAt));
    this.seam = text.slice(seamAt);
    return undefined;
  }

  private isEcho(line: string): boolean {
    const { wanted } = this;
    this.shown = (this.shown + squeezed(line)).slice(-Math.max(1, wanted.length));
    return this.shown.endsWith(wanted) || isScrolledEcho(line, wanted);
  }
}

/** IOS scrolls a long line to the left and shows a `$` where it was cut. */
function isScrolledEcho(line: string, wanted: string): boolean {
  const cut = line.lastIndexOf('$');
  if (cut < 0) return false;
  const end = squeezed(line.slice(cut + 1));
  return end.length >= 8 && wanted.endsWith(end);
}

export interface AnswerRules {
  dialect: Noise & Pick<Dialect, 'pagers'>;
  prompts: PromptPatterns;
  command: string;
  /** Whether a pager was answered: only then does a line that looks like a pager count as one. */
  isPaged: boolean;
}

/** The lines between echo and prompt. `raw` begins after the echo and ends with the prompt. One character is one byte. */
export function answerBytes(raw: string, rules: AnswerRules): string {
  const { dialect, prompts, isPaged } = rules;
  const lines = shownLines(raw);
  const { index, before = '' } = lastPrompt(lines, prompts, dialect) ?? {};
  const body = lines.slice(0, index);
  // A last line without a line end, followed by the prompt.
  if (before !== '') body.push(before);
  if (isEchoAgain(body[0] ?? '', rules)) body.shift();
  const { noise, abovePrompt = [], pagers } = dialect;
  const others = [...noise, ...abovePrompt];
  const kept = body.filter(
    (line) =>
      line.length > longestMatched ||
      (!others.some((pattern) => pattern.test(line)) &&
        !(isPaged && pagers.some((pager) => pager.line.test(line.trim())))),
  );
  return withoutPreamble(kept, dialect).join('\n');
}

/** Without the header that a device prints before each answer. */
export function withoutPreamble(
  lines: readonly string[],
  { preamble = [] }: Pick<Dialect, 'preamble'>,
): readonly string[] {
  let first = 0;
  while (preamble.some((pattern) => pattern.test(lines[first] ?? ''))) first += 1;
  if (first > 0 && lines[first]?.trim() === '') first += 1;
  return lines.slice(first);
}

/** Input typed before the prompt appeared is echoed again after it. */
export function isEchoAgain(
  line: string,
  { prompts, command }: Pick<AnswerRules, 'prompts' | 'command'>,
): boolean {
  const shown = line.trimEnd();
  return shown.endsWith(command) && prompts.atEnd.test(shown.slice(0, -command.length).trimEnd());
}

/** Error answers are short; a longer one is a configuration, which may contain any text. */
const longestRejection = { lines: 10, bytes: 64 * 1024 };

/**
 * @throws DeviceRejected The answer is an error text of this dialect, or nobody knows whether it is one.
 */
export function throwIfRejected(
  device: string,
  command: string,
  answer: Buffer,
  { errors }: Pick<Dialect, 'errors'>,
): void {
  if (answer.length > longestRejection.bytes) return;
  const lines = decodeBytes(answer.toString('latin1'))
    .split('\n')
    .filter((line) => line.trim() !== '');
  if (lines.length > longestRejection.lines) return;
  const what = `answer to ${JSON.stringify(command)}`;
  const isError = (line: string) =>
    errors.some((error) => error.test(line.trim().slice(0, longestMatched)));
  const no = withinTurn(device, what, () => timely(errors, () => lines.find(isError)));
  if (no === undefined) return;
  throw new DeviceRejected(
    device,
    `rejects ${JSON.stringify(command)}: ${no.trim().slice(0, 200)}`,
  );
}
