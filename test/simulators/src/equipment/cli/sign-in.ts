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
      const { faults } = terminal.session;
      if (!faults.has('password-expired') && !faults.has('new-password-inside')) return true;
      await askNewPassword(terminal);
      return false;
    }
    terminal.put(words.wrong);
  }
  return false;
}

/** As devices ask whose password has expired. The log gets the length of what is typed. The session ends then. */
export async function askNewPassword(terminal: Terminal): Promise<void> {
  terminal.put('\nYour password has expired.\n');
  const typed = await terminal.readLine('Enter new password:', 'none');
  terminal.session.log(`new password: ${typed.length} characters`);
}
