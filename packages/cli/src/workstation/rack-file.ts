import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { errorCode } from '@skolo/base';
import type { Rack } from '@skolo/rack';
import type { Globals, SkoloCommand } from '../command.ts';
import { CliError, exitCodes } from '../errors.ts';

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

/** Like {@link loadRack}; undefined if no file was given and the default one does not exist. */
export async function rackIfAny(globals: Globals): Promise<Rack | undefined> {
  try {
    return await loadRack(globals);
  } catch (error) {
    const isMissing = error instanceof CliError && error.cause !== undefined;
    if (globals.rackIsDefault && isMissing) return undefined;
    throw error;
  }
}

/**
 * The file of `--rack`.
 *
 * @throws CliError There is no such file.
 */
export async function rackFile({ rack: file, rackIsDefault }: Globals): Promise<string> {
  try {
    await access(file);
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') {
      const hint = rackIsDefault
        ? 'specify your rack.yaml with --rack FILE or SKOLO_RACK'
        : 'check --rack and --on, or SKOLO_RACK and SKOLO_ON';
      const message = `${file}: no such file; ${hint}`;
      throw new CliError(message, exitCodes.badConfiguration, { cause });
    }
    // Other errors appear when the file is read.
  }
  return file;
}

/** The token file, absolute: from `--file`, otherwise from rack.yaml. */
export async function tokenPath(command: SkoloCommand, file: string | undefined): Promise<string> {
  if (file !== undefined) {
    if (command.gives('rack')) command.error("specify '--file' or '--rack', not both");
    return resolve(file);
  }
  const globals = command.globals();
  const { secretPath } = await import('@skolo/secrets');
  const rack = await loadRack(globals);
  const { tokens } = rack.access;
  if (tokens !== undefined) return secretPath(rack, tokens.file);
  throw new CliError(
    `${globals.rack} access.tokens: missing; add \`access: { tokens: { file: secrets/tokens.yaml } }\`, or specify --file FILE`,
    exitCodes.badConfiguration,
  );
}
