/** Enters the privileged mode: `enable`, with its own password, none, or the login's. */

import { DescribedExpression } from '@skolo/base/described-expression';
import type { Credentials } from '@skolo/base/secrets';
import { SignInRejected } from '../errors.ts';
import type { Limit } from '../stream/limit.ts';
import { type Conversation, quiet, type View } from './conversation.ts';
import type { Privilege } from './dialect.ts';
import { asksForNewPassword, newPasswordRequested } from './password-change.ts';
import { isNoise, lastPrompt, type Noise, type PromptPatterns } from './prompt.ts';
import { asksFor, isQuestion, keyAskedFor, unanswered } from './questions.ts';
import { enter } from './sign-in.ts';
import { decodeBytes } from './terminal-text.ts';

interface PrivilegeOptions {
  privilege: Privilege;
  dialect: Noise;
  /** Of the device, in any mode. */
  prompts: PromptPatterns;
  credentials: Credentials;
  limit: Limit;
}

interface Seen {
  kind: 'prompt' | 'password' | 'username' | 'key' | 'question' | 'new password';
  line: string;
}

const remedy =
  'if it asks for the enablePassword, set enablePrompt in its login; otherwise sign in manually, and turn it off';

/**
 * Without an `enablePassword`, tries the login's password, then none: both are common.
 *
 * @throws SignInRejected, DeviceRejected, DeviceTimeout, DeviceUnreachable
 */
export async function becomePrivileged(
  conversation: Conversation,
  { privilege, dialect, prompts, credentials, limit }: PrivilegeOptions,
): Promise<void> {
  const { enablePassword, enablePrompt, password, username, once } = credentials;
  const ownWords = enablePrompt === undefined ? undefined : new DescribedExpression(enablePrompt);
  // Sends the password at most twice: some devices ask twice.
  const passwords =
    enablePassword !== undefined
      ? [enablePassword.reveal(), enablePassword.reveal()]
      : [...(password === undefined ? [] : [password.reveal()]), ''];
  const names = [...new Set([username, privilege.usualName])].filter((name) => name !== undefined);
  const waitedFor = `answer to ${JSON.stringify(privilege.command)}`;
  /** How often it has asked for a name and for a password. */
  const asked = { names: 0, passwords: 0 };
  say(privilege.command);

  for (;;) {
    const seen = await conversation.until(waitedFor, limit, promptOrQuestion);
    if (seen.kind === 'new password') throw newPasswordRequested(conversation.device);
    if (seen.kind === 'username') {
      const name = names[Math.floor(asked.passwords / passwords.length)];
      if (name === undefined) throw unanswered(conversation, seen.line);
      if (asked.names > asked.passwords) throw rejected();
      asked.names += 1;
      say(name);
      continue;
    }
    if (seen.kind === 'key') {
      conversation.mark();
      conversation.write(seen.line);
      continue;
    }
    if (seen.kind === 'question') throw unanswered(conversation, seen.line, remedy);
    if (seen.kind === 'prompt' && privilege.has(seen.line)) return;
    const tries = once ? 1 : passwords.length * (asked.names > 0 ? names.length : 1);
    if (asked.passwords === tries || (seen.kind === 'prompt' && asked.passwords === 0)) {
      throw rejected();
    }
    if (seen.kind === 'prompt') say(privilege.command);
    else {
      conversation.mark();
      conversation.writeSecret(passwords[asked.passwords % passwords.length] ?? '', enter);
      asked.passwords += 1;
    }
  }

  function promptOrQuestion({ line, quietMs, lastLines }: View): Seen | undefined {
    if (quietMs < quiet.brief) return undefined;
    const text = line().text.trimEnd();
    if (prompts.alone.test(text)) return { kind: 'prompt', line: text };
    if (quietMs >= quiet.long && isNoise(text, dialect)) {
      // Some log each mode change after the new prompt.
      const { prompt } = lastPrompt(lastLines(), prompts, dialect) ?? {};
      if (prompt !== undefined) return { kind: 'prompt', line: prompt };
    }
    if (asksForNewPassword(text)) return { kind: 'new password', line: text };
    const kind = ownWords?.test(decodeBytes(text)) ? 'password' : asksFor(text);
    if (kind !== undefined) return { kind, line: text };
    if (quietMs < quiet.long) return undefined;
    const key = keyAskedFor(text);
    if (key !== undefined) return { kind: 'key', line: key };
    return isQuestion(text) ? { kind: 'question', line: text } : undefined;
  }

  function say(text: string) {
    conversation.mark();
    conversation.write(`${text}${enter}`);
  }

  function rejected() {
    const hint =
      asked.passwords === 0
        ? 'it did not request a password; check that the user may enter this mode'
        : enablePassword === undefined
          ? 'set enablePassword in its login'
          : 'the enablePassword in its login is wrong';
    const what = `rejects the change to privileged mode; ${hint}${conversation.lastWords()}`;
    return new SignInRejected(conversation.device, what);
  }
}
