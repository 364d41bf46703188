/**
 * A command line: one command for each prompt. The echo of a command is looked for first, then the prompt behind it,
 * so that nothing that came earlier is taken for an answer; pagers are answered whether or not they could be turned off.
 */
import { Secret } from '@skolo/rack';
import { answerIn, endOfEcho, lastIndexWith } from './answer.ts';
import { Conversation, quiet, type View } from './conversation.ts';
import type { Credentials } from './credentials.ts';
import type { Dialect } from './dialects/dialect.ts';
import { DeviceRefused, DeviceUnreachable } from './errors.ts';
import { becomePrivileged } from './privilege.ts';
import type { CliSession, RunOptions } from './session.ts';
import { type Limit, limitOf } from './settle.ts';
import { enter, signIn } from './sign-in.ts';
import type { Terminal } from './terminal.ts';

const runMs = 10_000;
const signOutMs = 1000;
/** An answer that says no is short; a longer one is a configuration, in which anything may be written. */
const longestRefusal = 10;

export interface CliOptions {
  device: string;
  dialect: Dialect;
  credentials: Credentials;
  limit: Limit;
}

/**
 * Signs in and gets ready for commands. The terminal is destroyed when that fails.
 *
 * @throws SignInRefused, DeviceBusy, DeviceRefused, DeviceTimeout, DeviceUnreachable
 */
export async function openCliOn(terminal: Terminal, options: CliOptions): Promise<CliSession> {
  const { device, dialect, credentials, limit } = options;
  const secrets = Object.values(credentials).filter((value) => value instanceof Secret);
  const hidden = secrets.map((secret) => secret.reveal());
  const conversation = new Conversation(device, terminal, hidden);
  try {
    const cli = new Cli(conversation, dialect, await reach(conversation, options));
    await cli.getReady(credentials, limit);
    return cli;
  } catch (error) {
    conversation.destroy(new DeviceUnreachable(device, 'was given up'));
    throw error;
  }
}

/** The first prompt, through the command line in front where there is one. */
async function reach(
  conversation: Conversation,
  { dialect, credentials, limit }: CliOptions,
): Promise<string> {
  const { through } = dialect;
  if (through === undefined) return await signIn(conversation, { dialect, credentials, limit });
  const outside = await signIn(conversation, { dialect: through.dialect, credentials, limit });
  conversation.mark();
  conversation.write(`${through.command}${enter}`);
  return await signIn(conversation, { dialect, credentials, limit, outside });
}

class Cli implements CliSession {
  private readonly conversation: Conversation;
  private readonly dialect: Dialect;
  /** At the end of a line. */
  private readonly promptAtEnd: RegExp;
  private readonly promptAlone: RegExp;
  private prompt: string;
  private last: Promise<unknown> = Promise.resolve();
  private closing: Promise<void> | undefined;

  constructor(conversation: Conversation, dialect: Dialect, prompt: string) {
    this.conversation = conversation;
    this.dialect = dialect;
    this.prompt = prompt;
    const base = dialect.prompt.exec(prompt)?.groups?.base ?? prompt;
    this.promptAtEnd = new RegExp(`(?:${dialect.prompts(base)})$`);
    this.promptAlone = new RegExp(`^(?:${dialect.prompts(base)})$`);
  }

  async getReady(credentials: Credentials, limit: Limit): Promise<void> {
    const { privilege, setUp } = this.dialect;
    if (privilege !== undefined && !privilege.has(this.prompt)) {
      const isPrompt = (line: string) => this.promptAlone.test(line);
      await becomePrivileged(this.conversation, { privilege, isPrompt, credentials, limit });
    }
    for (const command of setUp) await this.ask(command, limit);
  }

  isOpen(): boolean {
    return this.closing === undefined && this.conversation.ended === undefined;
  }

  async run(command: string, { signal, timeoutMs = runMs }: RunOptions): Promise<string> {
    // Two lines would be two commands, and their answers would be taken for each other's ever after.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be sent.
    if (/[\x00-\x1f\x7f]/.test(command)) throw new RangeError('a command is one line of text');
    const answer = await this.inTurn(() => this.ask(command, limitOf(signal, timeoutMs)));
    this.throwIfRefused(command, answer);
    return answer;
  }

  close(): Promise<void> {
    this.closing ??= this.inTurn(() => this.signOut()).catch(() => undefined);
    return this.closing;
  }

  /** One command after the other. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.last.then(work, work);
    this.last = turn;
    return turn;
  }

  /** A failure leaves the command line in a state that nobody knows, so it is ended then. */
  private async ask(command: string, limit: Limit): Promise<string> {
    const { conversation, dialect } = this;
    const what = `prompt after ${JSON.stringify(command)}`;
    // One character for each byte, as everywhere here.
    const line = Buffer.from(command).toString('latin1');
    try {
      limit.signal.throwIfAborted();
      conversation.mark();
      conversation.write(`${line}${enter}`);
      const echo = await conversation.until(`echo of ${JSON.stringify(command)}`, limit, (view) =>
        endOfEcho(view.raw(), line),
      );
      let isPaged = false;
      let answeredAt = 0;
      await conversation.until(what, limit, (view) => {
        if (view.length <= echo) return undefined;
        const key = view.length > answeredAt ? this.pagerKey(view) : undefined;
        if (key !== undefined) {
          isPaged = true;
          answeredAt = view.length;
          conversation.write(key);
        }
        return this.isAtPrompt(view, view.length - echo) ? true : undefined;
      });
      const raw = conversation.raw().slice(echo);
      return answerIn(raw, { dialect, prompt: this.promptAtEnd, command: line, isPaged });
    } catch (error) {
      conversation.destroy(new DeviceUnreachable(conversation.device, 'the session was given up'));
      throw error;
    }
  }

  private pagerKey({ line, quietMs }: View): string | undefined {
    if (quietMs < quiet.brief || !line.isCursorAtEnd) return undefined;
    const text = line.text.trim();
    return this.dialect.pagers.find((pager) => pager.line.test(text))?.key;
  }

  private isAtPrompt({ line, quietMs, lastLines }: View, sinceEcho: number): boolean {
    if (quietMs < quiet.brief) return false;
    const text = line.text.trimEnd();
    if (this.promptAlone.test(text)) return true;
    // Rarer: behind a line without its end, or followed by log messages.
    if (quietMs < quiet.long || sinceEcho === 0) return false;
    if (this.promptAtEnd.test(text)) return true;
    const lines = lastLines();
    const at = lastIndexWith(lines, this.promptAtEnd);
    return lines.slice(at).length > 1 && lines.slice(at + 1).every((each) => this.isNoise(each));
  }

  private isNoise(line: string): boolean {
    return line.trim() === '' || this.dialect.noise.some((pattern) => pattern.test(line));
  }

  private throwIfRefused(command: string, answer: string): void {
    const lines = answer.split('\n').filter((line) => line.trim() !== '');
    if (lines.length > longestRefusal) return;
    const no = lines.find((line) => this.dialect.errors.some((error) => error.test(line.trim())));
    if (no === undefined) return;
    const what = `refuses ${JSON.stringify(command)}: ${no.trim().slice(0, 200)}`;
    throw new DeviceRefused(this.conversation.device, what);
  }

  private async signOut(): Promise<void> {
    const { conversation, dialect } = this;
    const gone = new DeviceUnreachable(conversation.device, 'the session is closed');
    try {
      const limit = limitOf(new AbortController().signal, signOutMs);
      for (const command of dialect.signOut) {
        if (conversation.ended !== undefined) break;
        conversation.mark();
        conversation.write(`${command}${enter}`);
        await conversation.until('end', limit, (view) => this.hasLeft(view));
      }
    } catch {
      // It is cut below.
    } finally {
      conversation.destroy(gone);
    }
  }

  private hasLeft(view: View): true | undefined {
    if (view.quietMs === Number.POSITIVE_INFINITY) return true;
    const text = view.line.text.trimEnd();
    if (
      view.quietMs >= quiet.brief &&
      /\? ?(?:\(y\/n\)|\[y(?:es)?\/n(?:o)?\]).{0,3}$/i.test(text)
    ) {
      this.conversation.mark();
      this.conversation.write('n');
    }
    return view.quietMs >= quiet.long ? true : undefined;
  }
}
