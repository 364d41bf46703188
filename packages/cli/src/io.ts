import type { ExitCode } from './errors.ts';

/** What a command may know of the world around it. Only main.ts touches `process`. */
export interface Io {
  /** Prints to standard output: what the command was asked for. A line end is added. */
  out(text: string): void;
  /** Prints to standard error: what is said about it. A line end is added. */
  err(text: string): void;
  /** Writes to standard output as it is, for what is drawn over later. Only where {@link Io.rows} is known. */
  draw(text: string): void;
  /** Writes bytes to standard output, as they are. Fulfilled when they have been taken. */
  write(bytes: Uint8Array): Promise<void>;
  /** Whether standard output is a terminal: it obeys control characters. */
  readonly isTerminal: boolean;
  /** Width of the terminal; undefined where the output goes elsewhere, and nothing may be cut off. */
  readonly columns: number | undefined;
  /** Height of the terminal; undefined where what is written cannot be drawn over. */
  readonly rows: number | undefined;
  /** Whether the output takes colours. */
  readonly colour: boolean;
  /** Milliseconds since 1970. */
  now(): number;
  /** From now on, Ctrl-C calls the listener instead of ending the process. Returns how to end that. */
  onInterrupt(listener: () => void): () => void;
  /**
   * From now on, Ctrl-C, SIGTERM, and whoever reads no further (`| head`), call the listener instead of ending the
   * process. Returns how to end that.
   */
  onStop(listener: () => void): () => void;
  /** Whether there is somebody to ask. */
  readonly canAsk: boolean;
  /** Asks on standard error, and gives the line that is typed; undefined where the input ends instead. */
  ask(question: string): Promise<string | undefined>;
  /** With what the process ends; 0 until a command says otherwise. A command that fails altogether throws instead. */
  exitCode: ExitCode;
}

/** For programs: all that is known, also what the table leaves out. */
export function printJson({ out }: Io, value: unknown): void {
  out(JSON.stringify(value, undefined, 2));
}
