import { stat, writeFile } from 'node:fs/promises';
import { errorCode } from '@skolo/base';
import { writeFileAtomic } from '@skolo/base/durable/atomic-file';
import { CliError } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { hasControl, visible } from '../../output/text.ts';
import { sizeText } from '../../output/time.ts';

interface OutputOptions {
  /** Byte for byte. */
  exact: boolean;
  /** A file instead of standard output. */
  output?: string | undefined;
}

/** Prints content, or writes it to a file. */
export async function outputContent(
  io: Io,
  content: Uint8Array,
  { exact, output }: OutputOptions,
): Promise<void> {
  if (output === undefined) return printContent(io, content, exact);
  await saveContent(output, content);
  const written = await stat(output);
  // Not of a pipe, or where the file system has no permissions.
  const isPrivate = written.isFile() && (written.mode & 0o077) === 0;
  io.err(`${output}: ${sizeText(content.length)}${isPrivate ? ', readable only by you' : ''}`);
}

/** Prints content unchanged. A terminal gets no control characters: masked text shows them escaped, and exact content is an error. */
export async function printContent(
  io: Pick<Io, 'raw' | 'isTerminal'>,
  content: Uint8Array,
  exact: boolean,
): Promise<void> {
  if (!io.isTerminal) return io.raw(content);
  const text = Buffer.from(content).toString('utf8');
  if (!exact) return io.raw(visible(text));
  if (!hasControl(text)) return io.raw(content);
  throw new CliError(
    'the content contains control characters that could affect your terminal; write it to a file with -o FILE',
  );
}

/** Writes a file that only its owner can read, atomically. */
async function saveContent(file: string, content: Uint8Array): Promise<void> {
  const before = await stat(file).catch(() => undefined);
  // A pipe or a terminal cannot be replaced.
  if (before !== undefined && !before.isFile() && !before.isDirectory()) {
    return writeFile(file, content);
  }
  await writeFileAtomic(file, content).catch((cause: unknown) => {
    const why = errorCode(cause) ?? 'no reason given';
    throw new CliError(`${file}: could not be written (${why}); specify another file with -o`, 1, {
      cause,
    });
  });
}
