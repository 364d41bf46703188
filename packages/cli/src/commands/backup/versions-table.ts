import type { Io } from '../../io.ts';
import { sizeText } from '../../output/size.ts';
import { type Column, printTable } from '../../output/table.ts';
import { relative, timestamp } from '../../output/time.ts';
import type { KnownVersion } from './reader.ts';

/** @param versions the newest first, as its number counts */
export function printVersions(io: Io, versions: readonly KnownVersion[]): void {
  const numbered = versions.map((version, number) => ({ version, number }));
  printTable(io, columns(io.now()), numbered.toReversed());
}

interface Row {
  version: KnownVersion;
  number: number;
}

function columns(now: number): Column<Row>[] {
  return [
    { title: 'VERSION', cell: ({ number }) => (number === 0 ? 'latest' : `latest~${number}`) },
    { title: 'READ', cell: ({ version }) => timestamp(new Date(version.time)), leaveOut: 3 },
    { title: 'AGE', cell: ({ version }) => relative(Date.parse(version.time), now) },
    {
      title: 'SIZE',
      cell: ({ version: { size } }) => (size === undefined ? undefined : sizeText(size)),
      align: 'right',
      leaveOut: 1,
    },
    { title: 'WHAT', cell: ({ version }) => whatText(version), shrinkTo: 16 },
    {
      title: 'BY',
      cell: ({ version: { by, changedBy } }) => changedBy ?? by,
      shrinkTo: 8,
      leaveOut: 2,
    },
    { title: 'ID', cell: ({ version: { id } }) => shortVersionId(id), shrinkTo: 12, leaveOut: 0 },
  ];
}

/** Enough of it to name it: of a commit, or of an object off site. */
export function shortVersionId(id: string): string {
  const object = /^(\d{4}-\d\d-\d\d-.+-[0-9a-f]{12})[0-9a-f]{28}\.gz(?:\.age)?$/.exec(id);
  if (object?.[1] !== undefined) return object[1];
  return /^[0-9a-f]{40,64}$/.test(id) ? id.slice(0, 12) : id;
}

/** `changed (+3 -1): new vlan for the lab`. */
function whatText({ device, summary, reason }: KnownVersion): string | undefined {
  const what = summary?.startsWith(`${device}: `) ? summary.slice(device.length + 2) : summary;
  return [what, reason].filter((part) => part !== undefined && part !== '').join(': ') || undefined;
}
