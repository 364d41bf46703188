/**
 * Memory for O_DIRECT, for which Linux requires block-aligned addresses. Node's buffers are not aligned, but the memory of
 * WebAssembly is page-aligned.
 */
const page = 64 * 1024;

// @types/node declares its types, but not its values.
declare const WebAssembly: {
  Memory: new (size: { initial: number }) => { buffer: ArrayBuffer };
};

export function alignedBytes(length: number): Buffer {
  const { buffer } = new WebAssembly.Memory({ initial: Math.ceil(length / page) });
  return Buffer.from(buffer, 0, length);
}
