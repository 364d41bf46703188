/** MAC addresses as devices write them. */

/** `b8:27:eb:00:00:01`, `b8-27-eb-00-00-01`, `b827.eb00.0001`, `b827eb-000001`. */
export const macPattern = String.raw`\b(?:[\da-fA-F]{2}(?:[:-][\da-fA-F]{2}){5}|[\da-fA-F]{4}(?:\.[\da-fA-F]{4}){2}|[\da-fA-F]{6}-[\da-fA-F]{6})\b`;

/** In the form of rack.yaml. */
export function macOf(text: string): string {
  const digits = text.replace(/[^\da-fA-F]/g, '').toLowerCase();
  return digits.replace(/..(?!$)/g, '$&:');
}

/** Whether it is the address of a single network card: neither multicast nor zero. */
export function isOfOne(mac: string): boolean {
  return (Number.parseInt(mac.slice(0, 2), 16) & 1) === 0 && mac !== '00:00:00:00:00:00';
}
