/** A configurable command line on any stream: ssh channel or socket. */
import type { Duplex } from 'node:stream';

export interface FakeSwitchOptions {
  name?: string;
  /** Instead of the usual prompt; `mode` is its sign. */
  prompt?: (mode: string) => string;
  /** Printed before the first prompt. */
  banner?: string;
  /** Answers by command; a function may write itself and return undefined. */
  answers?: Record<string, string | ((io: FakeIo) => string | undefined)>;
  /** Password for `enable`; without it, none. */
  enablePassword?: string;
  /** How text is split into packets. */
  send?: (stream: Duplex, text: string) => void;
  /** In-band login, as over telnet. */
  login?: { username: string; password: string };
  /** Lines at which the pager stops. */
  pageLength?: number;
  pagerStays?: boolean;
}

const endOfLine = '\r\n';

export interface FakeIo {
  stream: Duplex;
  write(text: string): void;
  prompt(): void;
}

interface FakeSwitch {
  commands: string[];
  /** Pass it each stream that is opened. */
  serve(stream: Duplex): void;
}

/** Responses of telnet clients, which arrive in separate packets. */
const telnetCommand = /\xff\xfa.*?\xff\xf0|\xff[\xfb-\xfe]./gs;
const more = '--More-- or (q)uit';

export function fakeSwitch(options: FakeSwitchOptions = {}): FakeSwitch {
  const commands: string[] = [];
  return { commands, serve: (stream) => new Session(stream, options, commands).start() };
}

/** One terminal: input and output. */
class Session {
  private readonly stream: Duplex;
  private readonly options: FakeSwitchOptions;
  private readonly commands: string[];
  private mode = '>';
  private isPaging = true;
  private asked: 'user' | 'login password' | 'enable password' | 'command' = 'command';
  private givenUser = '';
  private typed = '';
  private pages: string[] = [];

  constructor(stream: Duplex, options: FakeSwitchOptions, commands: string[]) {
    this.stream = stream;
    this.options = options;
    this.commands = commands;
  }

  start(): void {
    this.stream.on('error', () => undefined);
    this.stream.on('data', (bytes: Buffer) => {
      for (const char of bytes.toString('latin1').replace(telnetCommand, '')) this.receive(char);
    });
    if (this.options.login) {
      this.ask('user', `${endOfLine}User:`);
    } else {
      this.write(this.options.banner ?? '');
      this.prompt();
    }
  }

  private write(text: string): void {
    const { stream } = this;
    if (stream.destroyed || stream.writableEnded) return;
    if (this.options.send) this.options.send(stream, text);
    else stream.write(text, 'latin1');
  }

  private prompt(): void {
    const { name = 'UBNT EdgeSwitch', prompt = (mode) => `(${name}) ${mode}` } = this.options;
    this.write(prompt(this.mode));
  }

  private ask(what: Session['asked'], text: string): void {
    this.asked = what;
    this.write(text);
  }

  private receive(char: string): void {
    if (this.pages.length > 0) {
      this.write(`\r${' '.repeat(more.length)}\r`);
      this.nextPage();
      return;
    }
    if (char === '\0' || char === '\n') return;
    if (char !== '\r') {
      this.typed += char;
      if (this.asked === 'command' || this.asked === 'user') this.write(char);
      return;
    }
    const line = this.typed;
    this.typed = '';
    this.write(endOfLine);
    this.answer(line);
  }

  private answer(line: string): void {
    const { login, enablePassword, banner = '' } = this.options;
    switch (this.asked) {
      case 'user':
        this.givenUser = line;
        this.ask('login password', 'Password:');
        break;
      case 'login password':
        if (this.givenUser === login?.username && line === login.password) {
          this.ask('command', `${endOfLine}${banner}`);
          this.prompt();
        } else {
          this.ask('user', `${endOfLine}Login incorrect${endOfLine}User:`);
        }
        break;
      case 'enable password':
        this.asked = 'command';
        if (line === enablePassword) this.mode = '#';
        else this.write(`Incorrect Password!${endOfLine}`);
        this.prompt();
        break;
      case 'command':
        this.obey(line.trim());
        break;
    }
  }

  private obey(command: string): void {
    const { options } = this;
    if (command !== '') this.commands.push(command);
    if (command === 'enable' && options.enablePassword !== undefined) {
      this.ask('enable password', 'Password:');
      return;
    }
    if (command === 'logout') {
      this.stream.end();
      return;
    }
    if (command === 'enable') this.mode = '#';
    if (command === 'terminal length 0') this.isPaging = options.pagerStays ?? false;
    if (['', 'enable', 'terminal length 0'].includes(command)) {
      this.prompt();
      return;
    }
    const answer = options.answers?.[command];
    const io = {
      stream: this.stream,
      write: (text: string) => this.write(text),
      prompt: () => this.prompt(),
    };
    const text = typeof answer === 'function' ? answer(io) : answer;
    if (typeof answer === 'function' && text === undefined) return;
    this.page(text ?? `${endOfLine}% Invalid input detected at '^' marker.${endOfLine}`);
  }

  private page(text: string): void {
    const { pageLength = 1000 } = this.options;
    if (!this.isPaging || text.split('\n').length <= pageLength) {
      this.write(text);
      this.prompt();
      return;
    }
    const lines = text
      .split('\n')
      .map((line, index, all) => (index < all.length - 1 ? `${line}\n` : line));
    while (lines.length > 0) this.pages.push(lines.splice(0, pageLength).join(''));
    this.nextPage();
  }

  private nextPage(): void {
    this.write(this.pages.shift() ?? '');
    if (this.pages.length > 0) this.write(more);
    else this.prompt();
  }
}
