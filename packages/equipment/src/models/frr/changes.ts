/**
 * Computes the lines to type to turn one configuration into another: old lines are removed with `no`, from the end of the configuration to
 * its beginning, so that references go first; then new ones are added, from beginning to end.
 */
import type { Block } from './configuration.ts';

/** One line in its context. */
export interface Change {
  /** The enclosing contexts' lines, outermost first. */
  path: readonly string[];
  line: string;
  /** It opens a context, which must be left again. */
  opens: boolean;
  /** The line of the configuration that this removes. */
  removes?: string;
}

/** @param dropped number of words to omit at the end of removing lines, because many commands do not accept their value again */
export function changesBetween(
  from: readonly Block[],
  to: readonly Block[],
  dropped = 0,
): Change[] {
  return [...removals(from, to, dropped, []).reverse(), ...additions(from, to, [])];
}

/** An empty context of a kernel object: FRR may not remove it, and it does no harm. */
export function isLeftover({ removes, path }: Change): boolean {
  return path.length === 0 && removes !== undefined && isVirtual(removes);
}

/** In the order of the configuration. */
function removals(
  from: readonly Block[],
  to: readonly Block[],
  dropped: number,
  path: readonly string[],
): Change[] {
  const wanted = new Map(to.map((block) => [block.line, block]));
  const gone = goneNeighbors(from, to, path);
  const changes: Change[] = [];
  for (const { line, children, opens } of from) {
    const kept = wanted.get(line);
    const within = [...path, line];
    const rest = children.filter((child) => !isOf(gone, child.line));
    if (kept) {
      changes.push(...removals(rest, kept.children, dropped, within));
      continue;
    }
    if (isOf(gone, line) || replaced(line, to)) continue;
    const goesAtOnce = !opens || isRemovable(line) || (isVirtual(line) && children.length === 0);
    if (goesAtOnce) {
      changes.push({ path, line: negated(line, dropped), opens: false, removes: line });
    }
    // Anything that could not be removed as a whole is removed line by line.
    if (!goesAtOnce || dropped > 0) changes.push(...removals(rest, [], dropped, within));
  }
  for (const [name, line] of gone) {
    const what = `no neighbor ${name}${definition(line)}`;
    changes.push({ path, line: what, opens: false, removes: line });
  }
  return changes;
}

function additions(
  from: readonly Block[],
  to: readonly Block[],
  path: readonly string[],
): Change[] {
  const present = new Map(from.map((block) => [block.line, block]));
  return to.flatMap(({ line, children, opens }) => {
    const known = present.get(line);
    const within = additions(known?.children ?? [], children, [...path, line]);
    return known ? within : [{ path, line, opens }, ...within];
  });
}

function isVirtual(line: string): boolean {
  return /^(?:interface|vrf) /.test(line);
}

/** `no` removes it with its whole content. */
function isRemovable(line: string): boolean {
  return /^(?:router|route-map|key chain|key|pbr-map|nexthop-group|bfd|peer|profile|rpki|mpls ldp|segment-routing)\b/.test(
    line,
  );
}

/**
 * Neighbours that are removed completely: one line removes all their settings, and the others would then be rejected. By name, the line that
 * created each.
 */
function goneNeighbors(
  from: readonly Block[],
  to: readonly Block[],
  path: readonly string[],
): Map<string, string> {
  if (path.length !== 1 || !path[0]?.startsWith('router bgp ')) return new Map();
  const stay = new Set(to.map(({ line }) => neighborOf(line)));
  const gone = new Map<string, string>();
  for (const { line } of from) {
    const name = neighborOf(line);
    if (name === undefined || stay.has(name)) continue;
    if (!gone.has(name) || /^neighbor \S+ (?:interface\b|peer-group$)/.test(line))
      gone.set(name, line);
  }
  return gone;
}

function neighborOf(line: string): string | undefined {
  return /^(?:no )?neighbor (\S+) /.exec(line)?.[1];
}

function isOf(gone: ReadonlyMap<string, string>, line: string): boolean {
  const name = neighborOf(line);
  return name !== undefined && gone.has(name);
}

/** The words of a line that creates a neighbor without an address. */
function definition(line: string): string {
  return /^neighbor \S+( interface\b| peer-group$)/.exec(line)?.[1] ?? '';
}

/** Settings that occur once: the new line replaces the old one, whose `no` would remove more. */
const single: readonly RegExp[] = [
  /^(?:password|enable password) /,
  /^neighbor \S+ (?:remote-as|description|password) /,
  /^(?:description|bgp router-id|ospf router-id) /,
];

function replaced(line: string, to: readonly Block[]): boolean {
  const begin = single.map((pattern) => pattern.exec(line)?.[0]).find((match) => match);
  return begin !== undefined && to.some((other) => other.line.startsWith(begin));
}

/** Lines whose `no` requires fewer words than they have. */
const shorter: readonly [RegExp, string][] = [
  [/^(password|enable password|description|banner motd|log (?:file|syslog)) .*/, 'no $1'],
  [/^(neighbor \S+ (?:description|password)) .*/, 'no $1'],
  [/^(ip ospf (?:message-digest-key \d+|authentication-key)) .*/, 'no $1'],
  [/^(key-string) .*/, 'no $1'],
];

/** The line that reverts this one: without its `no`, or with one; never so short that it would revert more. */
function negated(line: string, dropped: number): string {
  if (line.startsWith('no ')) return line.slice(3);
  const known = shorter.find(([pattern]) => pattern.test(line));
  if (known) return line.replace(...known);
  const words = line.split(' ');
  const fewest = Math.min(words[0] === 'neighbor' ? 3 : 2, words.length);
  return `no ${words.slice(0, Math.max(fewest, words.length - dropped)).join(' ')}`;
}

/** Lines to type at `configure terminal`. */
export function typed(changes: readonly Change[]): string[] {
  const lines: string[] = [];
  let at: readonly string[] = [];
  for (const { path, line, opens } of changes) {
    let same = 0;
    while (same < at.length && same < path.length && at[same] === path[same]) same += 1;
    lines.push(...at.slice(same).map(() => 'exit'), ...path.slice(same), line);
    at = opens ? [...path, line] : path;
  }
  return [...lines, ...at.map(() => 'exit')];
}
