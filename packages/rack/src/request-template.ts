/**
 * The form of a body with places, `{"text": "{{annotations.summary | labels.alertname}}"}`: what is in a place is said
 * by who fills it.
 */

const name = String.raw`[\w-]+`;
const quoted = String.raw`"(?:[^"\\]|\\.)*"|'[^']*'`;
const step = String.raw`\.${name}|\[\s*(?:${quoted})\s*\]`;
const path = `${name}(?:${step})*`;

/** What is between the braces is its first group: names, or texts in quotes, parted by `|`. */
export const templatePlace = new RegExp(
  String.raw`\{\{\s*(${path}(?:\s*\|\s*(?:${path}|${quoted}))*)\s*\}\}`,
  'g',
);

/** What its `content-type` says; without one, what it begins like. */
export function isJsonTemplate(body: string, headers: Readonly<Record<string, string>>): boolean {
  const type = Object.entries(headers).find(([key]) => key.toLowerCase() === 'content-type')?.[1];
  return type === undefined ? /^\s*(\{(?!\{)|\[|")/.test(body) : /json/i.test(type);
}
