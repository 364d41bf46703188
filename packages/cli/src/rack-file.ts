import { access } from 'node:fs/promises';
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
export async function loadRack(globals: Globals): Promise<Rack> {
  const { readRack } = await import('@skolo/rack');
  return readRack(await rackFile(globals));
}

/**
 * The file of `--rack`. That it is missing is the mistake of most first tries, so it says what to do.
 *
 * @throws CliError There is no such file.
 */
export async function rackFile({ rack: file, rackIsDefault }: Globals): Promise<string> {
  try {
    await access(file);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') {
      const hint = rackIsDefault
        ? 'say which rack with --rack FILE or SKOLO_RACK'
        : 'correct --rack or SKOLO_RACK';
      const message = `${file}: no such file; ${hint}`;
      throw new CliError(message, exitCodes.badConfiguration, { cause });
    }
    // Whatever else is wrong with it is said by who reads it.
  }
  return file;
}
