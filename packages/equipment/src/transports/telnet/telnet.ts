/**
 * Telnet (RFC 854, 855), the subset that switches need: the device may echo and suppress go-aheads, and receives the size of the terminal
 * (NAWS, RFC 1073) and its type (TTYPE, RFC 1091); everything else is rejected.
 */
import { connect, type Socket } from 'node:net';
import { Intake } from '../budget/intake.ts';
import { type DeviceError, DeviceTimeout } from '../errors.ts';
import type { SessionDeps, Target } from '../session.ts';
import { connectionLost, socketError } from '../ssh/errors.ts';
import { dialed } from '../stream/dial.ts';
import { connectLimit, type Limit, withinLimit } from '../stream/limit.ts';
import type { Terminal, TerminalListener } from '../stream/terminal.ts';
import { Negotiation } from './negotiation.ts';

/** @throws DeviceUnreachable, DeviceTimeout */
export async function connectTelnet(
  target: Target,
  { dial }: Pick<SessionDeps, 'dial'>,
  signIn: Limit,
): Promise<Terminal> {
  const { name, address, port } = target;
  const limit = connectLimit(signIn);
  if (dial !== undefined) return new TelnetTerminal(await dialed(target, dial, limit), target);
  const socket = connect({ host: address, port, noDelay: true, keepAlive: true });
  const terminal = new TelnetTerminal(socket, target);
  const late = (how: string) =>
    new DeviceTimeout(name, `no connection to ${address}:${port}${how}`);
  try {
    await withinLimit<void>(limit, late, (resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', (error) => reject(socketError(target, error)));
      return () => undefined;
    });
  } catch (error) {
    terminal.destroy();
    throw error;
  }
  return terminal;
}

class TelnetTerminal implements Terminal {
  readonly intake: Intake;
  private readonly socket: Socket;
  private readonly negotiation = new Negotiation();
  private listener: TerminalListener | undefined;
  private early: Buffer[] = [];
  private why: DeviceError | undefined;
  private readonly closed: Promise<void>;

  constructor(socket: Socket, target: Target) {
    this.socket = socket;
    this.intake = new Intake(target.name, socket, (why) => this.end(why));
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('data', (bytes) => this.receive(bytes));
    socket.on('error', (error) => this.end(socketError(target, error)));
    socket.on('close', () => this.end(connectionLost(target)));
  }

  listen(listener: TerminalListener): void {
    this.listener = listener;
    for (const bytes of this.early.splice(0)) listener.data(bytes);
    if (this.why !== undefined) listener.end(this.why);
  }

  write(text: string): void {
    if (!this.socket.writable) return;
    // A lone carriage return is followed by NUL (RFC 854); 255 begins a telnet command, so it is doubled.
    const line = text.replaceAll('\r', '\r\0').replaceAll('\xff', '\xff\xff');
    this.socket.write(line, 'latin1');
  }

  destroy(): void {
    this.listener = undefined;
    this.socket.destroy();
  }

  gone(): Promise<void> {
    return this.closed;
  }

  private receive(bytes: Buffer) {
    const { text, reply } = this.negotiation.parse(bytes);
    if (reply.length > 0 && this.socket.writable) this.socket.write(reply);
    if (text.length === 0) return;
    if (this.listener) this.listener.data(text);
    else this.early.push(text);
  }

  private end(why: DeviceError) {
    if (this.why !== undefined) return;
    this.why = why;
    this.listener?.end(why);
    this.socket.destroy();
  }
}
