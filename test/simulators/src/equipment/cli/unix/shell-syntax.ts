/**
 * As much of the syntax of a Unix shell as people type at switches: words and quotes, `;`, `&&`, `||`, pipes, parentheses,
 * redirections, variables. Loops and substitutions are missing, and rejected as a syntax error.
 */

/** Pieces of a word. Only what was not quoted is matched against file names. */
type Piece = { kind: 'text'; text: string; quoted: boolean } | { kind: 'variable'; name: string };
export type Word = Piece[];

export interface Redirection {
  from: 1 | 2;
  /** A file, or another stream. */
  to: Word | 1 | 2;
  /** To the end of a file; what it had stays. */
  appends?: boolean;
}

export type Node =
  | { kind: 'command'; words: Word[]; redirections: Redirection[] }
  | { kind: 'group'; list: List; redirections: Redirection[] };
/** Stages of a pipe. */
export type Pipeline = Node[];
export type List = { when: 'always' | 'success' | 'failure'; pipeline: Pipeline }[];

export class ShellSyntaxError extends Error {}

type Token = { kind: 'word'; word: Word } | { kind: 'operator'; text: string };

const operators = ['2>&1', '2>>', '2>', '1>', '&&', '||', '>>', '>', '|', ';', '(', ')', '\n'];

export function parseShell(text: string): List {
  const tokens = tokenize(text);
  const list = parseList(tokens);
  if (tokens.length > 0) throw new ShellSyntaxError(`syntax error: unexpected "${shown(tokens)}"`);
  return list;
}

function shown([token]: Token[]): string {
  if (token?.kind === 'operator') return token.text === '\n' ? 'newline' : token.text;
  return token ? 'word' : 'end of file';
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let rest = text;
  while (rest !== '') {
    const blank = /^([ \t\r]|\\\n)+|^#[^\n]*/.exec(rest)?.[0];
    const operator = operators.find((candidate) => rest.startsWith(candidate));
    if (blank !== undefined) rest = rest.slice(blank.length);
    else if (operator !== undefined) {
      tokens.push({ kind: 'operator', text: operator });
      rest = rest.slice(operator.length);
    } else {
      const { word, length } = readWord(rest);
      tokens.push({ kind: 'word', word });
      rest = rest.slice(length);
    }
  }
  return tokens;
}

const pieces: [RegExp, (found: RegExpExecArray) => Piece[]][] = [
  [/^'([^']*)'/, ([, text = '']) => [{ kind: 'text', text, quoted: true }]],
  [/^"((?:[^"\\]|\\.)*)"/s, ([, text = '']) => inQuotes(text)],
  [/^\\(.)/s, ([, text = '']) => [{ kind: 'text', text, quoted: true }]],
  [/^\$(\?|\w+)/, ([, name = '']) => [{ kind: 'variable', name }]],
  [/^[^\s'"\\$;&|()<>`]+/, ([text]) => [{ kind: 'text', text, quoted: false }]],
];

function readWord(text: string): { word: Word; length: number } {
  const word: Word = [];
  let length = 0;
  for (;;) {
    const rest = text.slice(length);
    const match = pieces
      .map(([pattern, make]) => ({ found: pattern.exec(rest), make }))
      .find(({ found }) => found !== null);
    if (!match?.found) break;
    word.push(...match.make(match.found));
    length += match.found[0].length;
  }
  if (length === 0) throw new ShellSyntaxError(`syntax error: unexpected "${text[0]}"`);
  return { word, length };
}

function inQuotes(text: string): Piece[] {
  return [...text.matchAll(/\\(["\\$`])|\$(\?|\w+)|[^\\$]+|[\\$]/g)].map(
    ([whole, escaped, name]): Piece =>
      name === undefined
        ? { kind: 'text', text: escaped ?? whole, quoted: true }
        : { kind: 'variable', name },
  );
}

function isOperator(token: Token | undefined, ...texts: string[]): boolean {
  return token?.kind === 'operator' && texts.includes(token.text);
}

function parseList(tokens: Token[]): List {
  const list: List = [];
  let when: List[number]['when'] = 'always';
  for (;;) {
    while (isOperator(tokens[0], ';', '\n')) tokens.shift();
    if (tokens.length === 0 || isOperator(tokens[0], ')')) return list;
    list.push({ when, pipeline: parsePipeline(tokens) });
    const [next] = tokens;
    if (!isOperator(next, ';', '\n', '&&', '||')) return list;
    tokens.shift();
    when = isOperator(next, '&&') ? 'success' : isOperator(next, '||') ? 'failure' : 'always';
  }
}

function parsePipeline(tokens: Token[]): Pipeline {
  const pipeline = [parseNode(tokens)];
  while (isOperator(tokens[0], '|')) {
    tokens.shift();
    pipeline.push(parseNode(tokens));
  }
  return pipeline;
}

function parseNode(tokens: Token[]): Node {
  if (isOperator(tokens[0], '(')) {
    tokens.shift();
    const list = parseList(tokens);
    if (!isOperator(tokens.shift(), ')')) throw new ShellSyntaxError('syntax error: missing ")"');
    return { kind: 'group', list, redirections: parseWords(tokens).redirections };
  }
  const { words, redirections } = parseWords(tokens);
  if (words.length === 0 && redirections.length === 0) {
    throw new ShellSyntaxError(`syntax error: unexpected "${shown(tokens)}"`);
  }
  return { kind: 'command', words, redirections };
}

function parseWords(tokens: Token[]): { words: Word[]; redirections: Redirection[] } {
  const words: Word[] = [];
  const redirections: Redirection[] = [];
  for (;;) {
    const [token] = tokens;
    if (token?.kind === 'word') {
      words.push(token.word);
      tokens.shift();
    } else if (isOperator(token, '2>&1')) {
      tokens.shift();
      redirections.push({ from: 2, to: 1 });
    } else if (token?.kind === 'operator' && token.text.includes('>')) {
      tokens.shift();
      const file = tokens.shift();
      if (file?.kind !== 'word') throw new ShellSyntaxError('syntax error: unexpected redirection');
      const from = token.text.startsWith('2') ? 2 : 1;
      redirections.push({ from, to: file.word, appends: token.text.endsWith('>>') });
    } else return { words, redirections };
  }
}
