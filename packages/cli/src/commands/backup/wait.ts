/** Waits for a run and prints its result. */
import { setTimeout } from 'node:timers/promises';
import type { BackupRun } from '@skolo/api';
import type { SkoloCommand } from '../../command.ts';
import { commandLine } from '../../command.ts';
import { exitCodes } from '../../errors.ts';
import { type Io, printJson } from '../../io.ts';
import { type RouterBackup, temporaryReason } from '../../service-client.ts';
import { isOk, isOver, tallyOfRun } from './backup-text.ts';
import { displayOf, printRunDevice, sortedDevices } from './run-display.ts';

interface Wait {
  command: SkoloCommand;
  service: RouterBackup;
  /** As requested. */
  run: BackupRun;
  json: boolean;
}

const pauseMs = 1000;
/** A jumphost needs some minutes to boot. */
const giveUpMs = 600_000;

/** Sets the exit code: 0 all succeeded, 3 some failed, 1 all failed. */
export async function waitForRun(wait: Wait): Promise<void> {
  const { json, command } = wait;
  const { io } = command;
  const display = displayOf(io, wait.run, json);
  const interrupt = new AbortController();
  const stopListening = io.onInterrupt(() => interrupt.abort());
  let run: BackupRun;
  try {
    run = await over(wait, display, interrupt.signal);
    display.end(false);
  } catch (error) {
    display.end(true);
    const line = commandLine(command, 'backup runs', wait.run.id);
    io.err(`stopped waiting; the run continues\nto see it: ${line}`);
    if (!interrupt.signal.aborted) throw error;
    io.exitCode = exitCodes.interrupted;
    return;
  } finally {
    stopListening();
  }
  if (json) printJson(io, run);
  else printOutcome(io, run, display.hasPrintedAll);
  io.exitCode = exitCodeOf(run);
}

async function over(
  { service, run: asked }: Wait,
  display: ReturnType<typeof displayOf>,
  signal: AbortSignal,
): Promise<BackupRun> {
  let run = asked;
  let lastAnswer = performance.now();
  while (!isOver(run)) {
    await setTimeout(pauseMs, undefined, { signal });
    try {
      const request = { params: { id: run.id }, signal };
      run = await service.ask((client) => client.backup(request));
      lastAnswer = performance.now();
      display.changed(run);
    } catch (error) {
      signal.throwIfAborted();
      const why = temporaryReason(error);
      if (why === undefined || performance.now() - lastAnswer >= giveUpMs) throw error;
      display.lost(why);
    }
  }
  display.changed(run);
  return run;
}

function printOutcome(io: Io, run: BackupRun, isRepeated: boolean): void {
  if (!isRepeated) for (const device of sortedDevices(run)) printRunDevice(io, device);
  io.out(tallyOfRun(run.devices) || 'no device to back up');
}

function exitCodeOf({ devices }: BackupRun) {
  const ok = devices.filter(isOk).length;
  if (ok === 0 && devices.length > 0) return exitCodes.failed;
  const failed = devices.some(({ result }) => result === 'failed');
  return failed ? exitCodes.partlyFailed : exitCodes.done;
}
