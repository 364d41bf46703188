/** Bytes that make no sense, always the same: what a broken line or a wrong baud rate gives. */
export function noise(length: number): Buffer {
  let state = 0x2545f491;
  return Buffer.from(
    Array.from({ length: Math.max(length, 64) }, () => {
      state = (state * 1_103_515_245 + 12_345) & 0x7fff_ffff;
      return state >> 16;
    }),
  );
}
