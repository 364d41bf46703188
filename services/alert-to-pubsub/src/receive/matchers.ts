/** Filters of alerts, as amtool and dashboards write them: `severity=~"crit.*"`. */
import { createContext, Script } from 'node:vm';
import { malformed } from './refused.ts';

export interface Matcher {
  name: string;
  operator: '=' | '!=' | '=~' | '!~';
  value: string;
}

/** A name is bare or quoted, and so is a value. */
const form =
  /^\s*(?<name>"(?:[^"\\]|\\.)*"|[^\s{}!=~,\\"'`]+)\s*(?<operator>=~|!~|!=|=)\s*(?<value>"(?:[^"\\]|\\.)*"|[^"]*?)\s*$/su;

/** @throws Refused */
export function parseMatcher(text: string): Matcher {
  const { name, operator, value } = form.exec(text)?.groups ?? {};
  if (name === undefined || value === undefined || !isOperator(operator)) {
    throw malformed(
      `filter: ${JSON.stringify(text)} is no matcher; write NAME=VALUE, or !=, =~, !~, the value in quotes`,
    );
  }
  const matcher = { name: unquoted(name), operator, value: unquoted(value) };
  if (operator === '=~' || operator === '!~') expression(matcher.value);
  return matcher;
}

function isOperator(text: string | undefined): text is Matcher['operator'] {
  return text === '=' || text === '!=' || text === '=~' || text === '!~';
}

function unquoted(text: string): string {
  if (!text.startsWith('"')) return text;
  // As Alertmanager: another backslash is one.
  return text.slice(1, -1).replace(/\\([n"\\])/g, (_all, char) => (char === 'n' ? '\n' : char));
}

/** @throws Refused */
function expression(source: string): RegExp {
  const { flags = '', rest = source } =
    /^\(\?(?<flags>[is]+)\)(?<rest>.*)$/s.exec(source)?.groups ?? {};
  const named = rest.replaceAll('(?P<', '(?<');
  for (const more of ['u', '']) {
    try {
      return new RegExp(`^(?:${named})$`, `${[...new Set(flags)].join('')}${more}`);
    } catch {
      // What Go escapes without need is an error with `u` only.
    }
  }
  throw malformed(`filter: ${JSON.stringify(source)} is no regular expression`);
}

/** For all expressions of a request. */
const timeoutMs = 500;
const script = new Script('texts.map((text) => expression.test(text))');

/**
 * Which of the label sets all matchers match. A client may send an expression that takes for ever, which Go's do
 * not: then it is stopped.
 *
 * @throws Refused
 */
export function matching<T extends { labels: Readonly<Record<string, string>> }>(
  matchers: readonly Matcher[],
  all: readonly T[],
): T[] {
  const end = performance.now() + timeoutMs;
  let left = [...all];
  for (const matcher of matchers) {
    const texts = left.map(({ labels }) => textOf(labels, matcher.name));
    const fits = fitting(matcher, texts, end);
    left = left.filter((_one, index) => fits[index]);
  }
  return left;
}

/** A label that is not there is empty. */
function textOf(labels: Readonly<Record<string, string>>, name: string): string {
  return Object.hasOwn(labels, name) ? (labels[name] ?? '') : '';
}

function fitting({ operator, value }: Matcher, texts: readonly string[], end: number): boolean[] {
  if (operator === '=') return texts.map((text) => text === value);
  if (operator === '!=') return texts.map((text) => text !== value);
  const found = testAll(expression(value), texts, end);
  return operator === '=~' ? found : found.map((one) => !one);
}

function testAll(expression: RegExp, texts: readonly string[], end: number): boolean[] {
  try {
    const found: unknown = script.runInContext(createContext({ expression, texts }), {
      timeout: Math.max(1, Math.ceil(end - performance.now())),
    });
    return Array.isArray(found) ? found.map(Boolean) : [];
  } catch {
    throw malformed(`filter: ${JSON.stringify(expression.source)} takes too long; simplify it`);
  }
}

/** Whether a whole name is matched, as by `receiver=`. @throws Refused */
export function matchesAll(source: string, names: readonly string[]): string[] {
  const found = testAll(expression(source), names, performance.now() + timeoutMs);
  return names.filter((_name, index) => found[index]);
}
