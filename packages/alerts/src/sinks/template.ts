/**
 * Request bodies with placeholders: `{"text": "{{labels.alertname}} is {{status}}"}`.
 *
 * - Names are joined by dots; one with other characters is written `labels["a.b"]`.
 * - In a JSON template, a quoted placeholder becomes escaped text; an unquoted one a complete JSON value, such as `{{count}}`, `{{labels}}`
 *   or, with its quotes, `{{labels.alertname}}`.
 * - In any other template, placeholders become plain text.
 * - `{{annotations.summary | labels.alertname | "an alert"}}` becomes the first value that is not empty.
 * - `{{token}}` is the sink's own token, so that templates contain no secrets.
 * - Missing values become empty text, or `null` if unquoted in JSON.
 */
import { isJsonTemplate, templatePlace } from '@skolo/rack';

interface Template {
  isJson: boolean;
  /** @param values by name; `token` replaces `{{token}}` */
  render(values: Readonly<Record<string, unknown>>): string;
}

const choices = /(?:[^|"']|"(?:[^"\\]|\\.)*"|'[^']*')+/g;
const steps = /([\w-]+)|("(?:[^"\\]|\\.)*"|'[^']*')/g;

/** The path of a value, or literal text of the template. */
type Choice = string[] | string;

interface Place {
  choices: Choice[];
  /** Inside a quoted JSON string. */
  isQuoted: boolean;
}

/** @param isJson default: whether the template begins like JSON */
export function parseTemplate(text: string, isJson = isJsonTemplate(text, {})): Template {
  const parts: (string | Place)[] = [];
  let isQuoted = false;
  let end = 0;
  for (const match of text.matchAll(templatePlace)) {
    const before = text.slice(end, match.index);
    isQuoted = isJson && endsQuoted(before, isQuoted);
    parts.push(before, { choices: choicesOf(match[1] ?? ''), isQuoted });
    end = match.index + match[0].length;
  }
  parts.push(text.slice(end));
  return {
    isJson,
    render(values) {
      return parts
        .map((part) => {
          if (typeof part === 'string') return part;
          const value = firstOf(values, part.choices);
          if (!isJson) return textOf(value);
          return part.isQuoted
            ? JSON.stringify(textOf(value)).slice(1, -1)
            : JSON.stringify(value ?? null);
        })
        .join('');
    },
  };
}

/** Whether a JSON string is still open at the end of this piece. */
function endsQuoted(piece: string, wasQuoted: boolean): boolean {
  const quotes = piece.replaceAll(/\\./gs, '').split('"').length - 1;
  return quotes % 2 === 1 ? !wasQuoted : wasQuoted;
}

function choicesOf(text: string): Choice[] {
  return Array.from(text.matchAll(choices), ([choice]) => {
    const plain = choice.trim();
    return /^["']/.test(plain) ? unquoted(plain) : pathOf(plain);
  });
}

function pathOf(text: string): string[] {
  return Array.from(text.matchAll(steps), ([, plain, quoted = '']) => plain ?? unquoted(quoted));
}

function unquoted(quoted: string): string {
  const inner = quoted.slice(1, -1);
  return quoted.startsWith('"') ? inner.replaceAll(/\\(.)/gs, '$1') : inner;
}

function firstOf(values: unknown, choices: readonly Choice[]): unknown {
  let value: unknown;
  for (const choice of choices) {
    value = typeof choice === 'string' ? choice : valueAt(values, choice);
    if (textOf(value) !== '') return value;
  }
  return value;
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
