/** Decides whether a text may be a message instead of a configuration: two equal answers only show that it is stable. */
import { parseJson } from '@skolo/base';
import type { BackupModel, Content } from '../contract/backup.ts';
import { quoted } from '../families/command-line/text-reading.ts';
import { isBlank } from './text.ts';

/** Configurations are longer. */
const [longestLines, longestBytes] = [4, 299];

/**
 * Why a content is not stored as a version; undefined if it may be.
 *
 * @throws as `doubt`
 */
export async function whyMessage(
  { doubt }: Pick<BackupModel, 'doubt'>,
  content: Content,
): Promise<string | undefined> {
  const why = await doubt?.(content);
  const line = why === undefined ? undefined : messageIn(content);
  return line === undefined ? undefined : `it looks like a message: ${quoted(line)}; ${why}`;
}

/** An element with its end. Text in angle brackets is none, and a page for people is no configuration. */
const comments = String.raw`(?:<[?!][^<>]*>\s*)*`;
const page = String.raw`(?:html|head|body|title|h\d|p|div|span|pre|center|b|font|script)\b`;
const attributes = String.raw`(?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'))*`;
const element = new RegExp(
  String.raw`^${comments}<(?!${page})([\w:.-]+)${attributes}\s*(?:/>|>[\s\S]*</\1\s*>)$`,
  'i',
);

/** The first line of a short text that is neither JSON nor XML. */
function messageIn(content: Content): string | undefined {
  if (!('bytes' in content) || content.bytes.length > longestBytes) return undefined;
  const text = content.bytes.toString().trim();
  const json = parseJson(text);
  if (element.test(text) || (typeof json === 'object' && json !== null)) return undefined;
  const lines = text.split('\n').filter((line) => !isBlank(line));
  return lines.length > longestLines ? undefined : (lines[0]?.trim() ?? '');
}
