/** Where a run that is waited for is shown: drawn over in a terminal, a line for each device elsewhere, or not at all. */
import type { BackupRun, RunDevice } from '@skolo/api';
import { complain } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { frameLines } from '../../output/frame.ts';
import { LiveArea } from '../../output/live-area.ts';
import { duration } from '../../output/time.ts';
import { resultStyle, resultWord, tallyOfRun } from './backup-words.ts';
import { moreWords, printRunDevice, tookText } from './run-lines.ts';

export interface Display {
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
  const area = new LiveArea(io);
  const since = io.now();
  let run = first;
  let lost: string | undefined;
  const ticking = setInterval(draw, 1000);
  draw();
  function draw() {
    const { columns = 80, rows = 24, colour } = io;
    const took = duration((io.now() - since) / 1000);
    area.show(runFrame({ run, lost, took }, { columns, rows, colour }));
  }
  return {
    hasSaidAll: false,
    changed(changed) {
      run = changed;
      lost = undefined;
      draw();
    },
    lost(why) {
      lost = why;
      draw();
    },
    end(keep) {
      clearInterval(ticking);
      if (keep) draw();
      else area.clear();
    },
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
