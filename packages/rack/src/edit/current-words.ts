/** Renames keys in the text of a rack.yaml that have another name now, and changes nothing else. */
import { isScalar } from 'yaml';
import { parseRack } from '../read/load.ts';
import { previousKeys } from '../yaml/previous-keys.ts';
import { checkedOthers } from './change-machines.ts';
import { topOf } from './entries.ts';
import { applied, rangeOf, written } from './splice.ts';

/** @throws RackError It is invalid. */
export function withCurrentWords(text: string, file: string): string {
  const before = parseRack(text, { file });
  const splices = (topOf(text)?.items ?? []).flatMap(({ key }) => {
    const now = isScalar(key) ? previousKeys.get(key.source) : undefined;
    if (!isScalar(key) || now === undefined) return [];
    return [{ ...rangeOf(key), text: written(now, text, key) }];
  });
  return checkedOthers(before, applied(text, splices), [], file);
}
