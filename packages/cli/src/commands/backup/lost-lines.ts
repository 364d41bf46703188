import type { LostHistory } from '@skolo/api';
import { count } from '../../output/text.ts';
import { timestamp } from '../../output/time.ts';
import { shortVersionId } from './versions-table.ts';

/** What is lost of a device: how much, up to when, and by name what is in no copy. */
export function lostLines({ device, versions, newest, unsent }: LostHistory): string[] {
  const what = versions === undefined ? 'its versions' : count(versions, 'version');
  const last = newest === undefined ? '' : `, the newest ${nameOf(newest)}`;
  return [
    `${device}: lost from the history: ${what}${last}`,
    ...unsent.map((version) => `${device}: in no copy: version ${nameOf(version)}`),
  ];
}

function nameOf({ id, time }: { id: string; time: string }): string {
  return `${shortVersionId(id)} of ${timestamp(new Date(time))}`;
}
