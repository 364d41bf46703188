/** Starts and stops systemd units, with a time limit on everything. */
import { run } from '@skolo/base/run';

interface UnitState {
  isInstalled: boolean;
  /** Also while it waits to be started again. */
  isRunning: boolean;
}

/** Longer than a unit may take to end: 90 s, where it does not say otherwise. */
const timeoutMs = 120_000;

export async function unitState(unit: string): Promise<UnitState> {
  const { LoadState, ActiveState } = await show(unit, 'LoadState', 'ActiveState');
  return {
    isInstalled: LoadState === 'loaded',
    isRunning: !['inactive', 'failed', undefined].includes(ActiveState),
  };
}

export async function changeUnit(
  verb: 'start' | 'stop' | 'enable' | 'disable' | 'try-reload-or-restart' | 'try-restart',
  unit: string,
  withinMs = timeoutMs,
): Promise<void> {
  await systemctl([verb, '--quiet', unit], withinMs);
}

/** When it began to run, by a clock of systemd; undefined while it does not. */
export async function startedAt(unit: string): Promise<string | undefined> {
  const since = 'ActiveEnterTimestampMonotonic';
  const found = await show(unit, 'ActiveState', since);
  return found.ActiveState === 'active' ? found[since] : undefined;
}

async function show(unit: string, ...properties: string[]): Promise<Record<string, string>> {
  const output = await systemctl(['show', `--property=${properties.join(',')}`, unit]);
  return Object.fromEntries(output.split('\n').map((line) => line.split('=', 2)));
}

/** Starts a unit that is gone when it ends. It has the sandbox of none. */
export async function startTransient(
  unit: string,
  properties: readonly string[],
  command: readonly string[],
): Promise<void> {
  const options = properties.map((each) => `--property=${each}`);
  const args = ['--quiet', '--collect', `--unit=${unit}`, ...options, '--', ...command];
  await run('systemd-run', args, { timeout: timeoutMs });
}

export async function readUnits(): Promise<void> {
  await systemctl(['daemon-reload']);
}

async function systemctl(args: readonly string[], timeout = timeoutMs): Promise<string> {
  try {
    const { stdout } = await run('systemctl', ['--no-ask-password', ...args], { timeout });
    return stdout;
  } catch (error) {
    const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    throw new Error(`systemctl ${args.join(' ')}: ${stderr || 'failed'}`, { cause: error });
  }
}
