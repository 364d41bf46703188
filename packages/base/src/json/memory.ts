/**
 * How much memory `JSON.parse` of a text takes, before it is called: a megabyte of objects with names of their own becomes 25 MB, a
 * megabyte of one string 2 MB. So a limit in bytes of text does not limit memory.
 */
const [quote, backslash, letterU] = [0x22, 0x5c, 0x75];
const [openList, closeList, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d];
/** The first byte in UTF-8 of a character that V8 stores in two bytes, and then all others of its string, too. */
const firstWide = 0xc4;

/**
 * Bytes in V8 for a character outside of strings, which stands for a list or an object, a key, an element, or a number with an object of
 * its own. The worst measured: an object with an integer as its only key is a hash table; each key that follows other keys than
 * anywhere else is a hidden class.
 */
const costs = new Uint8Array(256);
const costOf = { '[': 128, '{': 128, ':': 104, ',': 24, '-': 16, '.': 16, e: 16, E: 16 };
for (const [char, cost] of Object.entries(costOf)) costs[char.charCodeAt(0)] = cost;
const stringCost = 16;
/** `[]` costs this. Nothing costs more for each byte of text. */
export const mostPerByte = 67;

const constrained = process.constrainedMemory();
/** What JSON of others may take: a quarter of the cgroup's limit, or of 512 MiB without one, for which Node returns 0 or 2 ** 64. */
export const jsonShare = (constrained > 0 && constrained < 2 ** 48 ? constrained : 2 ** 29) / 4;

/**
 * At least the memory for a UTF-8 text and the result of `JSON.parse`, in bytes, that of the result alone (`value`), and how deeply it is
 * nested. One pass, about 1 ms per MB.
 */
export function measureJson(json: Uint8Array): { memory: number; value: number; depth: number } {
  const { length } = json;
  // Large strings and lists fill whole pages.
  let value = length / 16;
  let [open, depth, charBytes] = [0, 0, 1];
  for (let at = 0; at < length; at += 1) {
    const char = json[at] ?? 0;
    value += costs[char] ?? 0;
    if (char === quote) {
      const start = at;
      let bytes = 1;
      for (at += 1; at < length && json[at] !== quote; at += 1) {
        const byte = json[at] ?? 0;
        if (byte === backslash) {
          at += 1;
          if (json[at] === letterU) bytes = 2;
        } else if (byte >= firstWide) {
          bytes = 2;
          charBytes = 2;
        }
      }
      value += stringCost + (at - start) * bytes;
    } else if (char === openList || char === openObject) {
      open += 1;
      depth = Math.max(depth, open);
    } else if (char === closeList || char === closeObject) open -= 1;
  }
  return { memory: value + length * charBytes, value, depth };
}
