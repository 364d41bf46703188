import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { errorCode, sha256 } from '@skolo/base';
import type { Rack } from '@skolo/rack';
import type { Globals, SkoloCommand } from '../command.ts';
import { CliError, exitCodes } from '../errors.ts';
import type { Io } from '../io.ts';
import { userFolder } from './workstation-files.ts';

/**
 * Loads the rack of `--rack`, and finds the rack that a command means.
 *
 * @throws RackError It is not valid.
 * @throws CliError There is no such file.
 */
export async function loadRack(globals: Globals): Promise<Rack> {
  const { readRack } = await import('@skolo/rack');
  return readRack(await rackFile(globals));
}

const reached = new WeakMap<Io, Promise<Rack>>();

/**
 * Like {@link loadRack}, for commands that ask services and only require their URLs: after an invalid edit, prints its
 * errors, and returns the copy of the last valid version that such a command kept.
 *
 * @throws RackError There is no valid copy.
 */
export function rackToReach(command: SkoloCommand): Promise<Rack> {
  const { io } = command;
  const opened = reached.get(io) ?? openToReach(command);
  reached.set(io, opened);
  return opened;
}

async function openToReach(command: SkoloCommand): Promise<Rack> {
  const { io } = command;
  const file = await rackFile(command.globals());
  const { LastGoodCopy, parseRack, RackError, readRackText } = await import('@skolo/rack');
  const folder = join(
    userFolder(io.env, 'XDG_STATE_HOME'),
    'skolo',
    'racks',
    sha256(resolve(file)),
  );
  const copy = new LastGoodCopy(folder, () => undefined);
  const last = await copy.read();
  try {
    const text = await readRackText(file);
    const rack = parseRack(text, { file });
    await copy.write(text);
    return rack;
  } catch (error) {
    if (!(error instanceof RackError) || last === undefined) throw error;
    let rack: Rack;
    try {
      rack = parseRack(last, { file });
    } catch {
      // It is from another version of skolo, and its errors are not those of the file.
      throw error;
    }
    io.err(
      `${error.message}\nskolo: continuing with the last valid version of ${file}, ${copy.path}`,
    );
    return rack;
  }
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
        : 'check --rack or SKOLO_RACK; --on requires a clone of the racks repository';
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
  const { secretPath } = await import('@skolo/base/secrets');
  const rack = await loadRack(globals);
  const { tokens } = rack.access;
  if (tokens !== undefined) return secretPath(rack, tokens.file);
  throw new CliError(
    `${globals.rack} access.tokens: missing; add \`access: { tokens: { file: secrets/tokens.yaml } }\`, or specify --file FILE`,
    exitCodes.badConfiguration,
  );
}
