/**
 * A command line: one command per prompt. First finds the command's echo, then the prompt after it, so that earlier output is never taken
 * for an answer. Answers pagers even if they should be turned off.
 */

import { inOrder } from '@skolo/base';
import { type Credentials, secretsOf } from '@skolo/base/secrets';
import { DeviceTimeout, DeviceUnreachable } from '../errors.ts';
import type { CliSession, RunOptions } from '../session.ts';
import { type Limit, limitOf } from '../stream/limit.ts';
import type { Terminal } from '../stream/terminal.ts';
import { type OnTranscript, Transcript } from '../stream/transcript.ts';
import { answerBytes, EchoSearch, throwIfRejected } from './answer.ts';
import { confirmPrompt } from './confirm.ts';
import { Conversation, quiet, type View } from './conversation.ts';
import type { Dialect } from './dialect.ts';
import { exactAnswer } from './exact-answer.ts';
import { asksForNewPassword, newPasswordRequested } from './password-change.ts';
import { becomePrivileged } from './privilege.ts';
import {
  changedNumbers,
  lastPrompt,
  type PromptPatterns,
  promptPatterns,
  samePrompt,
} from './prompt.ts';
import { asksFor, asksForChoice, unanswered } from './questions.ts';
import { enter, type SignedIn, type SignInOptions, signIn } from './sign-in.ts';
import { decodeBytes } from './terminal-text.ts';

/** How long a command at a prompt may take (timeout), unless its caller sets another limit. */
const runMs = 10_000;
const signOutMs = 1000;

interface CliOptions extends Pick<SignInOptions, 'dialect' | 'credentials' | 'limit' | 'mayAsk'> {
  device: string;
  onTranscript?: OnTranscript | undefined;
}

/**
 * Signs in and prepares for commands. Destroys the terminal on failure.
 *
 * @throws SignInRejected, DeviceBusy, DeviceRejected, DeviceTimeout, DeviceUnreachable
 */
export async function openCliOn(terminal: Terminal, options: CliOptions): Promise<CliSession> {
  const { device, dialect, credentials, limit, onTranscript } = options;
  const secrets = secretsOf(credentials);
  const transcript = onTranscript && new Transcript(onTranscript, secrets, 'shell');
  const conversation = new Conversation(device, terminal, { secrets, transcript });
  try {
    const { prompt, changing, noise } = await reach(conversation, options);
    const own = { ...dialect, noise: [...dialect.noise, ...noise] };
    const cli = new Cli(conversation, own, prompt, changing);
    await cli.getReady(credentials, limit);
    return cli;
  } catch (error) {
    conversation.destroy(new DeviceUnreachable(device, 'was aborted'));
    throw error;
  }
}

/** The first prompt, reached through the outer command line if there is one. */
async function reach(
  conversation: Conversation,
  { dialect, credentials, limit, mayAsk }: CliOptions,
): Promise<SignedIn> {
  const { through } = dialect;
  const how = { credentials, limit, mayAsk };
  if (through === undefined) return await signIn(conversation, { dialect, ...how });
  const { prompt: outside } = await signIn(conversation, { dialect: through.dialect, ...how });
  conversation.mark();
  conversation.write(`${through.command}${enter}`);
  return await signIn(conversation, { dialect, ...how, mayAsk: true, outside });
}

class Cli implements CliSession {
  private readonly conversation: Conversation;
  private readonly dialect: Dialect;
  private prompts: PromptPatterns;
  private prompt: string;
  private readonly changing: Set<number>;
  /** One command at a time. */
  private readonly inTurn = inOrder();
  private closing: Promise<void> | undefined;

  constructor(conversation: Conversation, dialect: Dialect, prompt: string, changing: Set<number>) {
    this.conversation = conversation;
    this.dialect = dialect;
    this.prompt = prompt;
    this.changing = changing;
    this.prompts = promptPatterns(dialect, prompt, changing);
  }

  async getReady(credentials: Credentials, limit: Limit): Promise<void> {
    const { dialect, prompts } = this;
    const { privilege, setUp } = dialect;
    if (privilege !== undefined && !privilege.has(this.prompt)) {
      const options = { privilege, dialect, prompts, credentials, limit };
      await becomePrivileged(this.conversation, options);
    }
    for (const command of setUp) await this.ask(command, limit);
  }

  isOpen(): boolean {
    return this.closing === undefined && this.conversation.ended === undefined;
  }

  async run(command: string, options: RunOptions): Promise<string> {
    return decodeBytes((await this.answer(command, options)).toString('latin1'));
  }

  runBytes(command: string, options: RunOptions): Promise<Buffer> {
    return this.answer(command, options);
  }

  read(command: string, options: RunOptions): Promise<Buffer> {
    return this.answer(command, options, true);
  }

  private async answer(command: string, options: RunOptions, isExact = false): Promise<Buffer> {
    const { signal, timeoutMs = runMs, idleMs } = options;
    // Two lines would be two commands, and all later answers would be assigned to the wrong command.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be sent.
    if (/[\x00-\x1f\x7f]/.test(command))
      throw new RangeError('a command must be a single line of text');
    const said = await this.inTurn(() =>
      this.ask(command, limitOf(signal, timeoutMs, idleMs), isExact),
    );
    throwIfRejected(this.conversation.device, command, said, this.dialect);
    return said;
  }

  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  /** Waits for a command in progress, but not for long. */
  private async end(): Promise<void> {
    const { conversation } = this;
    const closed = new DeviceUnreachable(conversation.device, 'the session is closed');
    const late = setTimeout(() => conversation.destroy(closed), signOutMs);
    try {
      await this.inTurn(async () => {
        clearTimeout(late);
        await this.signOut();
        conversation.destroy(closed);
        // Few devices accept the next session before this one is closed.
        await conversation.gone();
      });
    } finally {
      clearTimeout(late);
    }
  }

  /** A failure leaves the command line in an unknown state, so it is closed. */
  private async ask(command: string, limit: Limit, isExact = false): Promise<Buffer> {
    const { conversation, dialect } = this;
    const what = `prompt after ${JSON.stringify(command)}`;
    // One character per byte, as everywhere here.
    const line = Buffer.from(command).toString('latin1');
    try {
      limit.signal.throwIfAborted();
      conversation.mark(isExact ? 'configuration' : 'table');
      conversation.write(`${line}${enter}`);
      const search = new EchoSearch(line);
      const echo = await conversation.until(`echo of ${JSON.stringify(command)}`, limit, (view) =>
        search.add(view.since(search.length)),
      );
      /** Positions at which a pager was answered. */
      const stops: number[] = [];
      const { prompt, pauseMs } = await conversation.until(what, limit, (view) => {
        if (view.length <= echo) return undefined;
        const key = view.length > (stops.at(-1) ?? 0) ? this.pagerKey(view) : undefined;
        if (key !== undefined) {
          stops.push(view.length);
          conversation.write(key);
        }
        // A configuration may contain such a line, and pause in it.
        if (!isExact && view.quietMs >= quiet.silence) this.throwIfAsked(view.line().text);
        const prompt = this.promptIn(view, view.length - echo);
        return prompt === undefined ? undefined : { prompt, pauseMs: view.pauseMs };
      });
      this.prompt = prompt;
      const rules = { dialect, prompts: this.prompts, command: line };
      const received = conversation.takeReceived();
      try {
        if (!isExact) {
          const isPaged = stops.length > 0;
          return Buffer.from(answerBytes(received.text(echo), { ...rules, isPaged }), 'latin1');
        }
        const own = samePrompt(prompt, this.changing);
        await confirmPrompt(conversation, { dialect, prompt, own, pauseMs, command, limit });
        const { isPainted } = search;
        const raw = received.transfer().subarray(echo);
        return await exactAnswer(raw, { ...rules, stops: stops.map((at) => at - echo), isPainted });
      } finally {
        received.release();
      }
    } catch (error) {
      const lines = conversation.lastLines().filter((each) => each.trim() !== '');
      conversation.destroy(new DeviceUnreachable(conversation.device, 'the session was aborted'));
      // Behind other lines than the echo, it is part of a configuration.
      const mayAsk = !isExact || lines.length <= 2;
      if (error instanceof DeviceTimeout && mayAsk) this.throwIfAsked(lines.at(-1) ?? '');
      throw error;
    }
  }

  /** @throws SignInRejected, DeviceRejected The device waits for an answer that it will not get. */
  private throwIfAsked(line: string): void {
    if (asksForNewPassword(line)) throw newPasswordRequested(this.conversation.device);
    if (asksForChoice(line) || asksFor(line.trimEnd()) !== undefined) {
      throw unanswered(this.conversation, line);
    }
  }

  private pagerKey({ line, quietMs }: View): string | undefined {
    if (quietMs < quiet.brief) return undefined;
    const { text, isCursorAtEnd } = line();
    if (!isCursorAtEnd) return undefined;
    return this.dialect.pagers.find((pager) => pager.line.test(text.trim()))?.key;
  }

  /** A match that is assumed to be the prompt. */
  private promptIn({ line, quietMs, lastLines }: View, sinceEcho: number): string | undefined {
    if (quietMs < quiet.brief) return undefined;
    const text = line().text.trimEnd();
    if (this.prompts.alone.test(text)) return text;
    if (quietMs >= quiet.silence) this.learn(text);
    // Rarer: after a line without a line end, or followed by log messages.
    if (quietMs < quiet.long || sinceEcho === 0) return undefined;
    return lastPrompt(lastLines(), this.prompts, this.dialect)?.prompt;
  }

  /** A number that has never changed before, such as the minute, or the load. */
  private learn(text: string): void {
    const places = changedNumbers(text, this.prompt) ?? [];
    if (places.length === 0) return;
    for (const place of places) this.changing.add(place);
    this.prompts = promptPatterns(this.dialect, this.prompt, this.changing);
  }

  private async signOut(): Promise<void> {
    const { conversation, dialect } = this;
    try {
      const limit = limitOf(new AbortController().signal, signOutMs);
      for (const command of dialect.signOut) {
        if (conversation.ended !== undefined) break;
        conversation.mark();
        conversation.write(`${command}${enter}`);
        await conversation.until('end', limit, (view) => this.hasLeft(view));
      }
    } catch {
      // The answer is cut in that case.
    }
  }

  private hasLeft(view: View): true | undefined {
    if (view.quietMs === Number.POSITIVE_INFINITY) return true;
    if (view.quietMs >= quiet.brief && asksForChoice(view.line().text.trimEnd())) {
      this.conversation.mark();
      this.conversation.write('n');
    }
    return view.quietMs >= quiet.long ? true : undefined;
  }
}
