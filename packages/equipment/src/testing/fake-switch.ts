/** A command line as a test wants it, on any stream: ssh channel or socket. */
import type { Duplex } from 'node:stream';

export interface FakeSwitchOptions {
  name?: string;
  /** Said before the first prompt. */
  banner?: string;
  /** Answers by command; a function may write itself and return undefined. */
  answers?: Record<string, string | ((io: FakeIo) => string | undefined)>;
  /** Asked by `enable`; without it, none. */
  enablePassword?: string;
  /** How text is cut into packets. */
  send?: (stream: Duplex, text: string) => void;
  /** In-band login, as over telnet. */
  login?: { username: string; password: string };
  /** Lines at which the pager stops. */
  pageLength?: number;
  pagerStays?: boolean;
  endOfLine?: string;
}

export interface FakeIo {
  stream: Duplex;
  write(text: string): void;
  prompt(): void;
}

interface FakeSwitch {
  commands: string[];
  /** To be given each stream that somebody opens. */
  serve(stream: Duplex): void;
}

/** What telnet clients answer; comes in packets of its own. */
const telnetCommand = /\xff\xfa.*?\xff\xf0|\xff[\xfb-\xfe]./gs;
const more = '--More-- or (q)uit';

export function fakeSwitch(options: FakeSwitchOptions = {}): FakeSwitch {
  const { name = 'UBNT EdgeSwitch', banner = '', answers = {}, endOfLine = '\r\n' } = options;
  const commands: string[] = [];

  function serve(stream: Duplex) {
    let mode = '>';
    let isPaging = true;
    let asked: 'user' | 'login password' | 'enable password' | 'command' = 'command';
    let givenUser = '';
    let typed = '';
    let pages: string[] = [];
    const write = (text: string) => {
      if (stream.destroyed || stream.writableEnded) return;
      const send = options.send ?? ((to: Duplex, bytes: string) => to.write(bytes, 'latin1'));
      send(stream, text);
    };
    const prompt = () => write(`(${name}) ${mode}`);
    const io: FakeIo = { stream, write, prompt };

    stream.on('error', () => undefined);
    stream.on('data', (bytes: Buffer) => {
      for (const char of bytes.toString('latin1').replace(telnetCommand, '')) receive(char);
    });

    function receive(char: string) {
      if (pages.length > 0) {
        write(`\r${' '.repeat(more.length)}\r`);
        nextPage();
        return;
      }
      if (char === '\0' || char === '\n') return;
      if (char !== '\r') {
        typed += char;
        if (asked === 'command' || asked === 'user') write(char);
        return;
      }
      const line = typed;
      typed = '';
      write(endOfLine);
      take(line);
    }

    function take(line: string) {
      switch (asked) {
        case 'user':
          givenUser = line;
          asked = 'login password';
          write('Password:');
          break;
        case 'login password':
          if (givenUser === options.login?.username && line === options.login.password) {
            asked = 'command';
            write(`${endOfLine}${banner}`);
            prompt();
          } else {
            asked = 'user';
            write(`${endOfLine}Login incorrect${endOfLine}User:`);
          }
          break;
        case 'enable password':
          asked = 'command';
          if (line === options.enablePassword) mode = '#';
          else write(`Incorrect Password!${endOfLine}`);
          prompt();
          break;
        case 'command':
          obey(line);
          break;
      }
    }

    function obey(line: string) {
      const command = line.trim();
      if (command === '') return prompt();
      commands.push(command);
      if (command === 'enable') {
        if (options.enablePassword === undefined) mode = '#';
        else {
          asked = 'enable password';
          write('Password:');
          return;
        }
      } else if (command === 'terminal length 0') {
        isPaging = options.pagerStays ?? false;
      } else if (command === 'logout') {
        stream.end();
        return;
      } else {
        const answer = answers[command];
        const text = typeof answer === 'function' ? answer(io) : answer;
        if (typeof answer === 'function' && text === undefined) return;
        page(text ?? `${endOfLine}% Invalid input detected at '^' marker.${endOfLine}`);
        return;
      }
      prompt();
    }

    function page(text: string) {
      const { pageLength = 1000 } = options;
      if (!isPaging || text.split('\n').length <= pageLength) {
        write(text);
        prompt();
        return;
      }
      const lines = text
        .split('\n')
        .map((line, index, all) => (index < all.length - 1 ? `${line}\n` : line));
      while (lines.length > 0) pages.push(lines.splice(0, pageLength).join(''));
      nextPage();
    }

    function nextPage() {
      write(pages[0] ?? '');
      pages = pages.slice(1);
      if (pages.length > 0) write(more);
      else prompt();
    }

    if (options.login) {
      asked = 'user';
      write(`${endOfLine}User:`);
    } else {
      write(banner);
      prompt();
    }
  }

  return { commands, serve };
}
