/**
 * Signs in at a command line, and decides how often a user name, a password or an empty line is sent: from the first byte to a trusted
 * prompt.
 *
 * Text that looks like a prompt may be part of a banner. So an empty line is sent, and only a device that answers with exactly the same
 * prompt has one. Text that a device prints after every prompt is learned from the answers to several empty lines, and then ignored. A late
 * answer to such an empty line does no harm: cli.ts finds the echo of each command before it looks for the prompt.
 *
 * While a question may be pending, nothing is typed: a device keeps what was typed ahead, and would take an empty line for the name or the
 * password that it asks for next. That would be a failed login, and a few of them lock an account.
 */

import type { Credentials } from '@skolo/base/secrets';
import {
  DeviceBusy,
  type DeviceError,
  DeviceRejected,
  DeviceTimeout,
  DeviceUnreachable,
  SignInRejected,
} from '../errors.ts';
import type { Limit } from '../stream/limit.ts';
import { type Conversation, quiet, type View } from './conversation.ts';
import type { Dialect } from './dialect.ts';
import { searched } from './expression-time.ts';
import {
  asksForNewPassword,
  newPasswordRequested,
  requiresNewPassword,
} from './password-change.ts';
import {
  behindPrompt,
  changedNumbers,
  isLikePrompt,
  isNoise,
  type Noise,
  noiseBehind,
  promptBefore,
  samePrompt,
} from './prompt.ts';
import {
  asksFor,
  asksForChoice,
  isMenu,
  isPlainSecret,
  isQuestion,
  keyAskedFor,
  unanswered,
} from './questions.ts';
import { decodeBytes } from './terminal-text.ts';

export const enter = '\r';
const mostProbes = 5;
/** Empty lines sent into silence: to a device that has shown a prompt with other output after it, and to one that has not shown anything. */
const mostNudges = { prompt: 3, nothing: 1 };
const mostPasswords = 2;

/** Reasons why a device may not show its prompt. In a banner they mean nothing, so they only explain a failure. */
const rejection =
  /login (?:incorrect|failed|invalid)|(?:incorrect|invalid|wrong|bad) (?:\w+ )?(?:login|user|password|secret)|authentication fail|access denied|permission denied/i;
const full =
  /too many (?:\w+ )?(?:users|sessions|logins|connections)|maximum (?:number of )?(?:\w+ )?(?:users|sessions|connections|logins)|(?:sessions|connections|lines) (?:are )?(?:\w+ )?(?:in use|busy)|another (?:user|session)|already (?:logged|in use)|no (?:free|available|more) (?:\w+ )?(?:sessions|lines|connections)/i;

type Seen =
  | { kind: 'username' | 'password' | 'new password' | 'silence' | 'end of the session' }
  | { kind: 'text'; text: string }
  | { kind: 'choice'; line: string }
  | { kind: 'prompt'; prompt: string; isConfirmed: boolean };

export interface SignInOptions {
  dialect: Dialect;
  credentials: Credentials;
  limit: Limit;
  /** The device may ask for a user and a password in the terminal: over telnet, and if it lets anybody in over ssh. */
  mayAsk: boolean;
  /** The prompt of the outer command line. */
  outside?: string;
}

export interface SignedIn {
  prompt: string;
  /** As for `promptPatterns`. */
  changing: Set<number>;
  noise: RegExp[];
}

/**
 * Answers login questions, if any, and learns the prompt.
 *
 * @returns the prompt, and the patterns of lines that the device prints after every prompt, in addition to those of its dialect
 * @throws SignInRejected, DeviceBusy, DeviceRejected, DeviceTimeout, DeviceUnreachable
 */
export function signIn(conversation: Conversation, options: SignInOptions): Promise<SignedIn> {
  return new SignIn(conversation, options).run();
}

class SignIn {
  private readonly conversation: Conversation;
  private readonly options: SignInOptions;
  private readonly sent = { username: 0, password: 0, probes: 0, nudges: 0 };
  private candidate: string | undefined;
  private readonly changing = new Set<number>();
  private learned: RegExp[] = [];

  constructor(conversation: Conversation, options: SignInOptions) {
    this.conversation = conversation;
    this.options = options;
  }

  async run(): Promise<SignedIn> {
    for (;;) {
      const seen = await this.next();
      if (seen.kind === 'text') this.type(seen.text);
      else if (seen.kind === 'choice') throw unanswered(this.conversation, seen.line);
      else if (seen.kind !== 'prompt') this.answer(seen.kind);
      else if (seen.isConfirmed)
        return { prompt: seen.prompt, changing: this.changing, noise: this.learned };
      else this.probe(seen.prompt);
    }
  }

  private async next(): Promise<Seen> {
    const { conversation, sent } = this;
    const { limit } = this.options;
    try {
      return await conversation.until('prompt', limit, (view) =>
        searched(() => this.promptOrQuestion(view)),
      );
    } catch (error) {
      if (!(error instanceof DeviceUnreachable || error instanceof DeviceTimeout)) throw error;
      const lines = conversation.lastLines();
      const text = lines.join('\n');
      const last = lines.at(-1)?.trimEnd() ?? '';
      if (error instanceof DeviceTimeout && isMenu(lines)) throw unanswered(conversation, text);
      if (sent.password > 0 && rejection.test(text)) throw this.rejected();
      if (full.test(text)) {
        throw new DeviceBusy(
          conversation.device,
          `does not accept another session${conversation.lastWords()}`,
        );
      }
      if (error instanceof DeviceTimeout && isQuestion(last)) throw unanswered(conversation, last);
      throw error;
    }
  }

  /** May be interrupted, and done again. */
  private promptOrQuestion(view: View): Seen | undefined {
    const { dialect, outside } = this.options;
    const { quietMs } = view;
    if (quietMs < quiet.brief || quietMs === Number.POSITIVE_INFINITY) return undefined;
    const line = view.line().text.trimEnd();
    const known = dialect.answers?.find(({ question }) => question.test(decodeBytes(line)));
    if (known !== undefined) return { kind: 'text', text: `${known.answer}${enter}` };
    if (asksForNewPassword(line)) return { kind: 'new password' };
    // To a device that has already accepted the password, a banner that pauses would make it a command.
    const mayBeAsked = this.options.mayAsk || quietMs >= quiet.silence;
    const asked = mayBeAsked ? asksFor(line) : undefined;
    if (asked === 'username' || (asked && (isPlainSecret(line) || quietMs >= quiet.silence))) {
      return { kind: asked };
    }
    if (quietMs >= quiet.long) {
      // The cursor may be in the line after it.
      const key = keyAskedFor(line === '' ? (view.lastLines().findLast(isText) ?? '') : line);
      if (key !== undefined) return { kind: 'text', text: key };
    }
    if (asksForChoice(line)) return quietMs < quiet.silence ? undefined : { kind: 'choice', line };
    if (outside !== undefined && line === outside && quietMs >= quiet.long) {
      return { kind: 'end of the session' };
    }
    const prompt = this.promptIn(view, line);
    if (prompt !== undefined && prompt !== outside) {
      const isConfirmed = this.isCandidate(prompt) && this.isAlone(view);
      // If other output arrived too, waits until it is complete.
      if (isConfirmed || this.candidate === undefined || quietMs >= quiet.long) {
        return { kind: 'prompt', prompt, isConfirmed };
      }
    }
    if (quietMs < quiet.silence) return undefined;
    const lines = view.lastLines();
    if (this.learned.length === 0) {
      this.learned = noiseBehind(lines, dialect.prompt);
      if (this.learned.length > 0) return this.promptOrQuestion(view);
    }
    return this.mayNudge(quietMs, lines) ? { kind: 'silence' } : undefined;
  }

  /** Whether no question can be pending. */
  private mayNudge(quietMs: number, lines: readonly string[]): boolean {
    const { sent, candidate } = this;
    const { mayAsk, dialect } = this.options;
    const showsPrompt = lines.some((line) => isLikePrompt(line.trimEnd(), dialect));
    const hasPrompt = showsPrompt || candidate !== undefined;
    if (sent.nudges >= (hasPrompt ? mostNudges.prompt : mostNudges.nothing)) return false;
    // Between the two, a prompt is part of a banner.
    if (sent.username + sent.password > 0) return sent.password > 0 && hasPrompt;
    if (isMenu(lines)) return false;
    return quietMs >= (mayAsk && !showsPrompt ? quiet.dead : quiet.silence);
  }

  private get noise(): Noise {
    const { dialect } = this.options;
    return { ...dialect, noise: [...dialect.noise, ...this.learned] };
  }

  /** In the cursor's line; after a while also before log messages. */
  private promptIn({ quietMs, lastLines }: View, line: string): string | undefined {
    const { dialect } = this.options;
    const isBetween = this.sent.username > 0 && this.sent.password === 0;
    if (isBetween && quietMs < quiet.silence) return undefined;
    if (isLikePrompt(line, dialect)) return line;
    return quietMs >= quiet.long
      ? promptBefore(lastLines(), dialect.prompt, this.noise)
      : undefined;
  }

  /** Whether only the prompt, which may be redrawn with the empty line, and log messages arrived since the empty line. */
  private isAlone(view: View): boolean {
    const { candidate = '', changing, noise } = this;
    const own = samePrompt(candidate, changing);
    return view.lastLines().every((line) => isNoise(behindPrompt(line.trimEnd(), own), noise));
  }

  private isCandidate(prompt: string): boolean {
    const places =
      this.candidate === undefined ? undefined : changedNumbers(prompt, this.candidate);
    return places?.every((place) => this.changing.has(place)) ?? false;
  }

  private probe(prompt: string): void {
    this.sent.probes += 1;
    if (this.sent.probes > mostProbes) {
      const what = `the prompt changes every time${this.conversation.lastWords()}`;
      throw new DeviceRejected(this.conversation.device, what);
    }
    // The first may be part of a banner; two answers to empty lines show what changes.
    if (this.sent.probes > 2 && this.candidate !== undefined) {
      for (const place of changedNumbers(prompt, this.candidate) ?? []) this.changing.add(place);
    }
    this.candidate = prompt;
    this.say('');
  }

  private answer(question: Exclude<Seen['kind'], 'prompt' | 'text' | 'choice'>): void {
    const { conversation, sent } = this;
    const { credentials } = this.options;
    switch (question) {
      case 'username': {
        sent.username += 1;
        if (sent.username > 1 && (sent.password > 0 || sent.username > 3)) throw this.rejected();
        // A password was requested because an empty line, sent to test a prompt, was taken for the name.
        sent.password = 0;
        const { username } = credentials;
        if (username === undefined) throw this.lacks('a user', 'username');
        this.candidate = undefined;
        this.say(username);
        break;
      }
      case 'new password':
        throw newPasswordRequested(conversation.device);
      case 'password':
        if (sent.password > 0 && requiresNewPassword(conversation.raw())) {
          throw newPasswordRequested(conversation.device);
        }
        if (this.isPasswordWrong()) throw this.rejected();
        sent.password += 1;
        this.candidate = undefined;
        if (credentials.password === undefined) throw this.lacks('a password', 'password');
        conversation.mark();
        conversation.writeSecret(credentials.password.reveal(), enter);
        break;
      case 'silence':
        sent.nudges += 1;
        conversation.rest();
        conversation.write(enter);
        break;
      case 'end of the session': {
        const what = `the command line was not reached${conversation.lastWords()}`;
        throw new DeviceRejected(conversation.device, what);
      }
    }
  }

  /** Some devices ask for it twice; one that gives a reason will not ask again. */
  private isPasswordWrong(): boolean {
    const { password } = this.sent;
    const most = this.options.credentials.once ? 1 : mostPasswords;
    return password >= most || (password > 0 && rejection.test(this.conversation.raw()));
  }

  private say(text: string): void {
    this.type(`${text}${enter}`);
  }

  private type(text: string): void {
    this.conversation.mark();
    this.conversation.write(text);
  }

  private rejected(): DeviceError {
    const { conversation } = this;
    const what = `rejects the user and password in its login${conversation.lastWords()}`;
    return new SignInRejected(conversation.device, what);
  }

  private lacks(what: string, key: string): DeviceError {
    return new SignInRejected(
      this.conversation.device,
      `requires ${what}, but its login has no ${key}`,
    );
  }
}

function isText(line: string): boolean {
  return line.trim() !== '';
}
