/** A computer with a shell, as its programs see it. */
import type { Terminal } from '../terminal.ts';

export interface Output {
  stdout?: string;
  stderr?: string;
  /** 0 when absent. */
  status?: number;
}

export interface Call {
  /** After the program's name. */
  args: string[];
  env: Readonly<Record<string, string>>;
  /** What a pipe brings; undefined: it may read the terminal. */
  stdin: string | undefined;
  terminal: Terminal;
  box: UnixBox;
  /** Process id of the shell, which the program sees as its parent. */
  parent: number;
}

export type Program = (call: Call) => Output | Promise<Output>;

export interface Files {
  list(): string[];
  read(path: string): string | undefined;
  /** Whether there is such a file that can be written. */
  write(path: string, text: string, terminal: Terminal): boolean;
  /** Whether there was such a file. */
  remove?(path: string): boolean;
  /** Files that hold the configuration: its faults strike when one is shown. */
  isConfiguration?(path: string): boolean;
}

export interface UnixBox {
  /** Said to those who sit at a terminal. */
  motd: string;
  prompt: string;
  programs: Readonly<Record<string, Program>>;
  /** What the shell of somebody at a terminal has in addition. */
  functions?: Readonly<Record<string, Program>>;
  files: Files;
}
