/**
 * How a family of devices behaves at its command line: data and small functions, defined by each model in packages/equipment/src/models. The rest
 * (learning the prompt, echoes, pagers, deadlines) is the same for all, in cli.ts and sign-in.ts.
 *
 * Patterns match text with one character per byte, and lines without trailing blanks.
 */

/** Output that waits for a key. */
export interface Pager {
  /** The complete line that it shows. */
  line: RegExp;
  /** Sent to continue, without a carriage return. */
  key: string;
}

export interface Dialect {
  name: string;
  /**
   * A line that may be a prompt, while the real one is unknown; its group `base` is the part that is the same in every mode, the host name.
   */
  prompt: RegExp;
  /** Source of a pattern for the prompts of all modes of the device with this base; without `^` and `$`. */
  prompts(base: string): string;
  /** Answers from rack.yaml to questions at sign-in, which are no secrets. */
  answers?: readonly { question: RegExp; answer: string }[];
  /** If commands require a privileged mode. */
  privilege?: Privilege;
  /** After sign-in, before the first command: turns off the pager, widens lines. Unknown ones are not an error. */
  setUp: readonly string[];
  pagers: readonly Pager[];
  /** Error lines. Only searched in short answers, because a configuration may contain any text. */
  errors: readonly RegExp[];
  /** Lines that may appear at any time: log messages. */
  noise: readonly RegExp[];
  /** Lines that belong to the prompt, directly above it. */
  abovePrompt?: readonly RegExp[];
  /** Lines before each answer, for example load and time. An empty line after them belongs to them. */
  preamble?: readonly RegExp[];
  /** How to sign out. If this asks a question (save the changes?), the answer is no. */
  signOut: readonly string[];
  /** This command line is reached through another one: that one's dialect, and the command that opens this one. */
  through?: { dialect: Dialect; command: string };
}

export interface Privilege {
  has(prompt: string): boolean;
  command: string;
  /** If it asks for a name too, and the login's is not privileged: the usual name of a privileged user. */
  usualName?: string;
}

/** For a pattern that must match exactly this text. */
export function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
