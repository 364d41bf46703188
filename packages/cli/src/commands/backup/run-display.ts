/** Where a run that is waited for is shown: drawn over in a terminal, a line for each device elsewhere, or not at all. */
import type { BackupRun, RunDevice } from '@skolo/api';
import { complain } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { byNumber } from '../../names.ts';
import { frameLines, livePicture } from '../../output/live-area.ts';
import { plain, styled } from '../../output/text.ts';
import { duration, sizeText } from '../../output/time.ts';
import { resultStyle, resultWord, shortVersionId, tallyOfRun } from './backup-words.ts';

interface Display {
  /** Whether each device has got its line. */
  readonly hasSaidAll: boolean;
  changed(run: BackupRun): void;
  lost(why: string): void;
  /** Nothing is shown any more, and timers have ended. `keep`: the last picture stays, since nothing better follows. */
  end(keep: boolean): void;
}

export function displayOf(io: Io, run: BackupRun, json: boolean): Display {
  if (json) return { hasSaidAll: true, changed() {}, lost() {}, end() {} };
  const isTerminal = io.rows !== undefined && io.columns !== undefined;
  return isTerminal ? liveDisplay(io, run) : plainDisplay(io);
}

function plainDisplay(io: Io): Display {
  const said = new Set<string>();
  let isLost = false;
  return {
    hasSaidAll: true,
    changed(run) {
      isLost = false;
      for (const device of run.devices) {
        if (device.result === undefined || said.has(device.device)) continue;
        printRunDevice(io, device);
        said.add(device.device);
      }
    },
    lost(why) {
      if (!isLost) complain(io, `no connection (${why}); the run goes on, asking again`);
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
    hasSaidAll: false,
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
  const noConnection = lost === undefined ? '' : `no connection (${lost}), trying again; `;
  return frameLines(
    {
      items: devices,
      urgency,
      stateWidth: 'not backed up'.length,
      line: (device) => ({
        name: device.device,
        // The class stands in the text: columns stay where they are, and it is not cut off.
        state: resultWord({ ...device, failure: undefined }),
        style: resultStyle(device),
        time: device.seconds === undefined ? '' : tookText(device.seconds),
        text: textOf(device),
      }),
      tally: tallyOfRun,
      summary: {
        text: `${noConnection}${devices.length} asked for, ${took}: ${tallyOfRun(devices)}`,
        style: lost === undefined ? 'bold' : 'yellow',
      },
    },
    size,
  );
}

function textOf(device: RunDevice): string {
  const more = moreWords({ ...device, seconds: undefined }).replace(/^: /, '');
  return [device.failure, more].filter((part) => part !== undefined && part !== '').join(': ');
}

function urgency({ state, result }: RunDevice): number {
  if (result === 'failed') return 0;
  if (state === 'reading') return 1;
  return state === 'waiting' ? 2 : 3;
}

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
function moreWords({ result, seconds, detail, version, size, unsaved }: RunDevice): string {
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
function tookText(seconds: number): string {
  return seconds < 9.95 ? `${seconds.toFixed(1)} s` : duration(seconds);
}
