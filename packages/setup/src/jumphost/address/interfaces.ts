/** /etc/network/interfaces of ifupdown (interfaces(5)). */
export interface FixedAddress {
  /** Of the interface. */
  name: string;
  /** IPv4. */
  address: string;
  /** Length of the prefix of its subnet. */
  prefix: number;
  gateway?: string;
}

/** Keywords that start a stanza. */
const begins =
  /^\s*(iface|mapping|auto|allow-\S+|source|source-directory|no-auto-down|no-scripts|rename|template)\b/;
/** Options that a fixed address replaces. */
const replaced =
  /^\s*(address|netmask|network|broadcast|gateway|metric|pointopoint|hostname|client|vendor|leasetime)\b/;

/** Whether the file configures IPv4 of the interface. */
export function hasStanza(text: string, name: string): boolean {
  return text.split('\n').some((line) => isStanzaOf(line, name));
}

/**
 * The file with a fixed address for the interface. Other stanzas, comments and options stay.
 *
 * @throws Error It does not contain exactly one stanza for the interface.
 */
export function withFixedAddress(text: string, fixed: FixedAddress): string {
  const lines = text.split('\n');
  const starts = lines.flatMap((line, at) => (isStanzaOf(line, fixed.name) ? [at] : []));
  const [start] = starts;
  if (start === undefined || starts.length > 1) {
    throw new Error(`${starts.length} IPv4 stanzas for ${fixed.name}, expected one`);
  }
  const after = lines.findIndex((line, at) => at > start && begins.test(line));
  const end = after === -1 ? lines.length : after;
  const kept = lines.slice(start + 1, end).filter((line) => !replaced.test(line));
  return [
    ...lines.slice(0, start),
    `iface ${fixed.name} inet static`,
    `  address ${fixed.address}/${fixed.prefix}`,
    ...(fixed.gateway === undefined ? [] : [`  gateway ${fixed.gateway}`]),
    ...kept,
    ...lines.slice(end),
  ].join('\n');
}

function isStanzaOf(line: string, name: string): boolean {
  const [word, own, family] = line.trim().split(/\s+/);
  return word === 'iface' && own === name && family === 'inet';
}
