/** Waits for a run of backups and prints its result, or gives up. */

import type { BackupRun } from '@skolo/api';
import { pause } from '@skolo/base';
import { commandLine, type SkoloCommand } from '../../command.ts';
import { exitCodes } from '../../errors.ts';
import { type Io, printJson } from '../../io.ts';
import type { FrameSize } from '../../output/live-area.ts';
import { isRedrawn, waitWithProgress } from '../../output/progress.ts';
import { type RouterBackup, temporaryReason } from '../../reach/service-client.ts';
import { isOk, tallyOfRun } from './backup-text.ts';
import {
  equipmentPrinter,
  printRunEquipment,
  type RunProgress,
  runFrame,
  sortedEquipment,
} from './run-display.ts';

interface Wait {
  command: SkoloCommand;
  service: RouterBackup;
  /** As requested. */
  run: BackupRun;
  json: boolean;
}

const pauseMs = 1000;
/** A jumphost takes a few minutes to boot. */
const giveUpMs = 600_000;

/** Sets the exit code: 0 all succeeded, 3 some failed, 1 none succeeded. */
export async function waitForRun({ command, service, run, json }: Wait): Promise<void> {
  const { io } = command;
  const began = io.now();
  const progress: RunProgress = { run, lost: undefined };
  const waiting = {
    json,
    frame: (size: FrameSize) => runFrame(progress, size, (io.now() - began) / 1000),
    printNew: equipmentPrinter(io, progress),
    continues: 'the run continues',
    howToContinue: () =>
      `stopped waiting; this does not stop the run\nto see it: ${commandLine(command, 'backup runs', run.id)}`,
  };
  const isOver = await waitWithProgress(io, waiting, async (display, signal) => {
    let lastAnswer = performance.now();
    while (progress.run.finishedAt === undefined) {
      await pause(pauseMs, signal);
      try {
        const request = { params: { id: run.id }, signal };
        progress.run = await service.ask((client) => client.backup(request));
        progress.lost = undefined;
        lastAnswer = performance.now();
        display.changed();
      } catch (error) {
        signal.throwIfAborted();
        progress.lost = temporaryReason(error);
        const isTooLong = performance.now() - lastAnswer >= giveUpMs;
        if (progress.lost === undefined || isTooLong) throw error;
        display.lost(progress.lost);
      }
    }
    display.changed();
  });
  if (!isOver) return;
  if (json) printJson(io, progress.run);
  else printOutcome(io, progress.run);
  io.exitCode = exitCodeOf(progress.run);
}

function printOutcome(io: Io, run: BackupRun): void {
  if (isRedrawn(io)) for (const equipment of sortedEquipment(run)) printRunEquipment(io, equipment);
  io.out(tallyOfRun(run.equipment) || 'nothing to back up');
}

function exitCodeOf({ equipment }: BackupRun) {
  const ok = equipment.filter(isOk).length;
  if (ok === 0 && equipment.length > 0) return exitCodes.failed;
  const failed = equipment.some(({ result }) => result === 'failed');
  return failed ? exitCodes.partlyFailed : exitCodes.done;
}
