/** The dialogue of telnet, and of ssh servers that let everybody in. */
import type { Accounts } from './accounts.ts';
import type { Terminal } from './terminal.ts';

export interface SignInWords {
  /** Said before the first question. */
  before: string;
  user: string;
  password: string;
  wrong: string;
  /** What is shown in place of a password. */
  hidden: 'none' | 'stars';
  tries: number;
}

/** Whether somebody has signed in before the tries were used up. */
export async function signIn(
  terminal: Terminal,
  accounts: Accounts,
  words: SignInWords,
): Promise<boolean> {
  terminal.put(words.before);
  for (let i = 0; i < words.tries; i++) {
    const user = await terminal.readLine(words.user);
    const password = await terminal.readPassword(words.password, words.hidden);
    if (accounts.passwordIsRight(user, password)) {
      terminal.session.user = user;
      return true;
    }
    terminal.put(words.wrong);
  }
  return false;
}
