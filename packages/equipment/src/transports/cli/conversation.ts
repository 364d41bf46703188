/** Listens to a terminal, and decides how long silence must last: output since the last mark, and waiting for expected output. */
import { type Purpose, Received } from '../budget/received.ts';
import { type DeviceError, DeviceTimeout, DeviceUnreachable } from '../errors.ts';
import type { Limit } from '../stream/limit.ts';
import { withoutSecrets } from '../stream/redact.ts';
import type { Terminal } from '../stream/terminal.ts';
import type { Transcript } from '../stream/transcript.ts';
import { Waiter } from '../stream/waiter.ts';
import { withinTurn } from './expression-time.ts';
import { decodeBytes, type ShownLine, shownLine, shownLines } from './terminal-text.ts';

/**
 * Durations of silence: enough to trust a prompt, to trust an unusual one, to ask, and to ask a device whose question may still come: login
 * servers that do not respond delay it by up to 20 s.
 */
export const quiet = { brief: 25, long: 400, silence: 2000, dead: 25_000 } as const;
const quietLevels = Object.values(quiet);

/** Longer than any line that must be recognised. */
const tailLength = 4096;

/** A snapshot of the terminal. */
export interface View {
  /** The line with the cursor. Not for each packet, because it replays the line. */
  line(): ShownLine;
  /** The level of `quiet` that was reached; 0 while bytes arrive. Infinity: nothing more will arrive. */
  readonly quietMs: number;
  /** Bytes since the mark. */
  readonly length: number;
  /** The longest pause since the mark after which output continued. */
  readonly pauseMs: number;
  /** Output since the mark, unchanged, from this byte on: cheap near the end. */
  since(index: number): string;
  /** The last lines since the mark, including the cursor's line. */
  lastLines(): string[];
}

interface ConversationOptions {
  /** Must not appear in errors. */
  secrets: readonly string[];
  /** Receives everything. */
  transcript: Transcript | undefined;
}

export class Conversation {
  readonly device: string;
  private readonly terminal: Terminal;
  private readonly secrets: readonly string[];
  private received: Received;
  private heardAt = 0;
  private pauseMs = 0;
  private quietMs = 0;
  private quietTimer: NodeJS.Timeout | undefined;
  private why: DeviceError | undefined;
  private readonly transcript: Transcript | undefined;
  private readonly waiter = new Waiter();
  private isLookDue = false;

  constructor(device: string, terminal: Terminal, { secrets, transcript }: ConversationOptions) {
    this.device = device;
    this.terminal = terminal;
    this.secrets = secrets;
    this.transcript = transcript;
    this.received = this.newReceived('table');
    terminal.listen({
      data: (bytes) => this.receive(bytes),
      end: (why) => this.end(why),
    });
  }

  /** Undefined while it is open. */
  get ended(): DeviceError | undefined {
    return this.why;
  }

  /** Forgets all earlier output. @param purpose of the output that follows, which limits it */
  mark(purpose: Purpose = 'table'): void {
    this.received.release();
    this.received = this.newReceived(purpose);
    this.heardAt = performance.now();
    this.pauseMs = 0;
    this.rest();
  }

  /** Restarts the measurement of silence. */
  rest(): void {
    clearTimeout(this.quietTimer);
    this.quietMs = 0;
    if (this.why === undefined) this.awaitQuiet(0);
  }

  /** Output since the mark, unchanged. */
  raw(): string {
    return this.received.text();
  }

  /** The same, which the caller takes over, and releases. */
  takeReceived(): Received {
    const { received } = this;
    this.received = this.newReceived('table');
    return received;
  }

  write(text: string): void {
    this.transcript?.say(text);
    this.terminal.write(text);
  }

  /** For text that must not appear in a transcript. */
  writeSecret(secret: string, end: string): void {
    this.transcript?.say(`<secret>${end}`);
    this.terminal.write(`${secret}${end}`);
  }

  /** Closes it from this side. */
  destroy(why: DeviceError): void {
    this.end(why);
    this.terminal.destroy();
  }

  /** Resolves soon after the end, when the connection is completely closed. */
  gone(): Promise<void> {
    return this.terminal.gone();
  }

  /**
   * Calls `look` at each change until it returns something.
   *
   * @param what is being waited for, in words: `an answer to "enable"`
   * @throws DeviceTimeout, or the reason why the terminal ended, with the device's last words
   */
  async until<T>(what: string, limit: Limit, look: (view: View) => T | undefined): Promise<T> {
    const late = (how: string) =>
      new DeviceTimeout(this.device, `no ${what}${how}${this.lastWords()}`);
    return await this.waiter.until(limit, late, () => {
      // Its output is not complete. What the device sent before it left may be.
      if (this.why !== undefined && !(this.why instanceof DeviceUnreachable)) throw this.why;
      const found = withinTurn(this.device, what, () => look(this.view()));
      if (found === undefined && this.why !== undefined) throw this.lost(what, this.why);
      return found;
    });
  }

  /** For errors: the end of its output, without secrets. */
  lastWords(): string {
    const text = decodeBytes(shownLines(this.tail(1000)).join('\n')).trim();
    if (text === '') return '; nothing was received';
    return `; last output: ${JSON.stringify(this.withoutSecrets(text).slice(-200))}`;
  }

  /** A text of the device, for errors. */
  withoutSecrets(text: string): string {
    return withoutSecrets(text, this.secrets);
  }

  private lost(what: string, why: DeviceError): DeviceError {
    if (!(why instanceof DeviceUnreachable)) return why;
    const reason = why.message.slice(this.device.length + 2);
    const message = `${reason}; skolo was waiting for the ${what}${this.lastWords()}`;
    return new DeviceUnreachable(this.device, message, { cause: why });
  }

  /** The last lines since the mark, including the cursor's line. */
  lastLines(): string[] {
    return shownLines(this.tail());
  }

  private view(): View {
    const { received, pauseMs } = this;
    return {
      line: () => {
        const tail = this.tail();
        return shownLine(tail.slice(tail.lastIndexOf('\n') + 1));
      },
      quietMs: this.why === undefined ? this.quietMs : Number.POSITIVE_INFINITY,
      length: received.length,
      pauseMs,
      since: (index) => received.text(index),
      lastLines: () => this.lastLines(),
    };
  }

  private tail(length = tailLength): string {
    return this.received.text(this.received.length - length);
  }

  private receive(bytes: Buffer) {
    if (this.why !== undefined) return;
    const now = performance.now();
    this.pauseMs = Math.max(this.pauseMs, now - this.heardAt);
    this.heardAt = now;
    this.transcript?.receive(bytes.toString('latin1'));
    this.waiter.received();
    this.terminal.intake.deliver(bytes.length);
    this.received.add(bytes);
    this.rest();
    this.wakeSoon();
  }

  /** One look for all packets of a turn of the event loop. */
  private wakeSoon() {
    if (this.isLookDue) return;
    this.isLookDue = true;
    setImmediate(() => {
      this.isLookDue = false;
      this.waiter.changed();
    });
  }

  private newReceived(purpose: Purpose): Received {
    const fail = (why: DeviceError) => this.destroy(why);
    return new Received({ device: this.device, what: 'the output', purpose, fail });
  }

  private end(why: DeviceError) {
    if (this.why !== undefined) return;
    this.why = why;
    this.transcript?.end();
    this.received.release();
    clearTimeout(this.quietTimer);
    this.waiter.changed();
  }

  private awaitQuiet(level: number) {
    const next = quietLevels[level];
    if (next === undefined) return;
    this.quietTimer = setTimeout(() => {
      this.quietMs = next;
      this.awaitQuiet(level + 1);
      this.waiter.changed();
    }, next - this.quietMs);
  }
}
