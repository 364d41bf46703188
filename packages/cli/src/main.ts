/** The only file that touches `process`. */
import { failureOf } from './errors.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import type { Io } from './io.ts';
import { plain } from './output/text.ts';
import { run } from './program.ts';

const { stdout, stderr } = process;

for (const stream of [stdout, stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // Who reads has enough (`| head`): nothing to say, and nobody to say it to.
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? exitCodes.done);
    throw error;
  });
}

const io: Io = {
  out: (text) => stdout.write(`${text}\n`),
  err: (text) => stderr.write(`${text}\n`),
  // 0 where the terminal does not know its width.
  columns: stdout.isTTY ? stdout.columns || undefined : undefined,
  // hasColors knows NO_COLOR, FORCE_COLOR and TERM=dumb.
  colour: stdout.isTTY && stdout.hasColors(),
  now: Date.now,
  exitCode: exitCodes.done,
};

/** Not `process.exit`: what is still on its way into a pipe has to arrive. */
function end(exitCode: ExitCode) {
  process.exitCode = exitCode;
}

try {
  await run(process.argv.slice(2), io);
  end(io.exitCode);
} catch (error) {
  if (process.env.SKOLO_DEBUG === '1') console.error(error);
  const { lines, exitCode } = failureOf(error);
  for (const line of lines) io.err(plain(line));
  end(exitCode);
}
