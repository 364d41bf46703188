import type { Refusal } from '@skolo/api';
import type { Io } from '../../io.ts';
import { folded, foldedItems } from '../../names.ts';
import { type Column, table } from '../../output/table.ts';
import { plain } from '../../output/text.ts';
import { relative } from '../../output/time.ts';

/** Refusals of the same kind: of a shelf they all say the same. */
interface Group {
  names: string;
  refusal: Refusal;
  possible: string | undefined;
  dark: string[];
}

/**
 * A table of who is refused, with when it will be possible and who would go dark where that is the matter; and below it the
 * reasons in full: they are what one came for.
 */
export async function printRefusals(io: Io, refused: readonly Refusal[]): Promise<void> {
  const groups = await grouped(refused, io.now());
  const columns = allColumns.filter(
    ({ always, cell }) => always || groups.some((group) => [cell(group) ?? []].flat().length > 0),
  );
  // No colours: it is not known where standard error goes.
  io.err(table(columns, groups, { columns: io.columns, colour: false }));
  io.err('');
  for (const { names, refusal } of groups) io.err(plain(`${names}: ${reasonOf(refusal)}`));
}

async function grouped(refused: readonly Refusal[], now: number): Promise<Group[]> {
  const alike = new Map<string, Refusal[]>();
  for (const refusal of refused) {
    const { code, dark } = refusal;
    const key = JSON.stringify([code, possible(refusal, now), dark, reasonOf(refusal)]);
    alike.set(key, [...(alike.get(key) ?? []), refusal]);
  }
  const groups: Group[] = [];
  for (const each of alike.values()) {
    const [refusal] = each;
    if (refusal === undefined) continue;
    const names = await folded(each.map(({ target }) => target));
    // Items of a list are what a narrow terminal leaves out.
    const dark = foldedItems(await folded(refusal.dark ?? []));
    groups.push({ names, refusal, possible: possible(refusal, now), dark });
  }
  return groups;
}

/** Without the name in front of it. */
function reasonOf({ target, detail }: Refusal): string {
  return detail.startsWith(`${target}: `) ? detail.slice(target.length + 2) : detail;
}

/** When it will be; a moment ago is now. */
function possible({ until }: Refusal, now: number): string | undefined {
  if (until === undefined) return undefined;
  const time = Date.parse(until);
  return time <= now ? 'now' : relative(time, now);
}

const allColumns: (Column<Group> & { always?: true })[] = [
  { title: 'REFUSED', cell: ({ names }) => names, shrinkTo: 16, always: true },
  { title: 'WHY', cell: ({ refusal }) => refusal.code.replaceAll('-', ' '), always: true },
  { title: 'POSSIBLE', cell: (group) => group.possible },
  { title: 'GOES DARK', cell: ({ dark }) => dark, shrinkTo: 12 },
];
