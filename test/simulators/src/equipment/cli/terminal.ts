/**
 * The device's end of an interactive session: typed characters are echoed and collected into lines, answers go out
 * through the pager, and faults strike where they would. What is said is in the models' files.
 * Pagers and how they are erased are as Oxidized, RANCID and users' recorded sessions show them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { longBanner, withOddEnds } from './configuration-faults.ts';
import { showConfiguration } from './configuration-show.ts';
import type { Session } from './core.ts';
import { noise } from './noise.ts';
import { encodeText, escapeByte } from './text-bytes.ts';

/** What carries a session, an ssh channel or a telnet connection. */
export interface Line {
  send(data: Buffer, stream?: 'stderr'): void;
  /** The device ends the session; with an exit status where there is something like it. */
  hangUp(status?: number): void;
  /** The connection dies: what was sent arrives, and then no word of farewell. */
  drop(): void;
}

export interface Pager {
  /** What it asks; some tell the share that has been shown. */
  text: string | ((share: number) => string);
  /** What it sends to make that disappear. */
  erase: string;
  /** Lines of a page. */
  rows: number;
}

export interface Screen {
  /** How wide the device takes the terminal to be; 0: endless. */
  width: number;
  /** What happens to the echo of a longer line: it goes on in the next row, or scrolls sideways behind a `$`. */
  overflow: 'wrap' | 'scroll';
  /** Whether somebody sits at it. Without that a Unix shell neither prompts nor echoes. */
  interactive: boolean;
  newline: '\r\n' | '\n';
  /** What is shown of a line that is finished, where it is shown once more. */
  repaint?: (line: string) => string;
  /** What is shown of the last key of a line, where it is not the key itself. */
  echo?: (line: string) => string;
  /** All that is shown when a line is finished, where it is not a new line. */
  entered?: (line: string) => string;
}

/** The other side is gone, or its input has ended. */
export class HungUp extends Error {}

const CTRL_C = '\x03';
const CTRL_D = '\x04';
const CTRL_U = '\x15';
const CTRL_Z = '\x1a';

/** How far a line that is too long scrolls at a time. */
const SCROLL = 10;

export class Terminal {
  readonly session: Session;
  readonly screen: Screen;
  /** Undefined while it is off. */
  pager: Pager | undefined;
  /** Whether the connection died by a fault. */
  isDropped = false;
  private readonly line: Line;
  private readonly gone = new AbortController();
  private input = '';
  private ended = false;
  private afterReturn = false;
  private hasOddEnds = false;
  private wake: (() => void) | undefined;

  constructor(line: Line, session: Session, screen: Screen) {
    this.line = line;
    this.session = session;
    this.screen = screen;
    session.die = () => this.drop();
  }

  /** Characters have been typed. */
  receive(data: Buffer): void {
    if (this.session.faults.has('wedged')) return;
    this.input += Array.from(data, escapeByte).join('');
    this.wake?.();
  }

  /** Nothing more will be typed; what has been still counts. */
  end(): void {
    this.ended = true;
    this.wake?.();
  }

  /** The connection is gone. */
  close(): void {
    this.gone.abort();
    this.end();
  }

  /**
   * A line that was typed, without its end.
   *
   * @throws HungUp
   */
  async readLine(prompt: string, echo: 'plain' | 'none' | 'stars' = 'plain'): Promise<string> {
    const lastLine = stripVTControlCharacters(prompt.slice(prompt.lastIndexOf('\n') + 1));
    if (echo === 'plain' && lastLine !== '') this.session.core.prompt = lastLine;
    this.put(prompt);
    let line = '';
    for (;;) {
      const key = await this.nextKey();
      if (key === '\r' || key === '\n') {
        const { interactive, repaint, entered } = this.screen;
        if (interactive) this.put(entered?.(line) ?? `${repaint?.(line) ?? ''}\n`);
        await this.think();
        return line;
      }
      if (key === CTRL_Z || (key === CTRL_D && line === '')) return key;
      if (key === CTRL_C) {
        line = '';
        this.put(`^C\n${prompt}`);
      } else if (key === '\b' || key === '\x7f' || key === CTRL_U) {
        const erased = key === CTRL_U ? line.length : Math.min(1, line.length);
        line = line.slice(0, line.length - erased);
        if (echo !== 'none') this.put('\b \b'.repeat(erased));
      } else if (key >= ' ') {
        line += key;
        if (echo === 'stars') this.put('*');
        if (echo === 'plain' && this.screen.interactive) this.echo(prompt, line);
      }
    }
  }

  /** A line that is not shown; some devices ask for it twice. */
  async readPassword(prompt: string, echo: 'none' | 'stars'): Promise<string> {
    const password = await this.readLine(prompt, echo);
    if (!this.session.faults.has('password-twice')) return password;
    return await this.readLine(prompt, echo);
  }

  /**
   * So many bytes, as they are, of a protocol: one character for each.
   *
   * @throws HungUp
   */
  async readBytes(count: number): Promise<string> {
    for (;;) {
      if (this.gone.signal.aborted) throw new HungUp();
      if (this.input.length >= count) {
        const bytes = this.input.slice(0, count);
        this.input = this.input.slice(count);
        return Array.from(bytes, (byte) => String.fromCharCode(byte.charCodeAt(0) & 0xff)).join('');
      }
      if (this.ended) throw new HungUp();
      await this.nextInput();
    }
  }

  /** Any key, which is not shown. */
  async readAnyKey(question: string): Promise<void> {
    this.put(question);
    await this.nextKey();
    await this.think();
  }

  /** One key, with no Enter after it. */
  async readKey(question: string): Promise<string> {
    this.put(question);
    const key = await this.nextKey();
    this.put(key >= ' ' ? `${key}\n` : '\n');
    await this.think();
    return key.toLowerCase();
  }

  /** What a command answers. */
  async answer(text: string): Promise<void> {
    const { faults, acted } = this.session;
    if (faults.has('wedged')) await this.hang();
    if (this.session.isDoomed || (acted && faults.has('drops-after-command'))) this.drop();
    const isConfiguration = this.session.isConfiguration(text);
    if (text === '') return;
    if (faults.has('drops-mid-way') && text.trimEnd().includes('\n')) {
      this.put(text.slice(0, text.length / 2));
      this.drop();
    }
    if (faults.has('garbled')) this.send(noise(text.length));
    else if (isConfiguration) await this.show(text);
    else await this.page(text);
  }

  /** What is said after sign-in, before the first prompt, which looks like `prompt`. */
  async greet(text: string, prompt: string): Promise<void> {
    if (this.session.faults.has('long-banner')) this.put(longBanner);
    this.put(text);
    if (!this.session.faults.has('prompt-in-banner')) return;
    this.put(`\nMaintenance on Sunday. Do not believe it before it says:\n${prompt}`);
    await this.pause(this.session.faults.slowMs);
    this.put('\nThat was not it yet.\n');
  }

  /** Words that come by themselves: banners, questions, log lines. */
  put(text: string): void {
    if (this.screen.newline === '\n') this.send(encodeText(text));
    else
      this.send(encodeText(this.hasOddEnds ? withOddEnds(text) : text.replace(/\r?\n/g, '\r\n')));
  }

  /** What goes to the other stream where nobody sits at a terminal. */
  putError(text: string): void {
    if (this.screen.interactive) this.put(text);
    else if (!this.session.faults.has('wedged')) this.line.send(encodeText(text), 'stderr');
  }

  /** @throws HungUp The connection is gone before that. */
  async pause(milliseconds: number): Promise<void> {
    try {
      await sleep(milliseconds, undefined, { signal: this.gone.signal });
    } catch {
      throw new HungUp();
    }
  }

  /**
   * Before a command is carried out: a slow device takes its time, a wedged one never gets to it.
   *
   * @throws HungUp
   */
  async think(): Promise<void> {
    const { faults } = this.session;
    if (faults.has('slow')) await this.pause(faults.slowMs);
    if (faults.has('wedged')) await this.hang();
  }

  private send(data: Buffer): void {
    if (!this.gone.signal.aborted && !this.session.faults.has('wedged')) this.line.send(data);
  }

  /** The connection dies here and now. */
  drop(): never {
    this.isDropped = true;
    this.line.drop();
    throw new HungUp();
  }

  private async hang(): Promise<never> {
    for (;;) await this.pause(2 ** 31 - 1);
  }

  private async nextKey(): Promise<string> {
    for (;;) {
      const key = this.input[0];
      if (this.gone.signal.aborted || (key === undefined && this.ended)) throw new HungUp();
      if (key === undefined) {
        await this.nextInput();
        continue;
      }
      this.input = this.input.slice(1);
      const secondHalf = this.afterReturn && (key === '\n' || key === '\0');
      this.afterReturn = key === '\r';
      if (!secondHalf) return key;
    }
  }

  private nextInput(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }

  private echo(prompt: string, line: string): void {
    const { width, overflow, echo } = this.screen;
    const indent = prompt.slice(prompt.lastIndexOf('\n') + 1).length;
    const key = line.slice(-1);
    const room = width - indent - 1;
    if (echo !== undefined) {
      this.put(echo(line));
    } else if (room <= SCROLL) {
      this.put(key);
    } else if (overflow === 'wrap') {
      this.put((indent + line.length) % width === 0 ? `${key}\n` : key);
    } else if (line.length > room && (line.length - room - 1) % SCROLL === 0) {
      const shown = line.slice(SCROLL - room);
      const rest = SCROLL - 1;
      this.put(`${'\b'.repeat(room)}$${shown}${' '.repeat(rest)}${'\b'.repeat(rest)}`);
    } else {
      this.put(key);
    }
  }

  /** A configuration, with all that can go wrong then. */
  private async show(text: string): Promise<void> {
    this.hasOddEnds = this.session.faults.has('odd-line-ends');
    try {
      await showConfiguration(text, {
        session: this.session,
        isInteractive: this.screen.interactive,
        put: (part) => this.put(part),
        page: (part) => this.page(part),
        pause: (milliseconds) => this.pause(milliseconds),
        drop: () => this.drop(),
        hang: () => this.hang(),
      });
    } finally {
      this.hasOddEnds = false;
    }
  }

  private async page(text: string): Promise<void> {
    if (this.pager === undefined) return this.put(text);
    let left = this.pager.rows;
    const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
    for (const [shown, line] of lines.entries()) {
      if (this.pager && left === 0) {
        const { text: question, erase, rows } = this.pager;
        this.put(typeof question === 'string' ? question : question(shown / lines.length));
        const key = await this.nextKey();
        this.put(erase);
        if (key === 'q' || key === CTRL_C) return;
        left = key === '\r' || key === '\n' ? 1 : rows;
      }
      this.put(line);
      left -= 1;
    }
  }
}
