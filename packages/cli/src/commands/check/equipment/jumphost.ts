/** Reads a jumphost over SSH as a user without root, and compares it with rack.yaml and the ports that skolo requires. */
import { errorText, stripSecrets } from '@skolo/base';
import { type Computers, type MachineTarget, openComputers } from '@skolo/fleet';
import { ComputerError, openUserHost } from '@skolo/setup/engine';
import { type JumphostReading, jumphostReadings } from '@skolo/setup/jumphost';
import { ZodError } from 'zod';
import { computerOptions } from '../../../reach/machine-way.ts';
import { parted } from '../check.ts';
import type { Looked } from './look-at-equipment.ts';
import type { LookDeps } from './readers.ts';

export interface JumphostLook extends Looked {
  facts: { name: string; text: string }[];
}

export interface JumphostDeps extends Pick<LookDeps, 'rack' | 'timeoutMs' | 'signal' | 'dry'> {
  target: MachineTarget;
  /** Environment of ssh. */
  env: NodeJS.ProcessEnv;
  now(): number;
}

/** More than any of the commands prints on a real computer. */
const mostBytes = 1024 * 1024;

export async function lookAtJumphost(deps: JumphostDeps): Promise<JumphostLook> {
  const { rack, env, dry } = deps;
  const none = { steps: [], sent: [], facts: [], problems: [], notes: [] };
  const about = { equipment: rack.jumphost.name, model: 'jumphost', transport: 'ssh' } as const;
  const look: JumphostLook = { ...about, ...none, isComplete: false };
  const computers = dry ? undefined : await openComputers({ env });
  try {
    for (const reading of jumphostReadings) {
      const isLast = deps.signal.aborted || !(await read(look, reading, computers, deps));
      if (isLast) break;
    }
  } finally {
    await computers?.close();
  }
  look.isComplete = look.steps.length === jumphostReadings.length;
  return look;
}

/** False: nothing else can be read. */
async function read(
  look: JumphostLook,
  { name, command, judge }: JumphostReading,
  computers: Computers | undefined,
  { rack, target, timeoutMs, signal, now }: JumphostDeps,
): Promise<boolean> {
  const step = { step: name, ms: 0, isDone: false, requests: 1 };
  look.steps.push(step);
  look.sent.push(command.split('\n'));
  if (computers === undefined) return true;
  const start = performance.now();
  try {
    const host = openUserHost(computerOptions(computers, target, signal));
    const { code, stdout, stderr } = await host.run(command, { deadlineMs: timeoutMs, mostBytes });
    if (code !== 0 && stdout === '') {
      const why = stderr.split('\n').at(-1) || `exit code ${code}`;
      look.notes.push(`${name} not read: ${stripSecrets(why)}`);
      return true;
    }
    const { differs, note } = judge(stdout, rack, now);
    for (const what of differs) {
      const thing = `${look.equipment} ${name}`;
      look.problems.push({ kind: name, thing, state: 'differs', ...parted(what) });
    }
    if (note) look.facts.push({ name, text: note });
    step.isDone = true;
    return true;
  } catch (error) {
    if (!signal.aborted)
      look.problems.push({
        kind: 'failed',
        thing: look.equipment,
        state: 'unchecked',
        found: `${name}: ${errorText(error)}`,
      });
    // Without a connection, each other command would take as long to fail.
    return error instanceof ComputerError ? error.code === undefined : error instanceof ZodError;
  } finally {
    step.ms = Math.round(performance.now() - start);
  }
}
