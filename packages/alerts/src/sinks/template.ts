/**
 * Request bodies and URLs with placeholders: `{"text": "{{truncate(200, annotations.summary | labels.alertname)}} is {{status}}"}`.
 *
 * - In a JSON template, a quoted placeholder becomes escaped text; an unquoted one a complete JSON value, such as `{{count}}`, `{{labels}}`
 *   or, with its quotes, `{{labels.alertname}}`.
 * - In forms and URLs, placeholders are percent-encoded; in any other template, they become plain text.
 * - `{{annotations.summary | labels.alertname | "an alert"}}` becomes the first value that is not blank.
 * - Missing values become empty text, or `null` if unquoted in JSON. Values are never interpreted as templates.
 */
import { isObject } from '@skolo/base';
import { type Expression, parseTemplate as parse, uses } from '@skolo/rack';

type Values = Readonly<Record<string, unknown>>;
type Format = 'json' | 'form' | 'text' | 'url';

interface Template {
  uses(name: string): boolean;
  render(values: Values): string;
}

/** @throws TemplateError */
export function parseTemplate(text: string, format: Format): Template {
  const parts = parse(text);
  let isQuoted = false;
  const pieces = parts.map((part): ((values: Values) => string) => {
    if (typeof part === 'string') {
      isQuoted = endsQuoted(part, isQuoted);
      return () => part;
    }
    const isToken = format === 'url' && 'path' in part && part.path.join() === 'token';
    const place = format === 'json' && isQuoted ? 'jsonText' : format;
    const encode = isToken ? encodedToken : encoders[place];
    return (values) => encode(evaluated(part, values, place !== 'json'));
  });
  return {
    uses: (name) => uses(parts, name),
    render: (values) => pieces.map((piece) => piece(values)).join(''),
  };
}

const encoders: Record<Format | 'jsonText', (value: unknown) => string> = {
  json: (value) => jsonOf(value ?? null),
  jsonText: (value) => jsonOf(textOf(value)).slice(1, -1),
  form: (value) => encodeURIComponent(textOf(value).toWellFormed()),
  url: (value) => encodeURIComponent(textOf(value).toWellFormed()),
  text: textOf,
};

/** The token may be a path, or be copied from a URL, in which it is already encoded. */
function encodedToken(token: unknown): string {
  return encodeURI(textOf(token).toWellFormed()).replaceAll(/%25(?=[\da-f]{2})/gi, '%');
}

/** Without control characters and unpaired surrogates, which strict parsers and databases reject. */
function jsonOf(value: unknown): string {
  return JSON.stringify(value).replaceAll(/\\\\|\\u(?:00|d[89a-f])[\da-f]{2}/g, (found) =>
    found === String.raw`\\` ? found : '\ufffd',
  );
}

/** Whether a JSON string is still open at the end of this piece. */
function endsQuoted(piece: string, wasQuoted: boolean): boolean {
  const quotes = piece.replaceAll(/\\./gs, '').split('"').length - 1;
  return quotes % 2 === 1 ? !wasQuoted : wasQuoted;
}

/** @param isText the value will be inserted as text */
function evaluated(expression: Expression, values: Values, isText: boolean): unknown {
  if ('literal' in expression) return expression.literal;
  if ('path' in expression) return valueAt(values, expression.path);
  if ('anyOf' in expression) {
    const found = expression.anyOf.map((each) => evaluated(each, values, isText));
    return found.find((value) => !isBlank(textOf(value))) ?? found.at(-1);
  }
  const { call, args } = expression;
  const [first, ...rest] = args.map((each) => evaluated(each, values, isText));
  if (call === 'truncate') {
    return truncated(isText ? textOf(rest[0]) : rest[0], Number(first));
  }
  const text = textOf(first);
  if (call === 'escape') return escaped(text);
  // Values and results in turn, then the default.
  const key = args.findIndex((each, i) => {
    if (i % 2 === 0 || i === rest.length) return false;
    const all = 'anyOf' in each ? each.anyOf : [each];
    return all.some((one) => isSame(textOf(evaluated(one, values, isText)), text));
  });
  return rest[key < 0 ? rest.length - 1 : key];
}

function isSame(a: string, b: string): boolean {
  return a.trim().toLowerCase() === b.trim().toLowerCase();
}

/**
 * At most this many UTF-16 units of text, with an ellipsis if it was longer, and no half of a surrogate pair. An object keeps its first
 * entries, whose names and values have at most this length together.
 */
function truncated(value: unknown, most: number): unknown {
  if (!isObject(value)) {
    const text = textOf(value);
    if (text.length <= most) return value;
    const visible = text.replace(/^[\p{White_Space}\p{C}]+/u, '');
    if (visible.length <= most) return visible;
    return `${visible.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '')}…`;
  }
  let left = most;
  const kept: [string, unknown][] = [];
  for (const [name, inner] of Object.entries(value)) {
    left -= name.length;
    if (left <= 0) break;
    const short = truncated(inner, left);
    left -= textOf(short).length;
    kept.push([name, short]);
  }
  return Object.fromEntries(kept);
}

/** As HTML, Slack and Telegram's HTML require. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Nothing of it would be visible. */
function isBlank(text: string): boolean {
  return !/[^\p{White_Space}\p{C}]/u.test(text);
}

function valueAt(values: unknown, path: readonly string[]): unknown {
  let value = values;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = Object.getOwnPropertyDescriptor(value, key)?.value;
  }
  return value;
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
