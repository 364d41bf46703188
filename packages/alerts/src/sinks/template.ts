/**
 * Bodies of requests with places for what a message says: `{"text": "{{labels.alertname}} is {{status}}"}`.
 *
 * - Names are joined by dots; one with other characters is written `labels["a.b"]`.
 * - In a JSON template, a place within quotes gets text, escaped; one without quotes a whole JSON value, such as
 *   `{{count}}`, `{{labels}}` or, with its quotes, `{{labels.alertname}}`.
 * - In any other, it gets text as it is.
 * - What the message does not have is the empty text; without quotes in JSON, `null`.
 */
import type { Message } from '../message.ts';
import { alertOfNotice } from '../notice.ts';

export interface Template {
  isJson: boolean;
  render(message: Message, location: string): string;
}

const name = String.raw`[\w-]+`;
const quoted = String.raw`"(?:[^"\\]|\\.)*"|'[^']*'`;
const step = String.raw`\.${name}|\[\s*(?:${quoted})\s*\]`;
const place = new RegExp(String.raw`\{\{\s*(${name}(?:${step})*)\s*\}\}`, 'g');
const steps = new RegExp(`(${name})|(${quoted})`, 'g');

interface Place {
  path: string[];
  /** Between the quotes of a JSON text. */
  isQuoted: boolean;
}

/** @param isJson by default what begins like JSON is */
export function parseTemplate(text: string, isJson = /^\s*(\{(?!\{)|\[|")/.test(text)): Template {
  const parts: (string | Place)[] = [];
  let isQuoted = false;
  let end = 0;
  for (const match of text.matchAll(place)) {
    const before = text.slice(end, match.index);
    isQuoted = isJson && endsQuoted(before, isQuoted);
    parts.push(before, { path: pathOf(match[1] ?? ''), isQuoted });
    end = match.index + match[0].length;
  }
  parts.push(text.slice(end));
  return {
    isJson,
    render(message, location) {
      const said = saidBy(message, location);
      return parts
        .map((part) => {
          if (typeof part === 'string') return part;
          const value = valueAt(said, part.path);
          if (!isJson) return textOf(value);
          return part.isQuoted
            ? JSON.stringify(textOf(value)).slice(1, -1)
            : JSON.stringify(value ?? null);
        })
        .join('');
    },
  };
}

/** Whether a JSON text is open at the end of this piece. */
function endsQuoted(piece: string, wasQuoted: boolean): boolean {
  const quotes = piece.replaceAll(/\\./gs, '').split('"').length - 1;
  return quotes % 2 === 1 ? !wasQuoted : wasQuoted;
}

function pathOf(text: string): string[] {
  return Array.from(text.matchAll(steps), ([, plain, literal = '']) => {
    if (plain !== undefined) return plain;
    const inner = literal.slice(1, -1);
    return literal.startsWith('"') ? inner.replaceAll(/\\(.)/gs, '$1') : inner;
  });
}

function valueAt(said: unknown, path: readonly string[]): unknown {
  let value = said;
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

/**
 * What templates can say. All messages have `labels`, `annotations`, `status`, `location`, `id`, `at`, `kind`,
 * `fingerprint` (the same for all that is said of one alert) and `action`, in the words of PagerDuty.
 */
function saidBy(message: Message, location: string): Record<string, unknown> {
  switch (message.kind) {
    case 'heartbeat': {
      const summary = message.healthy ? `${location} is healthy` : message.why;
      return {
        ...message,
        location,
        status: message.healthy ? 'healthy' : 'unhealthy',
        action: message.healthy ? 'resolve' : 'trigger',
        fingerprint: `heartbeat-${location}`,
        labels: { alertname: 'HEALTHZ', severity: message.healthy ? 'info' : 'critical' },
        annotations: { summary },
      };
    }
    case 'notice':
      return {
        ...message,
        location,
        status: 'firing',
        action: 'trigger',
        fingerprint: message.id,
        ...alertOfNotice(message),
      };
    default: {
      const { alert, ...rest } = message;
      const action = alert.status === 'resolved' ? 'resolve' : 'trigger';
      return { ...rest, ...alert, location, action };
    }
  }
}
