import type { BackupRun, RunDevice } from '@skolo/api';
import type { Io } from '../../io.ts';
import { byNumber } from '../../names.ts';
import { sizeText } from '../../output/size.ts';
import { styled } from '../../output/style.ts';
import { plain } from '../../output/text.ts';
import { duration } from '../../output/time.ts';
import { resultStyle, resultWord } from './backup-words.ts';
import { shortVersionId } from './versions-table.ts';

const order = ['not-backed-up', undefined, 'unchanged', 'changed', 'failed'] as const;

/** Those that failed last: above the summary, and above the prompt. */
export function sortedDevices({ devices }: BackupRun): RunDevice[] {
  const rank = ({ result }: RunDevice) => order.indexOf(result);
  return devices.toSorted((a, b) => rank(a) - rank(b) || byNumber(a.device, b.device));
}

/** `switch-3: failed (timeout) after 30 s: nothing heard …`. */
export function printRunDevice(io: Pick<Io, 'out' | 'colour'>, device: RunDevice): void {
  const word = styled(resultWord(device), resultStyle(device), io.colour);
  io.out(`${plain(device.device)}: ${word}${plain(moreWords(device))}`);
}

/** What follows the result. */
export function moreWords({ result, seconds, detail, version, size, unsaved }: RunDevice): string {
  const took = seconds === undefined ? '' : ` after ${tookText(seconds)}`;
  if (result === 'failed') return `${took}${detail === undefined ? '' : `: ${detail}`}`;
  const facts = [
    ...(result === 'changed' && version !== undefined
      ? [`version ${shortVersionId(version)}`]
      : []),
    ...(size === undefined ? [] : [sizeText(size)]),
    ...(unsaved ? ['unsaved: it would boot with another configuration'] : []),
    ...(detail === undefined ? [] : [detail]),
  ];
  return `${took}${facts.length > 0 ? `: ${facts.join(', ')}` : ''}`;
}

/** Devices answer within a second or two. */
export function tookText(seconds: number): string {
  return seconds < 9.95 ? `${seconds.toFixed(1)} s` : duration(seconds);
}
