import { describe, expect, it } from 'vitest';
import { addPiece } from './pieces.ts';

describe('pieces of an answer', () => {
  it('are few, however small they came', () => {
    const pieces: Buffer[] = [];
    for (let index = 0; index < 1_000_000; index += 1) addPiece(pieces, Buffer.of(index & 0xff));

    expect(pieces.length).toBeLessThan(50);
    const whole = Buffer.concat(pieces);
    expect(whole.length).toBe(1_000_000);
    expect(whole.every((byte, index) => byte === (index & 0xff))).toBe(true);
  });

  it('stay as they are where they are large', () => {
    const large = Buffer.alloc(100_000);
    const pieces: Buffer[] = [];
    for (const piece of [large, Buffer.of(1), large]) addPiece(pieces, piece);

    expect(pieces[0]).toBe(large);
    expect(pieces.map(({ length }) => length)).toEqual([100_000, 100_001]);
  });
});
