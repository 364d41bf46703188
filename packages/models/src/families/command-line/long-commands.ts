/** Of a command, as Linux allows it, with room to spare. */
const longest = 100_000;

/** Splits a list into parts that are each short enough for a command. */
export function inCommands<T>(items: readonly T[], textOf: (item: T) => string): T[][] {
  const parts: T[][] = [];
  let room = 0;
  for (const item of items) {
    // And what stands between two.
    const length = Buffer.byteLength(textOf(item)) + 20;
    if (length > room) {
      parts.push([]);
      room = longest;
    }
    parts.at(-1)?.push(item);
    room -= length;
  }
  return parts;
}
