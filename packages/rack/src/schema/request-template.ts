/**
 * Templates of requests: `{"text": "{{truncate(200, annotations.summary | labels.alertname)}}"}`.
 *
 * A place contains alternatives, separated by `|`: names (`labels.alertname`, `labels["a.b"]`), texts (`"an alert"`), numbers, and calls of
 * functions.
 */
import { didYouMean } from '../issues/suggest.ts';

/** By name: an example, and the form of the arguments, where `1` is a whole number above 0, and `x` anything else. */
const functions = {
  truncate: { example: 'truncate(100, annotations.summary)', form: /^1,.$/ },
  map: { example: 'map(labels.severity, "page" | "critical": "P1", "P3")', form: /^.(,.:.)+,.$/ },
  escape: { example: 'escape(annotations.summary)', form: /^.$/ },
};

export type Expression =
  | { literal: string | number }
  /** Names of nested values. */
  | { path: string[] }
  /** Alternatives. */
  | { anyOf: Expression[] }
  /** Arguments of `map`: the value, then values to compare it with and results in turn, then the default. */
  | { call: keyof typeof functions; args: Expression[] };

/** The message contains the position. Of the template, it contains only what precedes it in the place: the rest may contain a secret. */
export class TemplateError extends Error {}

/**
 * The texts and places of a template, in order.
 *
 * @throws TemplateError
 */
export function parseTemplate(template: string): (string | Expression)[] {
  const parts: (string | Expression)[] = [];
  let end = 0;
  for (let start = template.indexOf('{{'); start >= 0; start = template.indexOf('{{', end)) {
    const place = readPlace(template, start);
    parts.push(template.slice(end, start), place.expression);
    end = place.end;
  }
  return [...parts, template.slice(end)];
}

/** Whether a place contains a value with this first name. */
export function uses(parts: readonly (string | Expression)[], name: string): boolean {
  return parts.some((part) => {
    if (typeof part === 'string' || 'literal' in part) return false;
    if ('path' in part) return part.path[0] === name;
    return uses('call' in part ? part.args : part.anyOf, name);
  });
}

/** By its `content-type`, else by its beginning. */
export function templateFormat(
  body: string,
  headers: Readonly<Record<string, string>>,
): 'json' | 'form' | 'text' {
  const type = Object.entries(headers).find(([key]) => key.toLowerCase() === 'content-type')?.[1];
  if (type === undefined) return /^\s*(\{(?!\{)|\[|")/.test(body) ? 'json' : 'text';
  if (/json/i.test(type)) return 'json';
  return /x-www-form-urlencoded/i.test(type) ? 'form' : 'text';
}

const tokens = {
  quoted: /\s*("(?:[^"\\]|\\.)*"|'[^']*')/sy,
  number: /\s*(-?\d+(?:\.\d+)?)(?![\w.-])/y,
  name: /\s*([\w-]+)/y,
  step: /\s*([.[])/y,
  separator: /\s*([,:])/y,
  '|': /\s*(\|)/y,
  '(': /\s*(\()/y,
  ')': /\s*(\))/y,
  ']': /\s*(\])/y,
  '}}': /\s*(\}\})/y,
};

function readPlace(template: string, start: number): { expression: Expression; end: number } {
  let at = start + 2;
  const expression = alternatives();
  need('}}');
  return { expression, end: at };

  function alternatives(): Expression {
    const first = single();
    const anyOf = [first];
    while (next('|')) anyOf.push(single());
    return anyOf.length === 1 ? first : { anyOf };
  }

  function single(): Expression {
    const text = next('quoted');
    if (text !== undefined) return { literal: unquoted(text) };
    const number = next('number');
    if (number !== undefined) return { literal: Number(number) };
    const name = need('name', 'a name, or a text in quotes without a backslash');
    if (next('(')) return call(name);
    const path = [name];
    for (let step = next('step'); step !== undefined; step = next('step')) {
      path.push(step === '.' ? need('name') : unquoted(need('quoted', 'a name in quotes')));
      if (step === '[') need(']');
    }
    return { path };
  }

  function call(name: string): Expression {
    const known = Object.keys(functions);
    if (!isFunction(name)) {
      return fail(
        `unknown function "${name}"${didYouMean(name, known, `use ${known.join(', ')}`)}`,
      );
    }
    const args: Expression[] = [];
    let form = '';
    for (let separator: string | undefined = ''; separator !== undefined; ) {
      const argument = alternatives();
      args.push(argument);
      form += separator + (isCount(argument) ? '1' : 'x');
      separator = next('separator');
    }
    need(')');
    const { example, form: expected } = functions[name];
    return expected.test(form)
      ? { call: name, args }
      : fail(`${name} requires arguments as in ${example}`);
  }

  function next(token: keyof typeof tokens): string | undefined {
    tokens[token].lastIndex = at;
    const [all = '', found] = tokens[token].exec(template) ?? [];
    at += all.length;
    return found;
  }

  function need(token: keyof typeof tokens, what = `"${token}"`): string {
    return next(token) ?? fail(`expected ${what}`);
  }

  function fail(why: string): never {
    const lines = template.slice(0, at).split('\n');
    const place = template.slice(start, at).replaceAll(/\s+/g, ' ');
    const where = `line ${lines.length}, column ${(lines.at(-1) ?? '').length + 1}`;
    throw new TemplateError(`${where}, after \`${place}\`: ${why}`);
  }
}

function isFunction(name: string): name is keyof typeof functions {
  return Object.hasOwn(functions, name);
}

function isCount(argument: Expression): boolean {
  return (
    'literal' in argument && Number.isInteger(argument.literal) && Number(argument.literal) > 0
  );
}

function unquoted(text: string): string {
  const inner = text.slice(1, -1);
  return text.startsWith('"') ? inner.replaceAll(/\\(.)/gs, '$1') : inner;
}
