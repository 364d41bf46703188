/** The environment of a command: terminal, colours, input, output. Only main.ts uses `process`. */
import { jsonText } from './output/text.ts';

/** The environment of a command. Only main.ts uses `process`. */
export interface Io {
  /** Prints a result to standard output, with a line end, and control characters as visible text. */
  out(text: string): void;
  /** Prints a message to standard error, like `out`. */
  err(text: string): void;
  /**
   * Writes to standard output unchanged: bytes, or this program's own control sequences, if {@link Io.rows} is known. Resolves when it is
   * written. raw.test.ts lists the callers.
   */
  raw(data: Uint8Array | string): Promise<void>;
  /** Whether standard output is a terminal. */
  readonly isTerminal: boolean;
  /** Width of the terminal; undefined without one, when nothing may be cut off. */
  readonly columns: number | undefined;
  /** Height of the terminal; undefined if lines cannot be redrawn. */
  readonly rows: number | undefined;
  /** Whether the output has colours. */
  readonly colour: boolean;
  /** Milliseconds since 1970. */
  now(): number;
  /** Ctrl-C, SIGTERM and a closed pipe (`| head`) call the listener instead of ending the process, until the returned function is called. */
  onStop(listener: () => void): () => void;
  /**
   * SIGINT, SIGTERM and SIGHUP call the listener instead of ending the process, until the returned function is called: for a command that
   * waits for another program, which receives them too.
   */
  onSignal(listener: (signal: NodeJS.Signals) => void): () => void;
  /** The environment variables. */
  readonly env: Readonly<NodeJS.ProcessEnv>;
  /** The working directory. */
  readonly folder: string;
  /** Whether standard input is a terminal. */
  readonly canAsk: boolean;
  /** Asks on standard error. Returns the typed line; undefined at the end of the input. */
  ask(question: string): Promise<string | undefined>;
  /** Like `ask`, without showing what is typed. Without a terminal, reads the line without asking. */
  askSecret(question: string): Promise<string | undefined>;
  /** All of standard input. */
  input(): Promise<Uint8Array>;
  /** 0 until a command sets it. A command that fails completely throws instead. Can be any number if it comes from another program. */
  exitCode: number;
}

/** For programs: all fields. */
export function printJson({ out }: Io, value: unknown): void {
  out(jsonText(value, 2));
}
