/**
 * A configuration of lines in sections, as switches keep it: what is typed in configuration mode changes it, and it is
 * printed in the form of its model. It knows nothing of what the lines mean: any is taken, `no` in front of one takes
 * it away, and a statement that there is only one of replaces the one before.
 */

export interface LineStyle {
  /** Blanks in front of a line for each section that it is in. */
  indent: number;
  /** Statements that open a section, also where it is empty. */
  sections: readonly RegExp[];
  /** Beginnings of statements that there is only one of in a section: `hostname`; a pattern has the blank behind it. */
  single: readonly (string | RegExp)[] | RegExp;
  /** What is kept of a line: of a password its hash. */
  kept?(line: string): string;
  /** Printed around sections: `!`, or an empty line. */
  separator?: string;
  /** Closes a section where it is printed: `exit`. */
  sectionEnd?: string;
  /** Empty lines behind that. */
  linesBehind?(section: string): number;
  /** The order in which statements are printed, where it is not that in which they came. */
  order?(one: string, other: string): number;
  /** Sections that are not printed while they are empty. */
  hidden?: RegExp;
  /** A section goes on until it is left: what is typed says nothing of where it belongs. */
  staysInSection?: boolean;
  /** `no` of what is not there leaves no trace. */
  forgetsNo?: boolean;
  /** Takes a line in its own way; whether it did. */
  edit?(section: Statement[], line: string): boolean;
  /** Lines of comments, which are not kept. */
  comment: RegExp;
  /** The pattern of the line that ends free text, where a statement begins one. */
  freeText?(line: string): RegExp | undefined;
}

export interface Statement {
  line: string;
  children: Statement[];
  /** Free text: printed as it is. */
  text: string[];
}

export class LineConfiguration {
  private readonly style: LineStyle;
  private readonly root: Statement = statement('');
  /** Sections that whoever configures is in, and how far the first line in each was indented. */
  private path: { section: Statement; indent: number | undefined }[] = [];
  private freeText: { of: Statement; end: RegExp } | undefined;
  private readonly words: LineWords;

  /** @param known text that has all statements which the device knows, where they belong; `text` when absent */
  constructor(style: LineStyle, text = '', known = text) {
    this.style = style;
    this.words = wordsOf(known);
    for (const line of text.split('\n')) this.enter(line);
    this.leave();
  }

  /** Lines of the sections that whoever configures is in, outermost first. */
  get sections(): readonly string[] {
    return this.path.map(({ section }) => section.line);
  }

  get isInFreeText(): boolean {
    return this.freeText !== undefined;
  }

  /** Whether a statement may begin so. */
  knows(line: string): boolean {
    const word = firstWord(line);
    return this.isInFreeText || this.words.outside.has(word) || this.words.inside.has(word);
  }

  /** The rest of the first statement that begins so, in a section of a section. */
  value(start: string, path: readonly string[] = []): string | undefined {
    const found = this.find(path)?.children.find(({ line }) => line.startsWith(`${start} `));
    return found?.line.slice(start.length + 1);
  }

  /** Takes a line of configuration mode. */
  enter(typed: string): void {
    if (this.freeText !== undefined) {
      this.freeText.of.text.push(typed);
      if (this.freeText.end.test(typed)) this.freeText = undefined;
      return;
    }
    const line = this.style.kept?.(typed.trim()) ?? typed.trim();
    if (line === '' || this.style.comment.test(line)) return;
    if (line === 'exit' || line === this.style.sectionEnd) {
      this.path.pop();
      return;
    }
    this.goTo(line, typed.length - typed.trimStart().length);
    const where = this.path.at(-1)?.section ?? this.root;
    if (this.style.edit?.(where.children, line)) return;
    if (line.startsWith('no ')) this.remove(where, line);
    else this.add(where, line);
  }

  /** Takes a line there, wherever whoever configures is. */
  enterAt(path: readonly string[], ...lines: readonly string[]): void {
    const before = this.path;
    this.path = [];
    for (const line of [...path, ...lines]) this.enter(line);
    this.path = before;
  }

  /** Out of all sections. */
  leave(): void {
    this.path = [];
    this.freeText = undefined;
  }

  /** As it is printed, lines ended by `\n`. `added` are more lines, at the end. */
  print(added: readonly string[] = []): string {
    const lines = this.shown(this.root).flatMap((each, index, all) => [
      ...(this.isApart(each, all[index - 1]) ? [this.style.separator ?? ''] : []),
      ...this.lines(each, 0),
    ]);
    return [...lines, ...added].map((line) => `${line}\n`).join('');
  }

  private find(path: readonly string[]): Statement | undefined {
    let where: Statement | undefined = this.root;
    for (const section of path) where = where?.children.find(({ line }) => line === section);
    return where;
  }

  /** What is in a section, as it is printed. */
  private shown({ children }: Statement): readonly Statement[] {
    const { order, hidden } = this.style;
    const shown = children.filter((each) => each.children.length > 0 || !hidden?.test(each.line));
    return order === undefined ? shown : shown.sort((a, b) => order(a.line, b.line));
  }

  /** A section as it is printed, without its first and last line. */
  printSection(path: readonly string[]): string {
    const where = this.find(path);
    const lines =
      where === undefined ? [] : this.shown(where).flatMap((each) => this.lines(each, 0));
    return lines.map((line) => `${line}\n`).join('');
  }

  private isApart(each: Statement, before: Statement | undefined): boolean {
    if (this.style.separator === undefined || before === undefined) return false;
    const word = ({ line }: Statement) => firstWord(line);
    return this.opensSection(each) || this.opensSection(before) || word(each) !== word(before);
  }

  private lines(each: Statement, depth: number): string[] {
    const indent = ' '.repeat(this.style.indent * depth);
    const { sectionEnd, linesBehind } = this.style;
    const isOpen = sectionEnd !== undefined && this.opensSection(each);
    return [
      indent + each.line,
      ...each.text,
      ...this.shown(each).flatMap((child) => this.lines(child, depth + 1)),
      ...(isOpen ? [' '.repeat(this.style.indent * (depth + 1)) + sectionEnd] : []),
      ...Array.from({ length: (isOpen && linesBehind?.(each.line)) || 0 }, () => ''),
    ];
  }

  private opensSection({ line, children }: Pick<Statement, 'line' | 'children'>): boolean {
    return children.length > 0 || this.style.sections.some((pattern) => pattern.test(line));
  }

  /**
   * The section that a line belongs to. Text that is pasted is indented as it is printed; somebody who types indents
   * nothing, and what is only known outside of sections ends them.
   */
  private goTo(line: string, indent: number): void {
    if (this.style.staysInSection) return;
    if (indent > 0) {
      while (this.path.length > 0) {
        const last = this.path.at(-1);
        if (last === undefined) return;
        last.indent ??= indent;
        if (indent >= last.indent) return;
        this.path.pop();
      }
      return;
    }
    const isPasted = this.path.some((each) => each.indent !== undefined);
    if (isPasted || this.isGlobal(line)) this.path = [];
  }

  private isGlobal(line: string): boolean {
    const word = firstWord(line);
    if (this.words.inside.has(word)) return false;
    return this.words.outside.has(word) || this.style.sections.some((each) => each.test(line));
  }

  private add(where: Statement, line: string): void {
    const { single } = this.style;
    const prefix = !(single instanceof RegExp)
      ? single
          .map((start) => (typeof start === 'string' ? `${start} ` : start.exec(line)?.[0]))
          .find((start) => start !== undefined && line.startsWith(start))
      : single.exec(line)?.[0];
    const same = (each: Statement) =>
      each.line === line || (prefix !== undefined && each.line.startsWith(prefix));
    const found = where.children.find(same);
    const added = found ?? statement(line);
    if (found === undefined) where.children.push(added);
    added.line = line;
    const end = this.style.freeText?.(line);
    if (end !== undefined) {
      added.text = [];
      this.freeText = { of: added, end };
    } else if (this.opensSection(added)) {
      this.path.push({ section: added, indent: undefined });
    } else {
      // What it turns off, it turns on again.
      where.children = where.children.filter((each) => each.line !== `no ${line}`);
    }
  }

  private remove(where: Statement, line: string): void {
    const positive = line.slice('no '.length);
    const before = where.children.length;
    where.children = where.children.filter(
      (each) => each.line !== positive && !each.line.startsWith(`${positive} `),
    );
    const isKnown = where.children.some((each) => each.line === line);
    if (this.style.forgetsNo) return;
    if (where.children.length === before && !isKnown) where.children.push(statement(line));
  }
}

export function statement(line: string): Statement {
  return { line, children: [], text: [] };
}

/** First words of statements. */
interface LineWords {
  outside: ReadonlySet<string>;
  inside: ReadonlySet<string>;
}

function wordsOf(text: string): LineWords {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const words = (isInside: boolean) =>
    new Set(lines.filter((line) => /^\s/.test(line) === isInside).map(firstWord));
  return { outside: words(false), inside: words(true) };
}

function firstWord(line: string): string {
  return line.trim().replace(/^no /, '').split(' ', 1)[0] ?? '';
}
