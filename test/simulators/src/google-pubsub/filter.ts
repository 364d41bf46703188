/**
 * The language of filters: https://cloud.google.com/pubsub/docs/subscription-message-filter
 *
 * `attributes:KEY`, `attributes.KEY = "V"`, `attributes.KEY != "V"`, `hasPrefix(attributes.KEY, "V")`, `NOT` or `-`,
 * `AND`, `OR`, parentheses. A key with other characters than letters, digits, `_` and `-` is a string. AND and OR
 * together need parentheses. `!=` is the opposite of `=`: it also takes messages that have no such attribute.
 */
import { invalid } from './rejection.ts';

export type Filter = (attributes: Readonly<Record<string, string>>) => boolean;

/** @throws Rejection */
export function parseFilter(text: string): Filter {
  if (text.trim() === '') return () => true;
  return new Parser(text).whole();
}

const token =
  /\s*(?:(?<string>"(?:[^"\\]|\\.)*")|(?<word>[A-Za-z0-9_][\w-]*)|(?<sign>!=|[-=:.,()]))/suy;

interface Token {
  kind: 'string' | 'word' | 'sign';
  text: string;
}

class Parser {
  private readonly text: string;
  private readonly tokens: Token[];
  private at = 0;

  constructor(text: string) {
    this.text = text;
    this.tokens = this.split();
  }

  whole(): Filter {
    const filter = this.expression();
    if (this.at < this.tokens.length) throw this.error();
    return filter;
  }

  private split(): Token[] {
    const tokens: Token[] = [];
    const text = this.text.trimEnd();
    token.lastIndex = 0;
    while (token.lastIndex < text.length) {
      const { string, word, sign } = token.exec(text)?.groups ?? {};
      if (string !== undefined) tokens.push({ kind: 'string', text: unescaped(string) });
      else if (word !== undefined) tokens.push({ kind: 'word', text: word });
      else if (sign !== undefined) tokens.push({ kind: 'sign', text: sign });
      else throw this.error();
    }
    return tokens;
  }

  private expression(): Filter {
    const parts = [this.term()];
    const operator = this.peek();
    if (operator !== 'AND' && operator !== 'OR') return parts[0] ?? (() => true);
    while (this.skip(operator)) parts.push(this.term());
    return operator === 'AND'
      ? (attributes) => parts.every((part) => part(attributes))
      : (attributes) => parts.some((part) => part(attributes));
  }

  private term(): Filter {
    if (this.skip('NOT') || this.skip('-')) {
      const opposite = this.term();
      return (attributes) => !opposite(attributes);
    }
    if (this.skip('(')) {
      const inner = this.expression();
      this.expect(')');
      return inner;
    }
    if (this.skip('hasPrefix')) {
      this.expect('(');
      this.expect('attributes');
      this.expect('.');
      const key = this.key();
      this.expect(',');
      const prefix = this.string();
      this.expect(')');
      return (attributes) => valueIn(attributes, key)?.startsWith(prefix) ?? false;
    }
    this.expect('attributes');
    if (this.skip(':')) {
      const key = this.key();
      return (attributes) => valueIn(attributes, key) !== undefined;
    }
    this.expect('.');
    const key = this.key();
    const isEqual = this.skip('=');
    if (!isEqual) this.expect('!=');
    const value = this.string();
    return (attributes) => (valueIn(attributes, key) === value) === isEqual;
  }

  private key(): string {
    const next = this.tokens[this.at];
    if (!next || next.kind === 'sign') throw this.error();
    this.at += 1;
    return next.text;
  }

  private string(): string {
    if (this.tokens[this.at]?.kind !== 'string') throw this.error();
    return this.key();
  }

  private peek(): string | undefined {
    const next = this.tokens[this.at];
    return next?.kind === 'string' ? undefined : next?.text;
  }

  private skip(text: string): boolean {
    if (this.peek() !== text) return false;
    this.at += 1;
    return true;
  }

  private expect(text: string): void {
    if (!this.skip(text)) throw this.error();
  }

  private error(): Error {
    return invalid(`Invalid filter syntax: the filter ${this.text} is not understood.`);
  }
}

function valueIn(attributes: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(attributes, key) ? attributes[key] : undefined;
}

const escapes: Record<string, string> = {
  n: '\n',
  r: '\r',
  t: '\t',
  f: '\f',
  v: '\v',
  b: '\b',
  a: '\x07',
};

function unescaped(literal: string): string {
  return literal
    .slice(1, -1)
    .replace(
      /\\(?:u(?<u>[0-9a-f]{4})|x(?<x>[0-9a-f]{2})|(?<o>[0-3][0-7]{2})|(?<c>.))/gisu,
      (_all, u?: string, x?: string, o?: string, c?: string) => {
        const hex = u ?? x;
        if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
        if (o !== undefined) return String.fromCharCode(Number.parseInt(o, 8));
        return escapes[c ?? ''] ?? c ?? '';
      },
    );
}
