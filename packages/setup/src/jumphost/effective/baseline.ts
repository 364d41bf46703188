/**
 * Decides which files of a jumphost are recorded, to find later changes by others: those that decide how it boots, which units run and
 * who can sign in. Each step of `prepare` records what it has changed, so everything else that differs from the record was changed by
 * somebody else, or by a package.
 */
import { dirname } from 'node:path/posix';
import { parseJson } from '@skolo/base';
import { type Host, linesOf, type Step } from '@skolo/setup/engine';
import { z } from 'zod';

const recordFile = '/var/lib/skolo-steps/prepared.json';

/**
 * Configuration, and programs that precede the distribution's. skolo's and k3s's programs write in the excluded folders, and other steps
 * check them. `.git` belongs to etckeeper, a name that ends with `-` is a backup by passwd(1), and systemd ignores the links of init
 * scripts that have a unit.
 */
const places = `/etc /boot /boot/firmware /vmlinuz /initrd.img /lib/systemd /lib/udev /lib/modprobe.d /usr/lib/sysctl.d /usr/lib/tmpfiles.d \\
  /usr/local/bin /usr/local/sbin /usr/local/etc /usr/local/lib/systemd \\
  /run/systemd/system /run/systemd/system.control /run/systemd/network /run/udev/rules.d /run/sysctl.d /run/modprobe.d \\
  /root/.ssh/authorized_keys /root/.ssh/rc /root/.ssh/environment /root/.bashrc /root/.profile /root/.bash_profile`;
const excluded = `-path /etc/skolo -o -path /etc/rancher/node -o -path /etc/rancher/k3s/k3s.yaml -o -path '/etc/rc?.d' -o -name .git -o -name grubenv -o -name '*-'`;

/** Large files, such as images of a file system, are compared by size. */
const mostHashed = '64M';
const deadlineMs = 120_000;

const script = `exec 2>/dev/null
printf 'now\\t%s\\n' "$(date +%s)"
zcat -f /var/log/apt/history.log* | awk '/^Start-Date/ { start = $2 " " $3 } /^End-Date/ { print start; print $2 " " $3 }' | date -f - +%s | paste - - | sed 's/^/run\\t/'
find /root /root/.ssh -maxdepth 0 -printf 'd\\t%m\\t%U:%G\\t%C@\\t%u\\t%p\\t\\n'
find ${places} -xdev \\( ${excluded} \\) -prune -o \\( -type f -size -${mostHashed} -printf 'f\\t%m\\t%U:%G\\t%C@\\t%u\\t%p\\t\\n' -o -type f -printf 'f\\t%m\\t%U:%G\\t%C@\\t%u\\t%p\\t%s\\n' -o -type d -printf 'd\\t%m\\t%U:%G\\t%C@\\t%u\\t%p\\t\\n' -o -printf '%y\\t777\\t%U:%G\\t%C@\\t%u\\t%p\\t%l\\n' \\)
find ${places} -xdev \\( ${excluded} \\) -prune -o -type f -size -${mostHashed} -print0 | xargs -0r sha256sum
true`;

const Entry = z.strictObject({
  type: z.string(),
  mode: z.string(),
  /** Numbers: `0:0`. */
  owner: z.string(),
  /** The hash of a file, or the target of a link. */
  content: z.string(),
});
type Entry = z.infer<typeof Entry>;

/** By path. */
type Entries = Record<string, Entry>;

interface Found {
  entries: Entries;
  /** By path: when each was changed, in seconds since 1970, and its owner's name. */
  changed: Map<string, { seconds: number; user: string }>;
  /** When apt changed packages: from, to. */
  packageRuns: [number, number][];
  /** Of its clock, in seconds since 1970. */
  now: number;
}

const Recorded = z.strictObject({
  version: z.literal(1),
  /** When all of it was recorded. */
  at: z.iso.datetime(),
  /** A step has begun to change files, and has not recorded them yet: since when, in seconds since 1970. */
  changing: z.number().exactOptional(),
  entries: z.record(z.string(), Entry),
});
type Recorded = z.infer<typeof Recorded>;

export async function filesOf(host: Host): Promise<Found> {
  const found: Found = { entries: {}, changed: new Map(), packageRuns: [], now: 0 };
  for (const line of linesOf(await host.need(script, { deadlineMs }))) {
    const [, sum, summed] = /^([0-9a-f]{64}) {2}(.+)$/.exec(line) ?? [];
    const [type = '', mode = '', owner = '', time = '', user = '', path = '', content = ''] =
      line.split('\t');
    const hashed = found.entries[summed ?? ''];
    if (type === 'now') found.now = Number(mode);
    else if (type === 'run') found.packageRuns.push([Number(mode), Number(owner)]);
    else if (hashed !== undefined && sum !== undefined) hashed.content = sum;
    else if (path !== '') {
      found.entries[path] = { type, mode, owner, content };
      found.changed.set(path, { seconds: Number(time), user });
    }
  }
  return found;
}

/** Undefined if there is none, or it is damaged. */
export async function readRecord(host: Host): Promise<Recorded | undefined> {
  return Recorded.safeParse(parseJson((await host.read(recordFile)) ?? '')).data;
}

export async function writeRecord(host: Host, record: Recorded): Promise<void> {
  await host.write({ path: recordFile, content: JSON.stringify(record), mode: 0o600 });
}

/** The step, which records the files that it changes. */
export function recorded(step: Step): Step {
  const { apply } = step;
  if (apply === undefined) return step;
  return {
    ...step,
    async apply(host) {
      const record = await readRecord(host);
      if (record === undefined) return await apply(host);
      const before = await filesOf(host);
      const known = afterInterruption(record, before);
      // If this run is interrupted, what changes from now on is its work.
      await writeRecord(host, { ...known, changing: before.now });
      try {
        await apply(host);
      } finally {
        const { entries } = await filesOf(host);
        const changed = differing(before.entries, entries);
        await writeRecord(host, { ...known, entries: withThose(known.entries, changed, entries) });
      }
    },
  };
}

/** The record, with the files that an interrupted run has changed. */
export function afterInterruption({ changing, ...record }: Recorded, found: Found): Recorded {
  if (changing === undefined) return record;
  const own = changesSince(record.entries, found).filter(({ seconds }) => seconds >= changing);
  const paths = own.map(({ path }) => path);
  return { ...record, entries: withThose(record.entries, paths, found.entries) };
}

function withThose(entries: Entries, paths: readonly string[], from: Entries): Entries {
  const kept = { ...entries };
  for (const path of paths) {
    if (from[path] === undefined) delete kept[path];
    else kept[path] = from[path];
  }
  return kept;
}

function differing(before: Entries, after: Entries): string[] {
  const paths = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...paths].filter((path) => textOf(before[path]) !== textOf(after[path])).sort();
}

function textOf(entry: Entry | undefined): string {
  return entry ? Object.values(entry).join(' ') : '';
}

export interface Change {
  path: string;
  before: Entry | undefined;
  after: Entry | undefined;
  /** In seconds since 1970; of a removed file, of its folder. */
  seconds: number;
  /** Owner of the file now. */
  user: string;
}

/** Differences from the record that no package has made. A reboot clears /run. */
export function changesSince(record: Entries, { entries, changed, packageRuns }: Found): Change[] {
  return differing(record, entries).flatMap((path) => {
    const [before, after] = [record[path], entries[path]];
    const { seconds = 0, user = '' } = changed.get(after ? path : dirname(path)) ?? {};
    const isOfPackage = packageRuns.some(([from, to]) => from <= seconds && seconds < to + 1);
    const isCleared = after === undefined && path.startsWith('/run/');
    // Its files count.
    const isFolder =
      (before ?? after)?.type === 'd' && (before === undefined || after === undefined);
    return isOfPackage || isCleared || isFolder ? [] : [{ path, before, after, seconds, user }];
  });
}
