/** Splits commands that would be too long for Linux. */
/** Maximum length of a command on Linux, with a margin. */
const longest = 100_000;

/** Splits a list into parts that each fit into a command. */
export function inCommands<T>(items: readonly T[], textOf: (item: T) => string): T[][] {
  const parts: T[][] = [];
  let room = 0;
  for (const item of items) {
    // Including the separator.
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
