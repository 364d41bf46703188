/**
 * Telnet (RFC 854, 855) as network equipment speaks it: the device echoes (RFC 857) and suppresses go-ahead (RFC 858),
 * and rejects everything else that it is offered or asked for.
 */
import type { Socket } from 'node:net';
import type { Accounts } from './accounts.ts';
import type { Core } from './core.ts';
import { Session } from './core.ts';
import type { CliModel } from './model.ts';
import { signIn } from './sign-in.ts';
import { HungUp, type Line, Terminal } from './terminal.ts';

const IAC = 255;
const DONT = 254;
const DO = 253;
const WONT = 252;
const WILL = 251;
const SB = 250;
const AYT = 246;
const SE = 240;

const ECHO = 1;
const SUPPRESS_GO_AHEAD = 3;

interface TelnetEndpoint {
  core: Core;
  model: CliModel;
  accounts: Accounts;
  banner: string;
}

export function answerTelnet(socket: Socket, endpoint: TelnetEndpoint): void {
  const { core, model } = endpoint;
  let signedOut = () => {};
  const line: Line = {
    send: (data) => socket.write(doubled(data)),
    hangUp: () => socket.end(),
    drop: () => socket.destroySoon(),
  };
  const terminal = new Terminal(line, new Session(core), {
    ...model.screen(undefined),
    interactive: true,
    newline: '\r\n',
  });
  const options = new TelnetOptions((command) => {
    if (!core.faults.has('wedged')) socket.write(command);
  });
  socket.on('data', (data) => terminal.receive(options.strip(data)));
  socket.on('end', () => terminal.end());
  socket.on('close', () => {
    signedOut();
    terminal.close();
  });
  options.begin();

  async function talk(): Promise<void> {
    try {
      terminal.put(endpoint.banner);
      if (await signIn(terminal, endpoint.accounts, model.words)) {
        signedOut = core.signedIn();
        await model.shell(terminal);
        signedOut();
      }
      line.hangUp();
    } catch (error) {
      if (!(error instanceof HungUp)) throw error;
      socket.end();
    }
  }
  void talk();
}

function doubled(data: Buffer): Buffer {
  if (!data.includes(IAC)) return data;
  return Buffer.from([...data].flatMap((byte) => (byte === IAC ? [IAC, IAC] : [byte])));
}

/** Takes commands out of what arrives, however it is cut, and answers them. */
class TelnetOptions {
  private readonly reply: (command: Buffer) => void;
  private command: number[] = [];

  constructor(reply: (command: Buffer) => void) {
    this.reply = reply;
  }

  begin(): void {
    this.reply(Buffer.from([IAC, WILL, ECHO, IAC, WILL, SUPPRESS_GO_AHEAD]));
  }

  strip(data: Buffer): Buffer {
    const text: number[] = [];
    for (const byte of data) {
      if (this.command.length === 0) {
        if (byte === IAC) this.command = [IAC];
        else text.push(byte);
        continue;
      }
      this.command.push(byte);
      if (this.command.length === 2 && byte === IAC) text.push(IAC);
      if (this.isComplete()) {
        this.obey();
        this.command = [];
      }
    }
    return Buffer.from(text);
  }

  private isComplete(): boolean {
    const [, verb = 0] = this.command;
    if (verb === SB) {
      return this.command.at(-2) === IAC && this.command.at(-1) === SE;
    }
    return this.command.length === (verb >= WILL && verb <= DONT ? 3 : 2);
  }

  private obey(): void {
    const [, verb, option = 0] = this.command;
    if (verb === AYT) this.reply(Buffer.from('\r\n[Yes]\r\n'));
    if (verb === WILL) this.reply(Buffer.from([IAC, DONT, option]));
    // Both were announced at the beginning, so asking for them is only the answer to that.
    if (verb === DO && option !== ECHO && option !== SUPPRESS_GO_AHEAD) {
      this.reply(Buffer.from([IAC, WONT, option]));
    }
  }
}
