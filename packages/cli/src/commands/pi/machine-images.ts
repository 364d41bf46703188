/** Builds images of machines, in memory: an unchanged base image plus the changes for one machine. */
import { open } from 'node:fs/promises';
import { errorCode } from '@skolo/base';
import { type BaseImage, diskOf, type MachineNeeds, openBaseImage } from '@skolo/setup/pi';
import type { SkoloCommand } from '../../command.ts';
import { CliError } from '../../errors.ts';
import { basePath } from './images.ts';
import type { SetupOptions } from './setup-options.ts';
import { readSetups } from './setups.ts';

interface MachineImages {
  names: string[];
  /** Of each image. */
  bytes: number;
  /** The file of the base image. */
  base: string;
  /** Opens a separate base for each, without the changes. */
  of(name: string): Promise<{ image: BaseImage; needs: MachineNeeds }>;
  close(): Promise<void>;
}

/** @throws CliError @throws PiError Before anything is written. */
export async function machineImages(
  command: SkoloCommand,
  words: readonly string[],
  options: SetupOptions & { base: string },
  signal: AbortSignal,
): Promise<MachineImages> {
  const { io } = command;
  const setups = await readSetups(command, words, options, signal);
  const path = await basePath(io, options.base, signal);
  const file = await open(path).catch((cause: unknown) => {
    throw new CliError(`${path} cannot be read (${errorCode(cause)}); correct --base`, 1, {
      cause,
    });
  });
  try {
    const disk = await diskOf(options.base, file);
    const { architecture } = await openBaseImage(disk);
    if (setups.program !== undefined && architecture === undefined) {
      throw new CliError(
        `${options.base}: the architecture is neither arm64 nor armhf, and is not supported by k3s; specify another image with --base`,
      );
    }
    const program = architecture && (await setups.program?.(architecture));
    // Reports all errors before writing the first image.
    if (setups.enrolment === undefined)
      for (const name of setups.names) setups.of(name, { program });
    const enrolment = await setups.enrolment?.();
    return {
      names: setups.names,
      bytes: disk.size,
      base: path,
      async of(name) {
        const setup = setups.of(name, { program, enrolment });
        const needs = { setup, now: new Date(io.now()), ...(program && { program }) };
        return { image: await openBaseImage(disk), needs };
      },
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}
