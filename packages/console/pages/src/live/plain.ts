/**
 * Removes control characters from text: names, reasons and log lines come from untrusted machines. Markup is always shown as text.
 * Characters that would hide other text, or reorder it, are made visible where JSON arrives, so that no view can forget it.
 */

/** A joiner is visible as part of an emoji. */
const invisible =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]|(?<!\p{Extended_Pictographic}\ufe0f?)\u200d/gu;
/** Hebrew, Arabic and their neighbours, up to the next other letter: isolated, it does not reorder the numbers that follow. */
const rightToLeft =
  /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc](?:[^\p{L}"\\]*[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc])*/gu;
/** In JSON, where control characters are escaped. A pair of backslashes is one character, and is kept. */
const escaped = /\\(?:\\|u00([01][0-9a-f]|7f)|[bf])/g;

/** JSON with each invisible character in its strings as `<U+202E>`. Keeps line ends and tabs. */
export function plainJson(json: string): string {
  return json
    .replace(escaped, (all, code?: string) => {
      if (all === '\\\\') return all;
      return `<U+${code ? `00${code.toUpperCase()}` : all === '\\b' ? '0008' : '000C'}>`;
    })
    .replace(invisible, (character) => (character < ' ' ? character : visible(character)))
    .replace(rightToLeft, '\u2068$&\u2069');
}

function visible(character: string): string {
  const code = character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0');
  return `<U+${code}>`;
}
