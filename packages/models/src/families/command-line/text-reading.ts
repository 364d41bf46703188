/** What models that read text have in common. */
import { DeviceRejected } from '@skolo/equipment';
import type { Content } from '../../contract/backup.ts';

/** Of a configuration in memory, one character for each byte, lines ended by `\n`. */
export function plainText(content: Content): string {
  if (!('bytes' in content)) throw new RangeError('the configuration must be in memory');
  return content.bytes.toString('latin1').replaceAll('\r\n', '\n');
}

/** Its lines as they are shown to people and typed; UTF-8 where it is that. */
export function linesOf(content: Buffer): string[] {
  return content.toString().replace(/\r\n/g, '\n').replace(/\n+$/, '').split('\n');
}

/** For errors: a line, short enough. */
export function quoted(line: string): string {
  return JSON.stringify(line.length > 60 ? `${line.slice(0, 60)}…` : line);
}

/** For people: the first of them, and how many more there are. */
export function listed(texts: readonly string[], most = 10): string {
  const more = texts.length > most ? `, and ${texts.length - most} more` : '';
  return `${texts.slice(0, most).join(', ')}${more}`;
}

export function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? '';
}

/** What is nice to know, and not every login may ask for. Undefined where the device rejects it. */
export async function ifAllowed<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof DeviceRejected) return undefined;
    throw error;
  }
}
