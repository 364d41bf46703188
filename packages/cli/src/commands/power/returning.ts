/** Follows how machines return after the power cycle of their switch or PDU, and decides how long to wait. */
import type { Machine, PowerCycle } from '@skolo/api';
import { isSilent } from '@skolo/api/silence';
import { count, pause } from '@skolo/base';
import type { SkoloCommand } from '../../command.ts';
import { complain, failPartly } from '../../errors.ts';
import { folded } from '../../names.ts';
import type { FrameSize } from '../../output/live-area.ts';
import { waitWithProgress } from '../../output/progress.ts';
import { cutOff, plain } from '../../output/text.ts';
import { duration, timestamp } from '../../output/time.ts';
import { type MachineState, machineState, temporaryReason } from '../../reach/service-client.ts';
import { rackToReach } from '../../workstation/rack-file.ts';

interface Dependents {
  service: MachineState;
  names: ReadonlySet<string>;
}

const lookMs = 2000;
/** A switch boots for five minutes, and then its machines do. */
const patienceMs = 900_000;

/**
 * The machines that respond now, and lose power or network with one of the targets. None with `--url`, which may lead to any rack, or while
 * machine-state does not respond.
 */
export async function respondingDependents(
  command: SkoloCommand,
  targets: readonly string[],
): Promise<Dependents | undefined> {
  if (command.globals().url !== undefined) return undefined;
  const rack = await rackToReach(command);
  const outlets = targets.flatMap((name) => rack.equipment.get(name)?.power ?? []);
  if (outlets.length === 0) return undefined;
  const { goesDark } = await import('@skolo/rack');
  const dark = new Set(goesDark(rack, outlets));
  const service = machineState(command);
  try {
    const { machines } = await service.ask((client) => client.machines());
    const responding = machines.filter(
      (machine) =>
        dark.has(machine.name) && hasAnswered(machine) && !targets.includes(machine.name),
    );
    return { service, names: new Set(responding.map(({ name }) => name)) };
  } catch (error) {
    if (temporaryReason(error) === undefined) throw error;
    complain(command.io, `dependents: cannot tell when they return: ${String(error)}`);
    return undefined;
  }
}

/** Prints each machine as it returns. Sets exit code 3 if some do not within 15 minutes. */
export async function waitForDependents(
  { io }: SkoloCommand,
  { service, names }: Dependents,
  cycles: readonly PowerCycle[],
): Promise<void> {
  const turnedOn = cycles.flatMap(({ steps }) => steps.filter(({ step }) => step === 'turn-on'));
  const since = turnedOn
    .map(({ at }) => Date.parse(at))
    .sort((a, b) => a - b)
    .at(-1);
  if (names.size === 0 || since === undefined) return;
  const missing = new Set(names);
  const summary = () =>
    `${names.size - missing.size} of ${count(names.size, 'dependent machine')} back`;
  const lines: string[] = [];
  let printed = 0;
  const printNew = () => {
    for (const line of lines.slice(printed)) io.out(line);
    printed = lines.length;
  };
  const waiting = {
    json: false,
    frame: ({ columns, rows }: FrameSize) =>
      [...lines.slice(-Math.max(0, rows - 2)), summary()].map((each) => cutOff(each, columns - 1)),
    printNew,
    continues: 'the machines continue',
    howToContinue: () => `stopped waiting; not back yet: ${folded([...missing])}`,
  };
  const isOver = await waitWithProgress(io, waiting, async (display, signal) => {
    for (const until = performance.now() + patienceMs; performance.now() < until; ) {
      try {
        const { machines } = await service.ask((client) => client.machines({ signal }));
        for (const { name, condition, lastSeen = '' } of machines) {
          const seen = Date.parse(lastSeen);
          if (!missing.has(name) || isSilent({ condition }) || !(seen > since)) continue;
          missing.delete(name);
          const after = duration((seen - since) / 1000);
          lines.push(plain(`${timestamp(seen)}  ${name}  back ${after} after the power`));
        }
        display.changed();
      } catch (error) {
        signal.throwIfAborted();
        const why = temporaryReason(error);
        if (why === undefined) throw error;
        display.lost(why);
      }
      if (missing.size === 0) return;
      await pause(lookMs, signal);
    }
  });
  printNew();
  if (!isOver) return;
  io.out(summary());
  if (missing.size === 0) return;
  complain(io, `${folded([...missing])}: not back after ${duration(patienceMs / 1000)}`);
  failPartly(io, true);
}

function hasAnswered({ condition }: Machine): boolean {
  return !isSilent({ condition }) && condition !== 'never-reported';
}
