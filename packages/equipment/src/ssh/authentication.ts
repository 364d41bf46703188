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
import { type DeviceError, SignInRejected } from '../errors.ts';
import type { Target } from '../session.ts';

export function authentication(
  { name, credentials }: Target,
  end: (error: DeviceError) => void,
): AuthHandlerMiddleware {
  const { username = '', password, privateKey, passphrase } = credentials;
  const left: AnyAuthMethod[] = [];
  const offered: string[] = [];
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
      prompt: dialogue(username, secret, () => end(newPasswordRequested(name))),
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

/**
 * Answers a question without echo with the password, once: a second question means that it was wrong. Never answers a request for a new
 * password.
 */
function dialogue(username: string, password: string, newPassword: () => void) {
  let isAnswered = false;
  return (
    title: string,
    instructions: string,
    _language: string,
    prompts: Prompt[],
    finish: (answers: string[]) => void,
  ) => {
    const asksPassword = prompts.some(({ echo }) => !echo);
    const isAboutChange = isAnswered && requiresNewPassword(`${title}\n${instructions}`);
    if (isAboutChange || prompts.some(({ prompt }) => asksForNewPassword(prompt))) {
      newPassword();
      return;
    }
    if (asksPassword && isAnswered) {
      finish([]);
      return;
    }
    isAnswered ||= asksPassword;
    finish(prompts.map(({ echo }) => (echo ? username : password)));
  };
}
