/**
 * A device with a command line, as data: modes with their prompts, commands and rejections, texts, and the form of its
 * configuration. models/nxos.ts is an example. A configuration that is not lines in sections is an object of the model, which
 * its commands, `values` and `boot` use (models/junos.ts). The engine injects faults, so that no model knows one.
 *
 * A command answers with a text, or with what a function returns. In a text `{host}`, `{serial}`, `{now}` and the other names
 * of `Switch.value` stand for what they are at that moment, and `{2}` for the third word of the command.
 *
 * A model without a `style` has no configuration language: it keeps a text, and replays a session (replay.ts).
 */
import type { PseudoTtyInfo } from 'ssh2';
import type { OutletBoard } from '../../device.ts';
import type { ConfigurationWords } from '../configuration-faults.ts';
import type { CliOptions, SignInMethod } from '../model.ts';
import type { SignInWords } from '../sign-in.ts';
import type { Pager, Screen, Terminal } from '../terminal.ts';
import type { Files } from '../unix/box.ts';
import type { AccountStatements } from './account-statements.ts';
import type { LineStyle } from './line-configuration.ts';
import type { Switch } from './switch.ts';

export interface SwitchOptions extends CliOptions {
  /** What it has running and saved; the example of the model when absent, nothing where it is empty. */
  configuration?: string;
  serial?: string;
  /** What `enable` asks for. */
  enablePassword?: string;
}

/** Somebody who is signed in. */
export interface Talk {
  readonly device: Switch;
  readonly terminal: Terminal;
  /** One of the model's modes. */
  mode: string;
  isOver: boolean;
  /** What a model keeps of a session, for its prompts. */
  readonly notes: Map<string, string>;
}

export type Run = (talk: Talk, words: string[]) => string | Promise<string>;

/** What commands answer, by pattern (command-table.ts). */
export type Commands = Readonly<Record<string, string | Run>>;

/** Answers to a line that is no command. `{marker}` points at the word, `{word}`, which is the `{token}`th. */
interface Rejections {
  invalid: string;
  /** As `invalid` when absent. */
  incomplete?: string;
  ambiguous?: string;
  /** To a single word that begins no command. */
  unknown?: string;
}

/** What a value may depend on: who is told, and the configuration that is shown. */
export interface About {
  talk?: Talk | undefined;
  text?: string | undefined;
}

/** Lines that change the configuration, and what they do. */
export interface Statements {
  /** Of a line with a blank behind it. */
  known: RegExp;
  enter(talk: Talk, line: string): string | Promise<string>;
}

export interface SwitchMode {
  /** `{place}` is the section that is configured, by the name that `places` gives it. */
  prompt: string;
  commands: Commands;
  /** What is typed changes the configuration. */
  configures?: boolean;
  /** Where modes are not those of sections. */
  statements?: Statements;
  /** Where it rejects in other words. */
  rejections?: Partial<Rejections>;
}

export interface SwitchPower {
  ports: readonly string[];
  /** What the board calls a port; as here when absent. */
  outlet?(port: string): string;
  /** The section of a port, with those that it is in. */
  section(port: string): readonly string[];
  statement: string;
  /** The mode where nothing is said. */
  usual: string;
  off: string;
  /** What is plugged in draws so much. */
  watts: number;
  /** From power-on until a machine is found; 0 when absent. */
  detectionSeconds?: number;
}

export interface SwitchModel {
  name: string;
  /** Of its ssh server. */
  ident?: string;
  signIn?: readonly SignInMethod[];
  words?: Partial<SignInWords>;
  /** Cuts off what a login name carries beside the name. */
  plainName?(login: string): string;
  /** Unlimited when absent. */
  maxSessions?: number;
  screen?(pty: PseudoTtyInfo | undefined): Partial<Screen>;
  pager?: Pager;
  /** Printed after sign-in, and what is sent behind it. */
  greeting: string;
  afterGreeting?: string;
  /** `user` when absent. */
  firstMode?: string;
  /** `user`, `privileged`, `config`, and `config NAME` for the sections that `places` calls so. */
  modes: Readonly<Record<string, SwitchMode>>;
  /** Empty when absent. */
  rejections?: Rejections;
  /** Its ssh server runs single commands of the first mode; absent: shells only. */
  exec?: { status: number; unknown: string };
  /** Files that scp reads and writes, by absolute path. */
  files?: Files;
  /** Of a shell that is left; absent: the connection is closed without one. */
  exitStatus?: number;
  /** Sent before each prompt. */
  beforePrompt?: string;
  /** In front of each prompt, but for one that follows an empty line. */
  gap?: string;
  /** What a prompt calls a section, `$1` being a group of its pattern; `config` where none fits. */
  places?: readonly (readonly [section: RegExp, name: string])[];
  /** The name where the configuration has none. */
  hostName: string;
  serial: string;
  /** Absent: what is typed does not change the configuration. */
  style?: LineStyle;
  /** Statements with passwords. Absent: its passwords do not change. */
  accounts?: AccountStatements;
  /** Its configuration when the options have none. */
  example?: string;
  /** A text with all statements that it knows, where they belong; the example when absent. */
  known?: string;
  /** What it shows of its configuration, which is `{text}`. */
  running: string;
  startup: string;
  /** Around `{text}` in both: `{body}`, which has `{bytes}`. */
  body?: string;
  /** A banner that holds the lines of a fault, `{added}`, and where it comes in the text. */
  banner?: { at: RegExp; text: string; isSaved?: boolean };
  /** `Fri Nov 20 10:00:00 2026` when absent. */
  time?(date: Date): string;
  logs: Partial<ConfigurationWords>;
  /** Outlets that it feeds: each has a mode, which is a statement in a section of the configuration. */
  power?: SwitchPower;
  /** Outlets that are not statements of the configuration. */
  board?: OutletBoard;
  /** After a power failure. */
  boot?(device: Switch): void;
  /** What is written down of a line, where it may hold a secret. */
  logged?(line: string): string;
  /** Values of its own in texts. */
  values?: Readonly<Record<string, (device: Switch, about: About) => string>>;
  /** Written in front of each answer. */
  beforeAnswer?: string;
  /** Why somebody may not give a command or statement, where that is so. */
  forbid?(talk: Talk, line: string): string | undefined;
  /** Asks for a line, where that takes more than a prompt. */
  readLine?(talk: Talk, prompt: string): Promise<string>;
  /** Comes between sign-in and the first prompt. */
  welcome?(talk: Talk): Promise<void>;
  /** Other names of what is typed. */
  rewrite?(line: string): string;
}
