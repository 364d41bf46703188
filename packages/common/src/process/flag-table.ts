/** Parses flags and environment variables, and rejects unknown ones. */
import { isIP } from 'node:net';
import { parseArgs } from 'node:util';
import { type LogLevel, logLevels } from './log.ts';

/** An error in the command line or the environment, in one line. */
export class UsageError extends Error {
  readonly code = 'USAGE';
}

/** A flag of a program. */
export interface Flag {
  name: string;
  /** Placeholder of its value; absent: a flag without a value. */
  value?: string;
  env?: string;
  fallback?: string;
  help: string;
}

/** A value and its origin, for errors. */
interface FlagValue {
  text: string;
  source: string;
}

export interface GivenFlags {
  /** From the flag, or else the environment, the default, or empty. */
  read(name: string): FlagValue;
  has(name: string): boolean;
}

/** The flags of a program. */
export interface FlagSet<F> {
  program: string;
  table: readonly Flag[];
  /** @throws UsageError */
  read(given: GivenFlags): F;
}

/**
 * Reads flags and variables; `help` with `--help`. An empty variable counts as not set.
 *
 * @param args without the program
 * @throws UsageError
 */
export function parseFlags<F>(
  { table, read }: FlagSet<F>,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): F | 'help' {
  const given = givenFlags(table, args);
  if (given.has('help')) return 'help';
  return read({
    read(name) {
      const flag = table.find((each) => each.name === name);
      const fromFlag = given.get(name);
      if (fromFlag !== undefined) return { text: fromFlag, source: `--${name}` };
      const fromEnv = env[flag?.env ?? ''];
      if (fromEnv) return { text: fromEnv, source: flag?.env ?? '' };
      return { text: flag?.fallback ?? '', source: `--${name}` };
    },
    has: (name) => given.has(name),
  });
}

function givenFlags(table: readonly Flag[], args: readonly string[]): Map<string, string> {
  const options = Object.fromEntries(
    table.map(({ name, value }) => [
      name,
      { type: value ? ('string' as const) : ('boolean' as const) },
    ]),
  );
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true });
  const given = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') {
      throw new UsageError(`unexpected argument ${token.value}; all arguments are flags`);
    }
    const flag = table.find((each) => each.name === token.name);
    if (flag === undefined) throw new UsageError(`unknown flag ${token.rawName}`);
    // `--rack --check`: the value is missing.
    const isFlag = token.inlineValue === false && token.value.startsWith('-');
    if (flag.value !== undefined && (!token.value || isFlag)) {
      throw new UsageError(`--${flag.name} needs a value: --${flag.name} ${flag.value}`);
    }
    if (flag.value === undefined && token.value !== undefined) {
      throw new UsageError(`--${flag.name} does not take a value`);
    }
    given.set(flag.name, token.value ?? '');
  }
  return given;
}

/** @throws UsageError */
export function parsePort({ text, source }: FlagValue): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65_535) return port;
  throw new UsageError(`${source}: ${text} is not a port; specify a number from 0 to 65535`);
}

/** @throws UsageError */
export function parseHost({ text, source }: FlagValue): string | undefined {
  if (text === '') return undefined;
  if (isIP(text) !== 0 || /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(text)) return text;
  throw new UsageError(
    `${source}: ${text} is not an address; specify one such as 127.0.0.1 or ::1`,
  );
}

/** @throws UsageError */
export function parseLevel({ text, source }: FlagValue): LogLevel {
  const level = logLevels.find((each) => each === text);
  if (level !== undefined) return level;
  throw new UsageError(
    `${source}: ${text} is not a log level; specify one of ${logLevels.join(', ')}`,
  );
}

/** The text of `--help`. */
export function usageOf({ program, table }: FlagSet<unknown>): string {
  const rows = table.map(({ name, value, env, fallback, help }) => ({
    flag: value ? `--${name} ${value}` : `--${name}`,
    env: env ?? '',
    help: fallback === undefined ? help : `${help} (default ${fallback})`,
  }));
  const widths = { flag: widest(rows, 'flag'), env: widest(rows, 'env') };
  const lines = rows.map(
    ({ flag, env, help }) => `  ${flag.padEnd(widths.flag)}  ${env.padEnd(widths.env)}  ${help}`,
  );
  return [`usage: ${program} [flags]; flags override environment variables`, '', ...lines, ''].join(
    '\n',
  );
}

function widest<K extends string>(rows: Record<K, string>[], key: K): number {
  return Math.max(...rows.map((row) => row[key].length));
}
