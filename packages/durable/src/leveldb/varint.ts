/** Reads numbers and strings as LevelDB's `util/coding.h` writes them; throws RangeError past the end. */
export class Cursor {
  private readonly bytes: Buffer;
  private at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  number(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.bytes.readUInt8(this.at);
      this.at += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  take(length: number): Buffer {
    const end = this.at + length;
    if (end > this.bytes.length) throw new RangeError(`${length} bytes wanted, past the end`);
    const taken = this.bytes.subarray(this.at, end);
    this.at = end;
    return taken;
  }

  string(): Buffer {
    return this.take(this.number());
  }
}
