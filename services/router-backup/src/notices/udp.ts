/** A UDP port that every host may send to: the number of datagrams, and the CPU time that they take, are limited in each second. */
import { createSocket, type RemoteInfo, type Socket, type SocketType } from 'node:dgram';
import { once } from 'node:events';
import { errorCode, threadCpuMs } from '@skolo/base';

interface UdpDeps {
  port: number;
  /** Must not throw. */
  onMessage: (datagram: Buffer, from: RemoteInfo, answer: (bytes: Buffer) => void) => void;
  onError: (error: Error) => void;
  /** Further datagrams within the same second are dropped. */
  mostPerSecond?: number | undefined;
  /** Milliseconds of CPU time of this thread. Default: of the operating system. */
  cpuMs?: (() => number) | undefined;
}

/** CPU time for datagrams of one second. The last one may exceed it. */
const mostMsPerSecond = 100;

const withoutIpv6: readonly unknown[] = ['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL'];

export class UdpPort {
  dropped = 0;
  private readonly deps: UdpDeps;
  private socket: Socket | undefined;
  private second = 0;
  private seen = 0;
  private usedMs = 0;

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
      this.usedMs = 0;
    }
    this.seen += 1;
    const { mostPerSecond = 1000, cpuMs = threadCpuMs } = this.deps;
    if (this.seen > mostPerSecond || this.usedMs >= mostMsPerSecond) {
      this.dropped += 1;
      return;
    }
    // If an answer is lost, the sender repeats its inform.
    const answer = (bytes: Buffer) =>
      this.socket?.send(bytes, from.port, from.address, () => undefined);
    const before = cpuMs();
    this.deps.onMessage(datagram, from, answer);
    this.usedMs += cpuMs() - before;
  }
}
