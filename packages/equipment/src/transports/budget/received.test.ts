import { describe, expect, it } from 'vitest';
import type { DeviceError } from '../errors.ts';
import { type Purpose, Received } from './received.ts';

function start(purpose: Purpose) {
  const errors: DeviceError[] = [];
  const fail = (why: DeviceError) => void errors.push(why);
  const received = new Received({ device: 'switch-1', what: 'the output', purpose, fail });
  /** The first error, if any. */
  const add = (piece: string, times: number) => {
    const bytes = Buffer.from(piece, 'latin1');
    for (let i = 0; i < times && errors.length === 0; i += 1) received.add(bytes);
    received.release();
    return errors[0]?.message;
  };
  return { received, add };
}

describe('what a device sends', () => {
  it.each<[what: string, Purpose, string, number, size: string]>([
    ['bytes', 'table', 'x'.repeat(1024), 1024, '1 MiB'],
    ['lines', 'table', '\r\n', 20_000, '20,000 lines'],
    ['lines of ProCurve', 'table', '\x1b[1M\x1b[24;1H\x1b[1L\x1b[K', 20_000, '20,000 lines'],
    ['bytes', 'configuration', 'x'.repeat(65_536), 64, '4 MiB'],
    ['lines', 'configuration', '\n'.repeat(1000), 50, '50,000 lines'],
    ['objects', 'document', '{},', 10_000, '20,000 elements'],
    ['nested lists', 'document', '[', 20_000, '20,000 elements'],
    ['tags', 'document', '<a', 20_000, '20,000 elements'],
  ])('may be so many %s for a %s, and not one more', (_what, purpose, piece, times, size) => {
    expect(start(purpose).add(piece, times)).toBeUndefined();
    expect(start(purpose).add(piece, times + 1)).toBe(`switch-1: the output exceeds ${size}`);
  });

  it('is the same bytes, however it was cut, and needs little more memory', () => {
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251));
    const { received } = start('table');
    for (let at = 0; at < bytes.length; at += 1) received.add(bytes.subarray(at, at + 1));

    expect(received.text(299_990)).toBe(bytes.toString('latin1', 299_990));
    const taken = received.transfer();
    received.release();

    expect(taken.equals(bytes)).toBe(true);
    expect(taken.buffer.byteLength).toBe(bytes.length);
  });
});
