/** Decides whether a text may be a message instead of a configuration: two equal answers only show that it is stable. */
import { parseJson } from '@skolo/base';
import type { BackupModel, Content } from '../contract/backup.ts';
import { quoted } from '../families/command-line/text-reading.ts';

/** Configurations are longer. */
const [longestLines, longestBytes] = [4, 299];

/**
 * Why a content is not stored as a first version; undefined if it may be. Later versions are compared with the first.
 *
 * @throws as `doubt`
 */
export async function whyMessage(
  { doubt }: Pick<BackupModel, 'doubt'>,
  content: Content,
): Promise<string | undefined> {
  const why = await doubt?.(content);
  const line = why === undefined ? undefined : messageIn(content);
  return line && `it looks like a message: ${quoted(line)}; ${why}`;
}

/** The first line of a short text that is neither JSON nor XML. */
function messageIn(content: Content): string | undefined {
  if (!('bytes' in content) || content.bytes.length > longestBytes) return undefined;
  const text = content.bytes.toString().trim();
  const json = parseJson(text);
  if (/^<[?!\w][\s\S]*>$/.test(text) || (typeof json === 'object' && json !== null))
    return undefined;
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.length > longestLines ? undefined : lines[0]?.trim();
}
