import { resolve } from 'node:path';
import type { SkoloCommand } from './command.ts';
import { CliError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';
import { loadRack } from './rack-file.ts';

/** Where the tokens of the rack are kept: `--file`, else what rack.yaml says. Absolute. */
export async function tokenPath(command: SkoloCommand, file: string | undefined): Promise<string> {
  if (file !== undefined) {
    if (command.gives('rack')) command.error("give '--file' or '--rack', not both");
    return resolve(file);
  }
  const globals = command.globals();
  const { secretPath } = await import('@skolo/secrets');
  const rack = await loadRack(globals);
  const { tokens } = rack.access;
  if (tokens !== undefined) return secretPath(rack, tokens.file);
  throw new CliError(
    `${globals.rack} access.tokens: is missing; add \`access: { tokens: { file: secrets/tokens.yaml } }\`, or give --file FILE`,
    exitCodes.badConfiguration,
  );
}
