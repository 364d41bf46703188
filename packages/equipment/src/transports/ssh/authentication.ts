/**
 * The order of authentication methods: first none (the device then lists its methods, and some old switches ask for user and password
 * later, in the terminal), then the key, the password, and keyboard-interactive. Only offers what the device accepts, because old ones
 * disconnect after three failures.
 */
// Not by name: Node does not detect the CommonJS export `utils`, but bundlers do.
import ssh2, { type AnyAuthMethod, type AuthHandlerMiddleware, type Prompt } from 'ssh2';
import {
  asksForNewPassword,
  newPasswordRequested,
  requiresNewPassword,
} from '../cli/password-change.ts';
import { asksFor, asksForChoice } from '../cli/questions.ts';
import { type DeviceError, SignInRejected } from '../errors.ts';
import type { Target } from '../session.ts';

/**
 * @param offered receives the names of what was offered to the device
 * @param end is called if the device cannot be signed in to
 */
export function authentication(
  { name, credentials }: Target,
  offered: string[],
  end: (error: DeviceError) => void,
): AuthHandlerMiddleware {
  const { username = '', password, privateKey, passphrase } = credentials;
  const left: AnyAuthMethod[] = [];
  let unusableKey = '';
  let isFirst = true;

  if (privateKey !== undefined) {
    const key = ssh2.utils.parseKey(privateKey.reveal(), passphrase?.reveal());
    // Its message has the reason, never the key.
    if (key instanceof Error) unusableKey = `; the privateKey cannot be used: ${key.message}`;
    else left.push({ type: 'publickey', username, key });
  }
  if (password !== undefined) {
    const secret = password.reveal();
    left.push({ type: 'password', username, password: secret });
    left.push({
      type: 'keyboard-interactive',
      username,
      prompt: dialogue({ name, credentials }, secret, end),
    });
  }

  function rejected(takes: readonly string[]) {
    const tried =
      offered.length === 0 ? 'no credentials were offered' : `skolo offered ${offered.join(', ')}`;
    const what = takes.length === 0 ? '' : `; accepted methods: ${takes.join(', ')}`;
    return new SignInRejected(
      name,
      `rejects the sign-in ${userOf(username)}: ${tried}${what}${unusableKey}`,
    );
  }

  return (takes: readonly string[] | null, _partly, next) => {
    if (isFirst) {
      isFirst = false;
      next({ type: 'none', username });
      return;
    }
    const known = takes ?? [];
    const index = left.findIndex(({ type }) => known.length === 0 || known.includes(type));
    const [method] = index < 0 ? [] : left.splice(index, 1);
    if (method === undefined || (credentials.once && offered.length > 0)) {
      end(rejected(known));
      return;
    }
    offered.push(words.get(method.type) ?? method.type);
    next(method);
  };
}

const words = new Map<string, string>([
  ['publickey', 'the privateKey'],
  ['password', 'the password'],
  ['keyboard-interactive', 'the password interactively'],
]);

function userOf(username: string) {
  return username === '' ? 'without a username' : `of ${JSON.stringify(username)}`;
}

/** What the answer to a question of a keyboard-interactive sign-in must be; undefined: not known. */
function answerTo(prompt: string): 'password' | 'username' | 'consent' | undefined {
  const question = prompt.trim();
  if (asksForChoice(question)) {
    return /\b(?:accept|acknowledge|agree|consent)\b/i.test(question) ? 'consent' : undefined;
  }
  if (/\b(?:verification|one[- ]time|otp|token)\b/i.test(question)) return undefined;
  // It is a question, also without its sign.
  return asksFor(
    `${question
      .split('\n')
      .at(-1)
      ?.replace(/[ :?>]+$/, '')}:`,
  );
}

/**
 * Answers questions by what they ask. Sends the password once: a second question for it means that it was wrong. Never answers a request
 * for a new password, or a question that it does not know.
 *
 * @param end is called with the reason if a question is not answered
 */
function dialogue(
  { name, credentials }: Pick<Target, 'name' | 'credentials'>,
  password: string,
  end: (error: DeviceError) => void,
) {
  const { username = '' } = credentials;
  let isAnswered = false;
  return (
    title: string,
    instructions: string,
    _language: string,
    prompts: Prompt[],
    finish: (answers: string[]) => void,
  ) => {
    const isAboutChange = isAnswered && requiresNewPassword(`${title}\n${instructions}`);
    if (isAboutChange || prompts.some(({ prompt }) => asksForNewPassword(prompt))) {
      end(newPasswordRequested(name));
      return;
    }
    const asked = prompts.map(({ prompt }) => answerTo(prompt));
    const unknown = asked.indexOf(undefined);
    if (unknown >= 0) {
      const shown = JSON.stringify(prompts[unknown]?.prompt.trim().slice(-200));
      const remedy = 'use a login with a key, or turn this question off';
      end(
        new SignInRejected(name, `asks ${shown} at sign-in, which skolo cannot answer; ${remedy}`),
      );
      return;
    }
    if (asked.includes('password') && isAnswered) {
      finish([]);
      return;
    }
    isAnswered ||= asked.includes('password');
    const answers = { password, username, consent: 'yes' };
    finish(asked.map((kind) => (kind ? answers[kind] : '')));
  };
}
