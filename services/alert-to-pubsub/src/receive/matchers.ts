/** Filters of alerts, as amtool and dashboards write them: `severity=~"crit.*"`. */
import { threadCpuUsage } from 'node:process';
import { createContext, Script } from 'node:vm';
import { malformed, Rejection } from './rejection.ts';

interface Matcher {
  name: string;
  operator: '=' | '!=' | '=~' | '!~';
  value: string;
}

/** A name is bare or quoted, and so is a value. Only one part at a time can match a space, so matching takes linear time. */
const form =
  /^(?<name>"(?:[^"\\]|\\.)*"|[^\s{}!=~,\\"'`]+)\s*(?<operator>=~|!~|!=|=)\s*(?<value>"(?:[^"\\]|\\.)*"|[^\s"][^"]*|)$/su;

/** @throws Rejection */
export function parseMatcher(text: string): Matcher {
  const { name, operator, value } = form.exec(text.trim())?.groups ?? {};
  if (name === undefined || value === undefined || !isOperator(operator)) {
    throw malformed(
      `filter: ${JSON.stringify(text)} is not a matcher; expected NAME="VALUE", with one of the operators =, !=, =~ and !~`,
    );
  }
  return { name: unquoted(name), operator, value: unquoted(value) };
}

function isOperator(text: string | undefined): text is Matcher['operator'] {
  return text === '=' || text === '!=' || text === '=~' || text === '!~';
}

function unquoted(text: string): string {
  if (!text.startsWith('"')) return text;
  // As in Alertmanager: any other backslash stands for itself.
  return text.slice(1, -1).replace(/\\([n"\\])/g, (_all, char) => (char === 'n' ? '\n' : char));
}

/** @throws Rejection */
function expression(source: string): RegExp {
  if (source.length > mostLength) {
    throw malformed(
      `filter: a regular expression must not exceed ${mostLength} characters; shorten it, or send several requests`,
    );
  }
  const { flags = '', rest = source } =
    /^\(\?(?<flags>[is]+)\)(?<rest>.*)$/s.exec(source)?.groups ?? {};
  const named = rest.replaceAll('(?P<', '(?<');
  for (const more of ['u', '']) {
    try {
      return new RegExp(`^(?:${named})$`, `${[...new Set(flags)].join('')}${more}`);
    } catch {
      // What Go escapes unnecessarily is an error only with `u`.
    }
  }
  throw malformed(`filter: ${JSON.stringify(source)} is not a regular expression`);
}

/** Names of 400 machines. V8 compiles the worst expression of this length in 0.4 s, which no time-out interrupts. */
const mostLength = 4000;
/** For one request. Generous, because it elapses on a busy computer, too, unlike `used`. One takes 25 ms for 20,000 alerts. */
const timeoutMs = 1000;
const script = new Script('texts.map((text) => expression.test(text))');

/** Runs a request's regular expressions. A client may send one that never ends, unlike in Go: it is stopped. */
export class Expressions {
  /** Milliseconds of processor time, for which all other callers had to wait. */
  used = 0;
  private readonly admit: () => void;
  private readonly end = performance.now() + timeoutMs;

  /** @param admit called before the first expression; its errors end the request */
  constructor(admit: () => void) {
    this.admit = admit;
  }

  /** Which texts match the whole expression. @throws Rejection */
  test(source: string, texts: readonly string[]): boolean[] {
    if (this.used === 0) this.admit();
    const before = threadCpuUsage();
    try {
      const timeout = Math.ceil(this.end - performance.now());
      if (timeout <= 0) throw new Error('earlier expressions have used up the time limit');
      const context = createContext({ expression: expression(source), texts });
      const found: unknown = script.runInContext(context, { timeout });
      return Array.isArray(found) ? found.map(Boolean) : [];
    } catch (error) {
      if (error instanceof Rejection) throw error;
      throw malformed(`filter: ${JSON.stringify(source)} takes too long; simplify it`);
    } finally {
      const { user, system } = threadCpuUsage(before);
      this.used += (user + system) / 1000;
    }
  }
}

/** Which of the label sets match all matchers. @throws Rejection */
export function matching<T extends { labels: Readonly<Record<string, string>> }>(
  matchers: readonly Matcher[],
  all: readonly T[],
  expressions: Expressions,
): T[] {
  let left = [...all];
  for (const matcher of matchers) {
    const texts = left.map(({ labels }) => textOf(labels, matcher.name));
    const fits = fitting(matcher, texts, expressions);
    left = left.filter((_one, index) => fits[index]);
  }
  return left;
}

/** A missing label is empty. */
function textOf(labels: Readonly<Record<string, string>>, name: string): string {
  return Object.hasOwn(labels, name) ? (labels[name] ?? '') : '';
}

function fitting(
  { operator, value }: Matcher,
  texts: readonly string[],
  expressions: Expressions,
): boolean[] {
  if (operator === '=') return texts.map((text) => text === value);
  if (operator === '!=') return texts.map((text) => text !== value);
  const found = expressions.test(value, texts);
  return operator === '=~' ? found : found.map((one) => !one);
}
