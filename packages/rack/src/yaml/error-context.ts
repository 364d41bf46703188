/** The text around a YAML error: tokens, line, open brackets. */
import { CST, Lexer } from 'yaml';

interface Token {
  type: CST.TokenType | null;
  source: string;
  offset: number;
  /** Offsets of the `{` and `[` before it that are not closed, the innermost last. */
  open: readonly number[];
  /** A bracket that is not closed before this token, which is not indented enough. */
  unclosed?: number;
}

export interface Line {
  start: number;
  /** Leading spaces and tabs. */
  margin: string;
  /** The rest, without the line break. */
  content: string;
}

export interface Spot {
  text: string;
  offset: number;
  /** The character there; empty at the end of the text. */
  char: string;
  line: Line;
  /** The token at the offset. */
  at: Token | undefined;
  /** The previous token that is not a space, comment or line break. */
  before: Token | undefined;
  /** Tokens up to the end of the line. */
  rest: Token[];
  /** The innermost open bracket, or one that should be closed. */
  bracket: number | undefined;
  /** Lines above that begin outside of brackets and multi-line texts; the nearest first. */
  above: Line[];
}

/** Tokens of a text that may be invalid; the last is empty, at the end. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let offset = 0;
  let open: readonly number[] = [];
  let plain = false;
  let unclosed: number | undefined;
  for (const source of new Lexer().lex(text)) {
    const type: Token['type'] = plain ? 'scalar' : CST.tokenType(source);
    plain = !plain && type === 'scalar';
    // The lexer's marks have no text.
    if (plain || type === 'doc-mode' || type === 'flow-error-end') {
      if (type === 'flow-error-end') {
        unclosed = open.at(-1);
        open = [];
      }
      continue;
    }
    tokens.push({ type, source, offset, open, ...(unclosed !== undefined && { unclosed }) });
    if (!isBlank(type)) unclosed = undefined;
    if (type === 'flow-map-start' || type === 'flow-seq-start') open = [...open, offset];
    if (type === 'flow-map-end' || type === 'flow-seq-end') open = open.slice(0, -1);
    offset += source.length;
  }
  tokens.push({
    type: null,
    source: '',
    offset,
    open,
    ...(unclosed !== undefined && { unclosed }),
  });
  return tokens;
}

export function spotOf(text: string, tokens: readonly Token[], offset: number): Spot {
  const line = lineAt(text, offset);
  const next = tokens.findIndex((token) => token.offset + token.source.length > offset);
  const index = next < 0 ? tokens.length - 1 : next;
  const at = tokens[index];
  const end = line.start + line.margin.length + line.content.length;
  return {
    text,
    offset,
    char: text.charAt(offset),
    line,
    at,
    before: tokens.slice(0, index).findLast(({ type }) => !isBlank(type)),
    rest: tokens.slice(index).filter((token) => token.offset >= offset && token.offset < end),
    bracket: at?.open.at(-1) ?? at?.unclosed,
    above: linesAbove(text, tokens.slice(0, index), line),
  };
}

function isBlank(type: Token['type']): boolean {
  return type === 'space' || type === 'comment' || type === 'newline';
}

export function lineAt(text: string, offset: number): Line {
  // Not lastIndexOf('\n', offset - 1): at offset 0 it would also look at the first character.
  const start = text.slice(0, offset).lastIndexOf('\n') + 1;
  const found = text.indexOf('\n', offset);
  const whole = text.slice(start, found < 0 ? text.length : found).replace(/\r$/, '');
  const margin = /^[ \t]*/.exec(whole)?.[0] ?? '';
  return { start, margin, content: whole.slice(margin.length) };
}

function linesAbove(text: string, before: readonly Token[], { start }: Line): Line[] {
  const lines: Line[] = [];
  let end = 0;
  for (const { type, offset, open } of before) {
    if (offset >= start) break;
    if (offset < end || isBlank(type) || open.length > 0) continue;
    const line = lineAt(text, offset);
    lines.push(line);
    end = line.start + line.margin.length + line.content.length;
  }
  return lines.reverse();
}
