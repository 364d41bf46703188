import { parseArgs } from 'node:util';

interface Options {
  /** Directory of the demo's copy; default: `.skolo/demo` of the repository. */
  dir?: string;
  /** Start with a new copy. */
  fresh: boolean;
  /** A real rack instead of the demo. */
  rack?: string;
  help: boolean;
}

/** The command line is wrong. The message names what is wrong. */
export class UsageError extends Error {
  readonly code = 'USAGE';
}

export const usage = `usage: npm start -- [flags]

  --fresh      throw the demo's copy of rack.yaml away and begin anew
  --dir DIR    keep the demo there instead of in .skolo/demo
  --rack FILE  run this rack, for real: no copy, no simulators, default ports
  --help       show this
`;

/** @throws UsageError */
export function parseCommandLine(args: readonly string[]): Options {
  const { dir, fresh = false, rack, help = false } = parse(args);
  if (rack !== undefined && (fresh || dir !== undefined)) {
    throw new UsageError('--rack runs a real rack; --fresh and --dir are for the demo');
  }
  if (rack === '' || dir === '') throw new UsageError(`--${dir === '' ? 'dir' : 'rack'} is empty`);
  return { fresh, help, ...(dir !== undefined && { dir }), ...(rack !== undefined && { rack }) };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        dir: { type: 'string' },
        fresh: { type: 'boolean' },
        rack: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
