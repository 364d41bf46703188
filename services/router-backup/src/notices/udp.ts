/** A UDP port that every host may send to: datagrams are rate-limited before they are parsed. */
import { createSocket, type RemoteInfo, type Socket, type SocketType } from 'node:dgram';
import { once } from 'node:events';
import { errorCode } from '@skolo/base';

interface UdpDeps {
  port: number;
  /** Must not throw. */
  onMessage: (datagram: Buffer, from: RemoteInfo, answer: (bytes: Buffer) => void) => void;
  onError: (error: Error) => void;
  /** Further datagrams within the same second are dropped. */
  mostPerSecond?: number | undefined;
}

const withoutIpv6: readonly unknown[] = ['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL'];

export class UdpPort {
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

  /** On all addresses, or only IPv4 if there is no IPv6. @throws Error The port cannot be opened. */
  async open(): Promise<void> {
    try {
      this.socket = await this.bound('udp6');
    } catch (error) {
      if (!withoutIpv6.includes(errorCode(error))) throw error;
      this.socket = await this.bound('udp4');
    }
    this.socket.on('error', this.deps.onError);
    this.socket.on('message', (datagram, from) => this.count(datagram, from));
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

  private count(datagram: Buffer, from: RemoteInfo): void {
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
    // If an answer is lost, the sender repeats its inform.
    const answer = (bytes: Buffer) =>
      this.socket?.send(bytes, from.port, from.address, () => undefined);
    this.deps.onMessage(datagram, from, answer);
  }
}
