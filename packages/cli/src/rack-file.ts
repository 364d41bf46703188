import type { Rack } from '@skolo/rack';
import type { Globals } from './command.ts';
import { CliError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';

/**
 * The rack of `--rack`.
 *
 * @throws RackError It is not valid.
 * @throws CliError There is no such file.
 */
export async function loadRack({ rack: file, rackIsDefault }: Globals): Promise<Rack> {
  const { readRack } = await import('@skolo/rack');
  try {
    return await readRack(file);
  } catch (error) {
    if (!isMissingFile(error)) throw error;
    const hint = rackIsDefault
      ? 'say which rack with --rack FILE or SKOLO_RACK'
      : 'correct --rack or SKOLO_RACK';
    throw new CliError(`${file}: no such file; ${hint}`, exitCodes.badConfiguration, {
      cause: error,
    });
  }
}

function isMissingFile(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
}
