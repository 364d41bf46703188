/** Waits for cycles and prints their outcomes. */
import type { PowerCycle } from '@skolo/api';
import { commandLine, type SkoloCommand } from '../../command.ts';
import { failPartly } from '../../errors.ts';
import { type Io, printJson } from '../../io.ts';
import { folded } from '../../names.ts';
import type { FrameSize } from '../../output/live-area.ts';
import { waitWithProgress } from '../../output/progress.ts';
import { plain, styled } from '../../output/text.ts';
import type { PowerCycleDaemon } from '../../reach/service-client.ts';
import {
  endText,
  goodOutcomes,
  isGood,
  isOver,
  outcomeText,
  stateStyle,
  stateText,
} from './cycle-text.ts';
import { followCycles } from './follow-cycles.ts';
import {
  type AskedCycle,
  type Progress,
  progressFrame,
  stepPrinter,
  summary,
  tallyOfCycles,
} from './progress.ts';

interface Wait {
  command: SkoloCommand;
  daemon: PowerCycleDaemon;
  asked: readonly AskedCycle[];
  /** Already over. */
  over?: readonly PowerCycle[];
  /** Count as failed. */
  rejected: readonly unknown[];
  json: boolean;
  /** Printed if the waiting is interrupted; default: how to follow the cycles. */
  whenStopped?: string;
}

/** For what only the start of a cycle shows, such as a running task. */
const rejectionMs = 2000;

/** The cycles that end within two seconds, or less if all have begun to change the power. */
export async function endedSoon({
  command,
  daemon,
  asked,
}: Pick<Wait, 'command' | 'daemon' | 'asked'>): Promise<Map<string, PowerCycle>> {
  const cycles = new Map<string, PowerCycle>();
  const enough = new AbortController();
  const isUnderWay = ({ id }: AskedCycle) => {
    const cycle = cycles.get(id);
    return cycle && (isOver(cycle) || !['queued', 'check'].includes(cycle.step));
  };
  const watcher = {
    connected() {},
    lost() {},
    changed(cycle: PowerCycle) {
      cycles.set(cycle.id, cycle);
      if (asked.every(isUnderWay)) enough.abort();
    },
  };
  const signal = AbortSignal.any([enough.signal, AbortSignal.timeout(rejectionMs)]);
  const { now } = command.io;
  const ids = asked.map(({ id }) => id);
  // The request was accepted, whatever happens to this connection.
  await daemon
    .ask((client) => followCycles({ client, ids, signal, now, watcher }))
    .catch(() => undefined);
  return new Map([...cycles].filter(([, cycle]) => isOver(cycle)));
}

/** Sets the exit code: 0 all succeeded, 3 some failed, 1 all failed. @returns the cycles if all are over */
export async function waitForCycles(wait: Wait): Promise<PowerCycle[]> {
  const { command, asked, over = [], rejected, json } = wait;
  const { io } = command;
  const cycles = new Map(over.map((cycle) => [cycle.id, cycle]));
  const progress: Progress = { asked, cycles, clockAheadMs: 0 };
  const waiting = {
    json,
    frame: (size: FrameSize) => progressFrame(progress, size, io.now()),
    printNew: stepPrinter(io, progress),
    continues: 'the cycles continue',
    howToContinue: () => wait.whenStopped ?? howToFollow(wait, cycles),
  };
  const hasEnded = await waitWithProgress(io, waiting, (display, signal) => {
    display.changed();
    return wait.daemon.ask((client) =>
      followCycles({
        client,
        ids: asked.map(({ id }) => id).filter((id) => !cycles.has(id)),
        signal,
        now: io.now,
        watcher: {
          connected(clockAheadMs) {
            progress.clockAheadMs = clockAheadMs;
            progress.lost = undefined;
            display.changed();
          },
          changed(cycle) {
            cycles.set(cycle.id, cycle);
            display.changed();
          },
          lost(why) {
            progress.lost = why;
            display.lost(why);
          },
        },
      }),
    );
  });
  if (!hasEnded) return [];
  const known = asked.flatMap(({ id }) => cycles.get(id) ?? []);
  if (json) printJson(io, { cycles: known, rejected });
  else printOutcomes(io, progress, known);
  const good = known.filter(isGood).length;
  if (good < asked.length + rejected.length) failPartly(io, good > 0);
  return known;
}

/** Complete failed cycles, the others folded. */
function printOutcomes(io: Io, progress: Progress, known: readonly PowerCycle[]) {
  if (known.length === 1) {
    // Outside a terminal, the progress has already printed it.
    if (io.rows !== undefined) for (const cycle of known) printOutcome(io, cycle);
    return;
  }
  printBad(io, known);
  for (const outcome of goodOutcomes) {
    const alike = known.filter((cycle) => cycle.outcome === outcome);
    if (alike.length === 0) continue;
    const names = folded(alike.map(({ target }) => plain(target)));
    io.out(`${styled(outcome, 'green', io.colour)}: ${names}`);
  }
  io.out(summary(progress, io.now()));
}

/** Those that did not succeed, folded if their outlets are all that differs. */
export function printBad(io: Io, cycles: readonly PowerCycle[]) {
  const bad = cycles.filter((cycle) => !isGood(cycle));
  const groups = Map.groupBy(bad, ({ outcome, failedStep, detail = '', outlets }) => {
    const same = outlets.reduce((text, outlet) => text.replaceAll(outlet, 'the outlet'), detail);
    const word = outcome && outcomeText(outcome);
    const where = failedStep === undefined ? word : `${word} at ${failedStep}`;
    return [where, same].filter(Boolean).join(': ');
  });
  for (const [what, alike] of groups) {
    const [first] = alike;
    if (alike.length === 1 && first) printOutcome(io, first);
    else io.out(plain(`${folded(alike.map(({ target }) => target))}: ${what}`));
  }
}

function printOutcome(io: Io, cycle: PowerCycle) {
  const word = styled(stateText(cycle), stateStyle(cycle), io.colour);
  io.out(`${plain(cycle.target)}: ${word} ${plain(endText(cycle))}`.trimEnd());
}

function howToFollow({ command, asked }: Wait, cycles: ReadonlyMap<string, PowerCycle>): string {
  const open = asked.filter(({ id }) => cycles.get(id)?.outcome === undefined);
  const names = folded(open.map(({ target }) => target));
  return [
    `stopped waiting; these continue: ${tallyOfCycles(open.map(({ id }) => cycles.get(id)))}`,
    `to follow:              ${commandLine(command, 'power follow', names)}`,
    `to cancel queued ones:  ${commandLine(command, 'power cancel', names)}`,
  ].join('\n');
}
