/**
 * How a family of devices behaves at its command line: data and small functions. `dialect.ts` of a model in packages/models has its
 * own. The rest (learning the prompt, echoes, pagers, deadlines) is the same for all, in cli.ts and sign-in.ts.
 *
 * Patterns see text of one character for each byte, lines without blanks at their end.
 */

/** Output that waits for a key. */
export interface Pager {
  /** The whole line that it shows. */
  line: RegExp;
  /** Sent to go on, without a return. */
  key: string;
}

export interface Dialect {
  name: string;
  /**
   * A line that may be a prompt, while the real one is not known; its group `base` is the part that stays the same in
   * every mode, the host name.
   */
  prompt: RegExp;
  /** Source of a pattern for the prompts of all modes of the device whose base this is; without `^` and `$`. */
  prompts(base: string): string;
  /** Absent: `usualLogin`. */
  login?: LoginDialogue;
  /** Where commands need a privileged mode. */
  privilege?: Privilege;
  /** Once signed in, before the first command: pager off, lines wide. One that it does not know is no error. */
  setUp: readonly string[];
  pagers: readonly Pager[];
  /** Lines that say no. Looked for in short answers only: a configuration may hold anything. */
  errors: readonly RegExp[];
  /** Lines that come by themselves at any moment: log messages. */
  noise: readonly RegExp[];
  /** Lines that belong to the prompt, directly above it. */
  abovePrompt?: readonly RegExp[];
  /** Lines in front of each answer, say the load and the time. An empty line behind them belongs to them. */
  preamble?: readonly RegExp[];
  /** How to leave. A question that this raises (save the changes?) is answered with no. */
  signOut: readonly string[];
  /** This command line is reached through another one: its dialect, and the command that opens this one. */
  through?: { dialect: Dialect; command: string };
}

/** Questions in the terminal itself: always over telnet, on some old devices over ssh, too. */
interface LoginDialogue {
  username: RegExp;
  password: RegExp;
  /** Waits for any key, say behind a screen of copyright. */
  anyKey?: RegExp;
}

export interface Privilege {
  has(prompt: string): boolean;
  command: string;
  password: RegExp;
  /** Some ask for a name, too: that of the login, or the usual one of who is privileged. */
  username?: { question: RegExp; usual: string };
}

/** What most devices ask. */
export const usualLogin: LoginDialogue = {
  username: /^(?:.* )?(?:user(?: ?name| ?id)?|login) ?:$/i,
  password: /^(?:.* )?(?:password|passwd)(?: for [^:]*)? ?:$/i,
};

/** For a pattern that is to match exactly this text. */
export function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
