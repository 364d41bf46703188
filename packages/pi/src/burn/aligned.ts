/**
 * Memory for O_DIRECT, whose addresses Linux wants to be those of whole blocks. Buffers of Node begin anywhere; the memory of
 * WebAssembly begins at a page.
 */
const page = 64 * 1024;

// @types/node has its types, and not its values.
declare const WebAssembly: {
  Memory: new (size: { initial: number }) => { buffer: ArrayBuffer };
};

export function alignedBytes(length: number): Buffer {
  const { buffer } = new WebAssembly.Memory({ initial: Math.ceil(length / page) });
  return Buffer.from(buffer, 0, length);
}
