import { readFile } from 'node:fs/promises';
import { errorCode } from '@skolo/base';
import type { Secret } from '@skolo/base/secrets';
import { CliError, type ExitCode, exitCodes } from '../errors.ts';

/**
 * Reads a secret of the user, in a file relative to the working directory.
 *
 * @throws CliError It cannot be read. The message ends with the hint.
 */
export async function readSecretFile(file: string, hint: string): Promise<Secret> {
  const { readSecret, SecretError } = await import('@skolo/base/secrets');
  try {
    return await readSecret({ dir: '' }, file);
  } catch (error) {
    if (!(error instanceof SecretError)) throw error;
    // Its own hint is about rack.yaml.
    throw badFile(error.message.slice(0, -`; ${error.hint}`.length), hint, error);
  }
}

/** @throws CliError It cannot be read. The message ends with the hint. */
export async function readGivenFile(
  file: string,
  hint: string,
  exitCode: ExitCode = exitCodes.badConfiguration,
): Promise<string> {
  return await readFile(file, 'utf8').catch((cause: unknown) => {
    const why = errorCode(cause) ?? cause;
    throw new CliError(`${file} cannot be read (${why}); ${hint}`, exitCode, { cause });
  });
}

/** A file named by an option or variable is not valid. */
export function badFile(what: string, hint: string, cause?: unknown): CliError {
  return new CliError(`${what}; ${hint}`, exitCodes.badConfiguration, { cause });
}
