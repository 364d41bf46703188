/** Waiting for a run until it is over, and saying what became of it. */
import { setTimeout } from 'node:timers/promises';
import { ApiError, ApiUnreachable, type BackupRun } from '@skolo/api';
import type { SkoloCommand } from '../../command.ts';
import { commandLine } from '../../command.ts';
import { exitCodes } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { printJson } from '../../io.ts';
import type { RouterBackup } from '../../service-client.ts';
import { isOk, isOver, tallyOfRun } from './backup-words.ts';
import { displayOf, printRunDevice, sortedDevices } from './run-display.ts';

interface Wait {
  io: Io;
  command: SkoloCommand;
  service: RouterBackup;
  /** As it was when it was asked for. */
  run: BackupRun;
  json: boolean;
}

const pauseMs = 1000;
/** A jumphost that starts anew needs some minutes. */
const giveUpMs = 600_000;

/** Sets the exit code: 0 all went well, 3 some failed, 1 none went well. */
export async function waitForRun(wait: Wait): Promise<void> {
  const { io, json, command } = wait;
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
    io.err(`not waiting any longer; the run goes on\nto see it: ${line}`);
    if (!interrupt.signal.aborted) throw error;
    io.exitCode = exitCodes.interrupted;
    return;
  } finally {
    stopListening();
  }
  if (json) printJson(io, run);
  else printOutcome(io, run, display.hasSaidAll);
  io.exitCode = exitCodeOf(run);
}

async function over(
  { service, run: asked }: Wait,
  display: ReturnType<typeof displayOf>,
  signal: AbortSignal,
): Promise<BackupRun> {
  let run = asked;
  let heard = performance.now();
  while (!isOver(run)) {
    await setTimeout(pauseMs, undefined, { signal });
    try {
      const request = { params: { id: run.id }, signal };
      run = await service.ask((client) => client.backup(request));
      heard = performance.now();
      display.changed(run);
    } catch (error) {
      signal.throwIfAborted();
      const why = passing(error);
      if (why === undefined || performance.now() - heard >= giveUpMs) throw error;
      display.lost(why);
    }
  }
  display.changed(run);
  return run;
}

/** Why there is no answer, where it is worth to ask again. */
function passing(error: unknown): string | undefined {
  // With what to do about it, it is the cause of another error.
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  for (const each of [error, cause]) {
    if (each instanceof ApiUnreachable) return each.message;
    if (each instanceof ApiError && each.status >= 500) return each.problem.detail;
  }
  return undefined;
}

function printOutcome(io: Io, run: BackupRun, isSaid: boolean): void {
  if (!isSaid) for (const device of sortedDevices(run)) printRunDevice(io, device);
  io.out(tallyOfRun(run.devices) || 'there is no device to back up');
}

function exitCodeOf({ devices }: BackupRun) {
  const ok = devices.filter(isOk).length;
  if (ok === 0 && devices.length > 0) return exitCodes.failed;
  const failed = devices.some(({ result }) => result === 'failed');
  return failed ? exitCodes.partlyFailed : exitCodes.done;
}
