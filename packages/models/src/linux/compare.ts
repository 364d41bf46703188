/** Differences between a version and a host. */
import type { NewMember } from '../configuration/archive-write.ts';
import { listed } from '../families/command-line/text-reading.ts';
import { hashOf, type VerifiedMember } from './collect.ts';

export interface Compared {
  /** Entries of the version that must be written. */
  changes: NewMember[];
  /** Absolute paths, sorted. */
  gone: string[];
  different: string[];
  /** On the host, but not in the version. */
  others: string[];
}

/** @param now the host's files, limited to those in rack.yaml or in the version */
export async function compare(
  now: readonly VerifiedMember[],
  wanted: readonly NewMember[],
): Promise<Compared> {
  const present = new Map(now.map((member) => [member.name, member]));
  const result: Compared = { changes: [], gone: [], different: [], others: [] };
  for (const member of wanted) {
    const known = present.get(member.name);
    if (known && (await isSame(known, member))) continue;
    result.changes.push(member);
    (known ? result.different : result.gone).push(`/${member.name}`);
  }
  const names = new Set(wanted.map(({ name }) => name));
  for (const { name, type } of now) {
    if (!names.has(name) && type !== 'folder') result.others.push(`/${name}`);
  }
  return result;
}

/** For people, one line per kind. */
export function describe({ gone, different, others }: Compared): string {
  const lines = [
    ...line('missing on the host', gone),
    ...line('different on the host', different),
    ...line('not in the version, so left unchanged', others),
  ];
  return lines.length === 0 ? 'all files match the version' : lines.join('\n');
}

function line(what: string, paths: readonly string[]): string[] {
  if (paths.length === 0) return [];
  return [`${what}: ${listed(paths, 20)}`];
}

async function isSame(known: VerifiedMember, wanted: NewMember): Promise<boolean> {
  if (known.type !== wanted.type || known.uid !== wanted.uid || known.gid !== wanted.gid)
    return false;
  // Linux links have no modes.
  if (wanted.type === 'link') return known.target === wanted.target;
  if (known.mode !== wanted.mode || known.size !== wanted.size) return false;
  return wanted.type !== 'file' || known.sha256 === (await hashOf(wanted));
}
