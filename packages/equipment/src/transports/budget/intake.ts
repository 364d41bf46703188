/**
 * Limits what one connection may use of this process while it receives: CPU time, turns of the event loop, and bytes that are not output.
 */
import type { Socket } from 'node:net';
import { threadCpuMs } from '@skolo/base';
import { type DeviceError, DeviceRejected } from '../errors.ts';

/** In addition to the time that output earns, at a tenth of the speed at which ssh2 decrypts. */
const mostMs = 60_000;
const bytesPerMs = 16 * 1024;
/** For a chunk of usual output. */
const briefMs = 5;
/** In packets of one byte. ssh2's window is 2 MiB, in which output may wait. */
const mostOverhead = { bytes: 3 * 1024 * 1024, perByte: 256 };

export class Intake {
  private readonly device: string;
  private readonly socket: Socket;
  private readonly fail: (why: DeviceError) => void;
  private spentMs = 0;
  private received = 0;
  private output = 0;

  /** Before other listeners for the socket's data. */
  constructor(device: string, socket: Socket, fail: (why: DeviceError) => void) {
    this.device = device;
    this.socket = socket;
    this.fail = fail;
    socket.on('data', (bytes) => this.receive(bytes.length));
  }

  /** So many bytes were output that somebody wants. */
  deliver(bytes: number): void {
    this.output += bytes;
  }

  private receive(bytes: number): void {
    this.received += bytes;
    const { bytes: most, perByte } = mostOverhead;
    if (this.received > most + this.output * perByte) {
      this.fail(new DeviceRejected(this.device, 'sends too much besides its output'));
    }
    this.socket.pause();
    const before = threadCpuMs();
    // After all listeners.
    process.nextTick(() => {
      const ms = threadCpuMs() - before;
      this.continueAfter(ms);
      this.spentMs += ms;
      if (this.spentMs <= mostMs + this.output / bytesPerMs) return;
      const what = `requires more than ${mostMs / 1000} s of CPU time`;
      this.fail(new DeviceRejected(this.device, what));
    });
  }

  /** One chunk at a time, only when the device has read what it was sent, and using at most half of a processor. */
  private continueAfter(ms: number): void {
    const resume = () => this.socket.resume();
    if (this.socket.writableNeedDrain) this.socket.once('drain', resume);
    else if (ms < briefMs) setImmediate(resume);
    else setTimeout(resume, ms);
  }
}
