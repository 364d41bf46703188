/** Into the privileged mode: `enable`, with a password, or none, or the one of the login. */
import { type Conversation, quiet } from './conversation.ts';
import type { Credentials } from './credentials.ts';
import type { Privilege } from './dialects/dialect.ts';
import { SignInRefused } from './errors.ts';
import type { Limit } from './settle.ts';
import { enter } from './sign-in.ts';

export interface PrivilegeOptions {
  privilege: Privilege;
  /** Of the device, in any mode. */
  isPrompt: (line: string) => boolean;
  credentials: Credentials;
  limit: Limit;
}

/**
 * Without an `enablePassword` the password of the login is tried, then none: both are usual.
 *
 * @throws SignInRefused, DeviceTimeout, DeviceUnreachable
 */
export async function becomePrivileged(
  conversation: Conversation,
  { privilege, isPrompt, credentials, limit }: PrivilegeOptions,
): Promise<void> {
  const { enablePassword, password } = credentials;
  const passwords =
    enablePassword !== undefined
      ? [enablePassword.reveal()]
      : [...(password === undefined ? [] : [password.reveal()]), ''];
  const waitedFor = `answer to ${JSON.stringify(privilege.command)}`;
  let isAsked = false;
  say(privilege.command);

  for (;;) {
    const line = await conversation.until(waitedFor, limit, (view) => {
      const shown = view.line.text.trimEnd();
      if (view.quietMs < quiet.brief) return undefined;
      return isPrompt(shown) || privilege.password.test(shown) ? shown : undefined;
    });
    if (privilege.has(line)) return;
    const isQuestion = privilege.password.test(line);
    if (passwords.length === 0 || (!isQuestion && !isAsked)) throw refused();
    if (isQuestion) {
      isAsked = true;
      conversation.mark();
      conversation.writeSecret(passwords.shift() ?? '', enter);
    } else {
      say(privilege.command);
    }
  }

  function say(text: string) {
    conversation.mark();
    conversation.write(`${text}${enter}`);
  }

  function refused() {
    const hint =
      enablePassword === undefined
        ? 'set enablePassword in its login'
        : 'the enablePassword of its login is wrong';
    const what = `does not let us into its privileged mode; ${hint}${conversation.lastWords()}`;
    return new SignInRefused(conversation.device, what);
  }
}
