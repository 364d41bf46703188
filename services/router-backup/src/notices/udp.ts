/** One UDP port that anybody may send to: what comes is counted before it is looked at. */
import { createSocket, type RemoteInfo, type Socket, type SocketType } from 'node:dgram';
import { once } from 'node:events';

export interface UdpDeps {
  port: number;
  /** What it throws is nobody's but its own. */
  onMessage: (datagram: Buffer, from: RemoteInfo, answer: (bytes: Buffer) => void) => void;
  onError: (error: Error) => void;
  /** Datagrams looked at in a second; the others are dropped. */
  mostPerSecond?: number;
}

const withoutIpv6: ReadonlySet<unknown> = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL']);

export class UdpPort {
  /** Datagrams that were too many. */
  dropped = 0;
  private readonly deps: UdpDeps;
  private socket: Socket | undefined;
  private second = 0;
  private seen = 0;

  constructor(deps: UdpDeps) {
    this.deps = deps;
  }

  get port(): number {
    return this.socket?.address().port ?? 0;
  }

  /** On all addresses, of IPv4 alone where there is no IPv6. @throws Error The port cannot be had. */
  async open(): Promise<void> {
    try {
      this.socket = await this.bound('udp6');
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && withoutIpv6.has(error.code))) throw error;
      this.socket = await this.bound('udp4');
    }
    this.socket.on('error', this.deps.onError);
    this.socket.on('message', (datagram, from) => this.hear(datagram, from));
  }

  async close(): Promise<void> {
    const { socket } = this;
    this.socket = undefined;
    if (socket === undefined) return;
    const closed = once(socket, 'close');
    socket.close();
    await closed;
  }

  private async bound(type: SocketType): Promise<Socket> {
    const socket = createSocket(type);
    try {
      const listening = once(socket, 'listening');
      socket.bind(this.deps.port);
      await listening;
      return socket;
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  private hear(datagram: Buffer, from: RemoteInfo): void {
    const now = Math.floor(performance.now() / 1000);
    if (now !== this.second) {
      this.second = now;
      this.seen = 0;
    }
    this.seen += 1;
    if (this.seen > (this.deps.mostPerSecond ?? 1000)) {
      this.dropped += 1;
      return;
    }
    // An answer that does not arrive is asked for again.
    const answer = (bytes: Buffer) =>
      this.socket?.send(bytes, from.port, from.address, () => undefined);
    this.deps.onMessage(datagram, from, answer);
  }
}
