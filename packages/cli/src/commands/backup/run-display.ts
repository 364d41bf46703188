/** Shows the progress of a run: live in a terminal, otherwise one line per device. */
import type { BackupRun, RunEquipment } from '@skolo/api';
import type { Io } from '../../io.ts';
import { byNumber } from '../../names.ts';
import { type FrameSize, frameLines } from '../../output/live-area.ts';
import { plain, styled } from '../../output/text.ts';
import { duration, sizeText } from '../../output/time.ts';
import { resultStyle, resultText, shortVersionId, tallyOfRun } from './backup-text.ts';

/** Prints each device when it is finished. */
export function equipmentPrinter(io: Io, progress: RunProgress): () => void {
  const printed = new Set<string>();
  return () => {
    for (const equipment of progress.run.equipment) {
      if (equipment.result === undefined || printed.has(equipment.equipment)) continue;
      printRunEquipment(io, equipment);
      printed.add(equipment.equipment);
    }
  };
}

export interface RunProgress {
  run: BackupRun;
  /** Why there is no connection. */
  lost: string | undefined;
}

export function runFrame(
  { run: { equipment }, lost }: RunProgress,
  size: FrameSize,
  seconds: number,
): string[] {
  return frameLines(
    {
      items: equipment,
      urgency,
      stateWidth: 'not backed up'.length,
      line: (item) => ({
        name: item.equipment,
        // Includes the failure class, so that columns keep their width.
        state: resultText({ ...item, failure: undefined }),
        style: resultStyle(item),
        time: item.seconds === undefined ? '' : tookText(item.seconds),
        text: textOf(item),
      }),
      tally: tallyOfRun,
      summary: `${equipment.length} requested, ${duration(seconds)}: ${tallyOfRun(equipment)}`,
      lost,
    },
    size,
  );
}

function textOf(equipment: RunEquipment): string {
  const more = detailText({ ...equipment, seconds: undefined }).replace(/^: /, '');
  return [equipment.failure, more].filter(Boolean).join(': ');
}

function urgency({ state, result }: RunEquipment): number {
  if (result === 'failed') return 0;
  if (state === 'reading') return 1;
  return state === 'waiting' ? 2 : 3;
}

const order = ['not-backed-up', undefined, 'unchanged', 'changed', 'failed'] as const;

/** Failed devices last, next to the summary. */
export function sortedEquipment({ equipment }: BackupRun): RunEquipment[] {
  const rank = ({ result }: RunEquipment) => order.indexOf(result);
  return equipment.toSorted((a, b) => rank(a) - rank(b) || byNumber(a.equipment, b.equipment));
}

/** `switch-3: failed (timeout) after 30 s: nothing heard …`. */
export function printRunEquipment(io: Pick<Io, 'out' | 'colour'>, equipment: RunEquipment): void {
  const word = styled(resultText(equipment), resultStyle(equipment), io.colour);
  io.out(`${plain(equipment.equipment)}: ${word}${plain(detailText(equipment))}`);
}

/** Follows the result. */
function detailText({ result, seconds, detail, version, size, unsaved }: RunEquipment): string {
  const took = seconds === undefined ? '' : ` after ${tookText(seconds)}`;
  if (result === 'failed') return `${took}${detail === undefined ? '' : `: ${detail}`}`;
  const facts = [
    ...(result === 'changed' && version !== undefined
      ? [`version ${shortVersionId(version)}`]
      : []),
    ...(size === undefined ? [] : [sizeText(size)]),
    ...(unsaved ? ['unsaved: a reboot would load a different configuration'] : []),
    ...(detail === undefined ? [] : [detail]),
  ];
  return `${took}${facts.length > 0 ? `: ${facts.join(', ')}` : ''}`;
}

/** With a decimal below 10 s. */
function tookText(seconds: number): string {
  return seconds < 9.95 ? `${seconds.toFixed(1)} s` : duration(seconds);
}
