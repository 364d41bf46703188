/** Units of systemd, by systemctl, with a time limit on everything. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface UnitState {
  isInstalled: boolean;
  /** Also while it waits to be started again. */
  isRunning: boolean;
  isEnabled: boolean;
  mainPid: number;
}

/** Longer than a unit may take to end. */
const timeoutMs = 90_000;

export async function unitState(unit: string): Promise<UnitState> {
  const properties = 'LoadState,ActiveState,UnitFileState,MainPID';
  const { stdout } = await systemctl('show', `--property=${properties}`, unit);
  const found = new Map(
    stdout.split('\n').map((line): [string, string] => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
  const active = found.get('ActiveState');
  return {
    isInstalled: found.get('LoadState') === 'loaded',
    isRunning: active !== undefined && active !== 'inactive' && active !== 'failed',
    isEnabled: found.get('UnitFileState') === 'enabled',
    mainPid: Number(found.get('MainPID')),
  };
}

export async function startUnit(unit: string): Promise<void> {
  await systemctl('start', unit);
}

export async function stopUnit(unit: string): Promise<void> {
  await systemctl('stop', unit);
}

export async function enableUnit(unit: string): Promise<void> {
  await systemctl('enable', '--quiet', unit);
}

export async function disableUnit(unit: string): Promise<void> {
  await systemctl('disable', '--quiet', unit);
}

async function systemctl(...args: string[]) {
  try {
    return await run('systemctl', ['--no-ask-password', ...args], { timeout: timeoutMs });
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    throw new Error(`systemctl ${args.join(' ')}: ${said || 'failed'}`, { cause: error });
  }
}
