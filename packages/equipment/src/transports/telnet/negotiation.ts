/** Telnet commands in the text, however they are split into packets. */
import { terminalSize, terminalType } from '../stream/terminal.ts';

const IAC = 255;
const DONT = 254;
const DO = 253;
const WONT = 252;
const WILL = 251;
const SB = 250;
const SE = 240;

const ECHO = 1;
const SGA = 3;
const TTYPE = 24;
const NAWS = 31;

const IS = 0;
const SEND = 1;

/** What the device may do, and what we can do on request. */
const device = new Set([ECHO, SGA]);
const ours = new Set([SGA, TTYPE, NAWS]);
/** More than any option needs; the rest of a longer one is dropped. */
const longestOption = 512;

interface Heard {
  text: Buffer;
  reply: Buffer;
}

type State = 'text' | 'command' | 'option' | 'subnegotiation' | 'subnegotiation command';

export class Negotiation {
  private state: State = 'text';
  private verb = 0;
  private option: number[] = [];
  /** The agreed options, so that nothing is confirmed twice, which would make the two sides loop forever. */
  private readonly agreed = { device: new Set<number>(), ours: new Set<number>() };
  private readonly rejected = { device: new Set<number>(), ours: new Set<number>() };

  parse(bytes: Uint8Array): Heard {
    const text: number[] = [];
    const reply: number[] = [];
    for (const byte of bytes) this.step(byte, text, reply);
    return { text: Buffer.from(text), reply: Buffer.from(reply) };
  }

  private step(byte: number, text: number[], reply: number[]) {
    switch (this.state) {
      case 'text':
        if (byte === IAC) this.state = 'command';
        else text.push(byte);
        break;
      case 'command':
        this.state = 'text';
        if (byte === IAC) text.push(byte);
        else if (byte === SB) {
          this.option = [];
          this.state = 'subnegotiation';
        } else if (byte >= WILL && byte <= DONT) {
          this.verb = byte;
          this.state = 'option';
        }
        break;
      case 'option':
        this.state = 'text';
        this.negotiate(byte, reply);
        break;
      case 'subnegotiation':
        if (byte === IAC) this.state = 'subnegotiation command';
        else if (this.option.length < longestOption) this.option.push(byte);
        break;
      case 'subnegotiation command':
        this.state = byte === SE ? 'text' : 'subnegotiation';
        if (byte === SE) this.answer(reply);
        break;
    }
  }

  private negotiate(option: number, reply: number[]) {
    const isDevice = this.verb === WILL || this.verb === WONT;
    const side = isDevice ? 'device' : 'ours';
    const [yes, no] = isDevice ? [DO, DONT] : [WILL, WONT];
    const wants = this.verb === WILL || this.verb === DO;
    const agreed = this.agreed[side];
    const rejected = this.rejected[side];
    if (wants && (isDevice ? device : ours).has(option)) {
      if (agreed.has(option)) return;
      agreed.add(option);
      reply.push(IAC, yes, option);
      if (option === NAWS) reply.push(...size());
    } else if (wants) {
      if (rejected.has(option)) return;
      rejected.add(option);
      reply.push(IAC, no, option);
    } else if (agreed.delete(option)) {
      reply.push(IAC, no, option);
    }
  }

  private answer(reply: number[]) {
    const [option, verb] = this.option;
    if (option !== TTYPE || verb !== SEND) return;
    reply.push(IAC, SB, TTYPE, IS, ...Buffer.from(terminalType), IAC, SE);
  }
}

function size(): number[] {
  const { columns, rows } = terminalSize;
  const bytes = [columns >> 8, columns & 255, rows >> 8, rows & 255];
  return [IAC, SB, NAWS, ...bytes.flatMap((byte) => (byte === IAC ? [IAC, IAC] : [byte])), IAC, SE];
}
