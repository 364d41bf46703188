/**
 * Template of a body, `{"text": "{{annotations.summary | labels.alertname}}"}`. Its user defines the names in places.
 */

const name = String.raw`[\w-]+`;
const quoted = String.raw`"(?:[^"\\]|\\.)*"|'[^']*'`;
const step = String.raw`\.${name}|\[\s*(?:${quoted})\s*\]`;
const path = `${name}(?:${step})*`;

/** Group 1 is the content of the braces: names or quoted texts, separated by `|`. */
export const templatePlace = new RegExp(
  String.raw`\{\{\s*(${path}(?:\s*\|\s*(?:${path}|${quoted}))*)\s*\}\}`,
  'g',
);

/** By its `content-type`, else by its beginning. */
export function isJsonTemplate(body: string, headers: Readonly<Record<string, string>>): boolean {
  const type = Object.entries(headers).find(([key]) => key.toLowerCase() === 'content-type')?.[1];
  return type === undefined ? /^\s*(\{(?!\{)|\[|")/.test(body) : /json/i.test(type);
}
