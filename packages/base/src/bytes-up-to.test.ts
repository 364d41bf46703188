import { describe, expect, it } from 'vitest';
import { addChunk } from './bytes-up-to.ts';

describe('chunks of an answer', () => {
  it('are few, however small they came', () => {
    const chunks: Buffer[] = [];
    for (let index = 0; index < 1_000_000; index += 1) addChunk(chunks, Buffer.of(index & 0xff));

    expect(chunks.length).toBeLessThan(50);
    const whole = Buffer.concat(chunks);
    expect(whole.length).toBe(1_000_000);
    expect(whole.every((byte, index) => byte === (index & 0xff))).toBe(true);
  });

  it('stay as they are where they are large', () => {
    const large = Buffer.alloc(100_000);
    const chunks: Buffer[] = [];
    for (const chunk of [large, Buffer.of(1), large]) addChunk(chunks, chunk);

    expect(chunks[0]).toBe(large);
    expect(chunks.map(({ length }) => length)).toEqual([100_000, 100_001]);
  });
});
