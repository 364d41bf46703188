/** Common parts of models that read text. */
import type { Content } from '../../contract/backup.ts';

/** A configuration in memory, with one character per byte and `\n` as the line end. */
export function plainText(content: Content): string {
  if (!('bytes' in content)) throw new RangeError('the configuration must be in memory');
  return content.bytes.toString('latin1').replaceAll('\r\n', '\n');
}

/** Its lines as shown to people and typed; as UTF-8 if valid. */
export function linesOf(content: Buffer): string[] {
  const text = content.toString().replaceAll('\r\n', '\n');
  return text.replace(/(?<!\n)\n+$/, '').split('\n');
}

/** For errors: a short line. */
export function quoted(line: string): string {
  return JSON.stringify(line.length > 60 ? `${line.slice(0, 60)}…` : line);
}

/** For people: the first one, and the number of others. */
export function listed(texts: readonly string[], most = 10): string {
  const more = texts.length > most ? `, and ${texts.length - most} more` : '';
  return `${texts.slice(0, most).join(', ')}${more}`;
}

export function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? '';
}
