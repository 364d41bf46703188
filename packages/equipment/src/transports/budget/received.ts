/** Limits what equipment sends while it arrives: bytes and lines. A process dies of lines and objects as well as of bytes, so both count. */
import { type DeviceError, DeviceRejected } from '../errors.ts';
import { memory, type Share } from './memory.ts';

const mebibyte = 1024 * 1024;

/** Of each byte: four for the end of a line, one for an escape sequence, of which ProCurve needs several for a line. */
const lines = weights({ '\n': 4, '\x1b': 1 });
/** Of JSON, XML and HTML: each element is an object. */
const elements = weights({ '\n': 4, ',': 4, '[': 4, '{': 4, '<': 4, '&': 4 });

/** The largest answers, by purpose. */
export const limits = {
  /** Tables, settings, sign-in. A large switch's MAC table has 16,000 lines. */
  table: { bytes: mebibyte, count: 20_000, of: 'lines', weights: lines },
  /** The configuration of a large router has one or two MiB. Models parse it in one turn of the event loop. */
  configuration: { bytes: 4 * mebibyte, count: 50_000, of: 'lines', weights: lines },
  document: { bytes: mebibyte, count: 20_000, of: 'elements', weights: elements },
} as const;

export type Purpose = keyof typeof limits;

interface About {
  device: string;
  /** For errors: `the output`. */
  what: string;
  purpose: Purpose;
  /** Called if it is too large, or does not fit into memory beside other answers. */
  fail: (why: DeviceError) => void;
}

/** In one piece of memory, which is freed at once when it has become too small, because garbage would stay for a while. */
export class Received {
  length = 0;
  private weight = 0;
  private memory = new ArrayBuffer(0);
  private readonly about: About;
  private readonly share: Share;

  constructor(about: About) {
    this.about = about;
    this.share = memory.open(about.device, about.fail);
  }

  add(bytes: Buffer): void {
    const { device, what, purpose, fail } = this.about;
    const most = limits[purpose];
    const needed = this.length + bytes.length;
    for (const byte of bytes) this.weight += most.weights[byte] ?? 0;
    if (needed > most.bytes || this.weight > 4 * most.count) {
      const count = `${most.count.toLocaleString('en')} ${most.of}`;
      const size = needed > most.bytes ? `${most.bytes / mebibyte} MiB` : count;
      fail(new DeviceRejected(device, `${what} exceeds ${size}`));
      return;
    }
    if (needed > this.memory.byteLength) {
      this.memory = this.memory.transfer(Math.min(2 * needed, most.bytes));
    }
    bytes.copy(new Uint8Array(this.memory), this.length);
    this.length = needed;
    this.share.grow(bytes.length);
  }

  /** One character per byte, from this position on. */
  text(from = 0): string {
    return Buffer.from(this.memory).toString('latin1', Math.max(0, from), this.length);
  }

  /** All of it, which is then the caller's. Its memory remains counted until `release`. */
  transfer(): Buffer {
    return Buffer.from(this.memory.transfer(this.length));
  }

  release(): void {
    this.share.release();
  }
}

function weights(of: Readonly<Record<string, number>>): Uint8Array {
  const all = new Uint8Array(256);
  for (const [char, weight] of Object.entries(of)) all[char.charCodeAt(0)] = weight;
  return all;
}
