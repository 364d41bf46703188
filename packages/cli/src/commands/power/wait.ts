/** Waits for cycles and prints their outcomes. */
import type { PowerCycle } from '@skolo/api';
import type { SkoloCommand } from '../../command.ts';
import { commandLine } from '../../command.ts';
import { exitCodes, failPartly } from '../../errors.ts';
import { type Io, printJson } from '../../io.ts';
import { folded } from '../../names.ts';
import { plain, styled } from '../../output/text.ts';
import type { PowerCycleDaemon } from '../../service-client.ts';
import { endText, goodOutcomes, isGood, stateStyle, stateText } from './cycle-text.ts';
import { followCycles } from './follow-cycles.ts';
import { type AskedCycle, displayOf, type Progress, summary, tally } from './progress.ts';

interface Wait {
  command: SkoloCommand;
  daemon: PowerCycleDaemon;
  asked: readonly AskedCycle[];
  /** Already over. */
  over?: readonly PowerCycle[];
  /** Count as failed. */
  refused: readonly unknown[];
  json: boolean;
}

/** Sets the exit code: 0 all succeeded, 3 some failed, 1 all failed. */
export async function waitForCycles(wait: Wait): Promise<void> {
  const { command, asked, over = [], refused, json } = wait;
  const { io } = command;
  const cycles = new Map(over.map((cycle) => [cycle.id, cycle]));
  const progress: Progress = { asked, cycles, clockAheadMs: 0 };
  const isOver = await follow(wait, progress, cycles);
  const known = asked.flatMap(({ id }) => cycles.get(id) ?? []);
  if (!isOver) {
    io.exitCode = exitCodes.interrupted;
    return;
  }
  if (json) printJson(io, { cycles: known, refused });
  else await printOutcomes(io, progress, known);
  const good = known.filter(isGood).length;
  if (good < asked.length + refused.length) failPartly(io, good > 0);
}

/** False when Ctrl-C ended it. */
async function follow(
  wait: Wait,
  progress: Progress,
  cycles: Map<string, PowerCycle>,
): Promise<boolean> {
  const { daemon, asked, over = [], json } = wait;
  const { io } = wait.command;
  const display = displayOf(io, progress, json);
  for (const cycle of over) display.changed(cycle);
  const interrupt = new AbortController();
  const stopListening = io.onInterrupt(() => interrupt.abort());
  try {
    await daemon.ask((client) =>
      followCycles({
        client,
        ids: asked.map(({ id }) => id).filter((id) => !over.some((cycle) => cycle.id === id)),
        signal: interrupt.signal,
        now: io.now,
        watcher: {
          connected(clockAheadMs) {
            progress.clockAheadMs = clockAheadMs;
            progress.lost = undefined;
            display.changed(undefined);
          },
          changed(cycle) {
            cycles.set(cycle.id, cycle);
            display.changed(cycle);
          },
          lost(why) {
            progress.lost = why;
            display.lost(why);
          },
        },
      }),
    );
  } catch (error) {
    display.end(true);
    await printHowToFollow(wait, cycles);
    if (!interrupt.signal.aborted) throw error;
    return false;
  } finally {
    stopListening();
  }
  display.end(false);
  return true;
}

/** Failed cycles in full, the others folded. */
async function printOutcomes(io: Io, progress: Progress, known: readonly PowerCycle[]) {
  if (known.length === 1) {
    // Outside a terminal the progress has printed it.
    if (io.rows !== undefined) for (const cycle of known) printOutcome(io, cycle);
    return;
  }
  for (const cycle of known) if (!isGood(cycle)) printOutcome(io, cycle);
  for (const outcome of goodOutcomes) {
    const alike = known.filter((cycle) => cycle.outcome === outcome);
    if (alike.length === 0) continue;
    const names = await folded(alike.map(({ target }) => plain(target)));
    io.out(`${styled(outcome, 'green', io.colour)}: ${names}`);
  }
  io.out(summary(progress, io.now()));
}

function printOutcome(io: Io, cycle: PowerCycle) {
  const word = styled(stateText(cycle), stateStyle(cycle), io.colour);
  io.out(`${plain(cycle.target)}: ${word} ${plain(endText(cycle))}`.trimEnd());
}

async function printHowToFollow({ command, asked }: Wait, cycles: ReadonlyMap<string, PowerCycle>) {
  const open = asked.filter(({ id }) => cycles.get(id)?.outcome === undefined);
  const names = await folded(open.map(({ target }) => target));
  command.io.err(
    [
      `stopped waiting; these continue: ${tally(open.map(({ id }) => cycles.get(id)))}`,
      `to follow:              ${commandLine(command, 'power follow', names)}`,
      `to cancel queued ones:  ${commandLine(command, 'power cancel', names)}`,
    ].join('\n'),
  );
}
