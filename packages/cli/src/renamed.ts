/** Commands that have a new name, and what the old one prints. For one version, the old name works as well, and prints the new one. */

interface Renamed {
  old: string;
  /** Only with this option. */
  with?: string;
  now: string;
  /** An option that the new command does not have; its value becomes an argument. */
  drops?: string;
}

const all: readonly Renamed[] = [
  { old: 'prove', now: 'check equipment', drops: '--look' },
  { old: 'cabling', with: '--prove', now: 'check outlets' },
  { old: 'cabling', now: 'check cabling' },
  { old: 'rack check', now: 'check rack' },
  { old: 'jumphost verify', now: 'check jumphost' },
  { old: 'pi kubernetes verify', now: 'check cluster' },
  { old: 'pi testbed verify', now: 'check testbed', drops: '--cluster' },
  { old: 'secrets check', now: 'check secrets' },
  { old: 'secrets verify', now: 'check secrets' },
  { old: 'pi images verify', now: 'check pi-images' },
  { old: 'machine show', now: 'show' },
  { old: 'machine status', now: 'machine list --agents' },
];

/**
 * The command line with the new name.
 *
 * @param words positions of noun, verb and arguments in the command line
 */
export function underNewName(
  args: readonly string[],
  words: readonly number[],
): { args: readonly string[]; old: string; now: string } | undefined {
  const isHelp = args[words[0] ?? -1] === 'help';
  const own = isHelp ? words.slice(1) : words;
  const text = `${own.map((at) => args[at]).join(' ')} `;
  const found = all.find(
    (each) =>
      text.startsWith(`${each.old} `) && (each.with === undefined || args.includes(each.with)),
  );
  if (found === undefined) return undefined;
  const { old, now, drops = found.with } = found;
  const replaced = own.slice(0, old.split(' ').length);
  const renamed = args.flatMap((arg, at) => {
    if (at === replaced[0]) return now.split(' ');
    if (replaced.includes(at) || arg === drops) return [];
    return drops !== undefined && arg.startsWith(`${drops}=`)
      ? [arg.slice(drops.length + 1)]
      : [arg];
  });
  return { args: renamed, old: found.with === undefined ? old : `${old} ${found.with}`, now };
}
