/** Statements of a Junos configuration: parsed from text in braces, changed by `set` and `delete`, printed again. */

export interface JunosStatement {
  /** Its words, as they are printed: `host-name ex-1`, `unit 0`. */
  name: string;
  /** Absent: a leaf, which ends in a semicolon. */
  children?: JunosStatement[];
  /** Comments in front of it, as they are printed. */
  comments: string[];
}

export class JunosSyntaxError extends Error {}

/** Leaves that hold a hash, or a secret that can be read back, are marked where they are printed. */
const secretLeaf = /"\$\d\$[^"]*"$/;

/** @throws JunosSyntaxError Braces do not match, or something follows a statement without its semicolon. */
export function parseJunos(text: string): JunosStatement[] {
  const tokens =
    text.match(/\/\*[\s\S]*?\*\/|##.*|#.*|"(?:\\.|[^"\\])*"|\[[^\]]*\]|[{};]|[^\s{};"]+/g) ?? [];
  const root: JunosStatement[] = [];
  const open: JunosStatement[][] = [root];
  let words: string[] = [];
  let comments: string[] = [];
  for (const token of tokens) {
    const here = open.at(-1) ?? root;
    if (token.startsWith('#')) continue;
    if (token.startsWith('/*')) comments.push(token);
    else if (token === '{' || token === ';') {
      if (words.length === 0)
        throw new JunosSyntaxError(`statement without a name before ${token}`);
      const statement: JunosStatement = { name: words.join(' '), comments };
      if (token === '{') {
        statement.children = [];
        open.push(statement.children);
      }
      here.push(statement);
      words = [];
      comments = [];
    } else if (token === '}') {
      if (open.length === 1 || words.length > 0) throw new JunosSyntaxError('unexpected }');
      open.pop();
    } else words.push(token);
  }
  if (open.length > 1 || words.length > 0) throw new JunosSyntaxError('missing closing brace');
  return root;
}

export function printJunos(statements: readonly JunosStatement[], depth = 0): string {
  const indent = '    '.repeat(depth);
  return statements
    .map(({ name, children, comments }) => {
      const before = comments.map((comment) => `${indent}${comment}\n`).join('');
      if (children === undefined) {
        const mark = secretLeaf.test(name) ? ' ## SECRET-DATA' : '';
        return `${before}${indent}${name};${mark}\n`;
      }
      return `${before}${indent}${name} {\n${printJunos(children, depth + 1)}${indent}}\n`;
    })
    .join('');
}

/** As `| display set` shows it. */
export function setCommands(statements: readonly JunosStatement[], path = 'set'): string {
  return statements
    .map(({ name, children }) =>
      children === undefined ? `${path} ${name}\n` : setCommands(children, `${path} ${name}`),
    )
    .join('');
}

/** The statement at a path, with the ones that it is in, and what is left of the path. */
function walk(statements: JunosStatement[], path: string) {
  let here = statements;
  let rest = path;
  for (;;) {
    const found = here.find(
      ({ name, children }) => children !== undefined && `${rest} `.startsWith(`${name} `),
    );
    if (found?.children === undefined || rest === found.name) return { here, rest };
    here = found.children;
    rest = rest.slice(found.name.length + 1);
  }
}

/** `set system host-name ex-1`, without `set`. What is not there yet becomes a leaf in what is. */
export function setStatement(statements: JunosStatement[], path: string): void {
  const { here, rest } = walk(statements, path);
  const keyword = rest.split(' ', 1)[0];
  const same = here.find(
    ({ name, children }) => children === undefined && name.split(' ', 1)[0] === keyword,
  );
  if (same !== undefined) same.name = rest;
  else if (here.every(({ name }) => name !== rest)) here.push({ name: rest, comments: [] });
}

/** Whether there was such a statement. */
export function deleteStatement(statements: JunosStatement[], path: string): boolean {
  const { here, rest } = walk(statements, path);
  const at = here.findIndex(({ name }) => name === rest || name.startsWith(`${rest} `));
  if (at === -1) return false;
  here.splice(at, 1);
  return true;
}

export function leafValue(statements: readonly JunosStatement[], path: string): string | undefined {
  const { here, rest } = walk([...statements], path);
  return here.find(({ name }) => name.startsWith(`${rest} `))?.name.slice(rest.length + 1);
}
