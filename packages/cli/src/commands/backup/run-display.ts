/** Shows the progress of a run: live in a terminal, else a line per device. */
import type { BackupRun, RunDevice } from '@skolo/api';
import { complain } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { byNumber } from '../../names.ts';
import { frameLines, livePicture } from '../../output/live-area.ts';
import { plain, styled } from '../../output/text.ts';
import { duration, sizeText } from '../../output/time.ts';
import { resultStyle, resultText, shortVersionId, tallyOfRun } from './backup-text.ts';

interface Display {
  /** Whether each device was printed. */
  readonly hasPrintedAll: boolean;
  changed(run: BackupRun): void;
  lost(why: string): void;
  /** Stops drawing. `keep`: the last picture stays on screen. */
  end(keep: boolean): void;
}

export function displayOf(io: Io, run: BackupRun, json: boolean): Display {
  if (json) return { hasPrintedAll: true, changed() {}, lost() {}, end() {} };
  const isTerminal = io.rows !== undefined && io.columns !== undefined;
  return isTerminal ? liveDisplay(io, run) : plainDisplay(io);
}

function plainDisplay(io: Io): Display {
  const printed = new Set<string>();
  let isLost = false;
  return {
    hasPrintedAll: true,
    changed(run) {
      isLost = false;
      for (const device of run.devices) {
        if (device.result === undefined || printed.has(device.device)) continue;
        printRunDevice(io, device);
        printed.add(device.device);
      }
    },
    lost(why) {
      if (!isLost) complain(io, `no connection (${why}); the run continues; retrying`);
      isLost = true;
    },
    end() {},
  };
}

function liveDisplay(io: Io, first: BackupRun): Display {
  const since = io.now();
  let run = first;
  let lost: string | undefined;
  const picture = livePicture(io, (size) => {
    const took = duration((io.now() - since) / 1000);
    return runFrame({ run, lost, took }, size);
  });
  return {
    hasPrintedAll: false,
    changed(changed) {
      run = changed;
      lost = undefined;
      picture.changed();
    },
    lost(why) {
      lost = why;
      picture.changed();
    },
    end: picture.end,
  };
}

interface Progress {
  run: BackupRun;
  lost: string | undefined;
  took: string;
}

export function runFrame(
  { run: { devices }, lost, took }: Progress,
  size: Parameters<typeof frameLines>[1],
): string[] {
  const noConnection = lost === undefined ? '' : `no connection (${lost}), retrying; `;
  return frameLines(
    {
      items: devices,
      urgency,
      stateWidth: 'not backed up'.length,
      line: (device) => ({
        name: device.device,
        // The text has the failure class, so that columns keep their width.
        state: resultText({ ...device, failure: undefined }),
        style: resultStyle(device),
        time: device.seconds === undefined ? '' : tookText(device.seconds),
        text: textOf(device),
      }),
      tally: tallyOfRun,
      summary: {
        text: `${noConnection}${devices.length} requested, ${took}: ${tallyOfRun(devices)}`,
        style: lost === undefined ? 'bold' : 'yellow',
      },
    },
    size,
  );
}

function textOf(device: RunDevice): string {
  const more = detailText({ ...device, seconds: undefined }).replace(/^: /, '');
  return [device.failure, more].filter((part) => part !== undefined && part !== '').join(': ');
}

function urgency({ state, result }: RunDevice): number {
  if (result === 'failed') return 0;
  if (state === 'reading') return 1;
  return state === 'waiting' ? 2 : 3;
}

const order = ['not-backed-up', undefined, 'unchanged', 'changed', 'failed'] as const;

/** Failed devices last, next to the summary. */
export function sortedDevices({ devices }: BackupRun): RunDevice[] {
  const rank = ({ result }: RunDevice) => order.indexOf(result);
  return devices.toSorted((a, b) => rank(a) - rank(b) || byNumber(a.device, b.device));
}

/** `switch-3: failed (timeout) after 30 s: nothing heard …`. */
export function printRunDevice(io: Pick<Io, 'out' | 'colour'>, device: RunDevice): void {
  const word = styled(resultText(device), resultStyle(device), io.colour);
  io.out(`${plain(device.device)}: ${word}${plain(detailText(device))}`);
}

/** Follows the result. */
function detailText({ result, seconds, detail, version, size, unsaved }: RunDevice): string {
  const took = seconds === undefined ? '' : ` after ${tookText(seconds)}`;
  if (result === 'failed') return `${took}${detail === undefined ? '' : `: ${detail}`}`;
  const facts = [
    ...(result === 'changed' && version !== undefined
      ? [`version ${shortVersionId(version)}`]
      : []),
    ...(size === undefined ? [] : [sizeText(size)]),
    ...(unsaved ? ['unsaved: it would boot another configuration'] : []),
    ...(detail === undefined ? [] : [detail]),
  ];
  return `${took}${facts.length > 0 ? `: ${facts.join(', ')}` : ''}`;
}

/** With a decimal below 10 s. */
function tookText(seconds: number): string {
  return seconds < 9.95 ? `${seconds.toFixed(1)} s` : duration(seconds);
}
