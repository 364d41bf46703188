/**
 * Decides whose a file or fact of a jumphost is: a package's, skolo's, or somebody's. Each step of `prepare` records what it has changed,
 * and a package's files match the checksums of dpkg and ucf, so the rest is somebody's.
 */
import { dirname } from 'node:path/posix';
import { parseJson } from '@skolo/base';
import { type Host, linesOf, type Step } from '@skolo/setup/engine';
import { z } from 'zod';
import { factsScript } from './facts.ts';

const recordFile = '/var/lib/skolo-steps/prepared.json';

/**
 * Configuration, and programs that precede the distribution's. skolo's and k3s's programs write in the excluded folders, and other steps
 * check them. `.git` belongs to etckeeper, a name that ends with `-` is a backup by passwd(1), and systemd ignores the links of init
 * scripts that have a unit. Only units of systemd-run are transient by order of somebody.
 */
const places = `/etc /boot /boot/firmware /vmlinuz /initrd.img /lib/systemd /lib/udev /lib/modprobe.d /usr/lib/sysctl.d /usr/lib/tmpfiles.d \\
  /usr/bin/node /usr/local/bin /usr/local/sbin /usr/local/etc /usr/local/lib/systemd /opt /var/spool/cron \\
  /run/systemd/system /run/systemd/system.control /run/systemd/shutdown /run/systemd/transient /run/systemd/network /run/udev/rules.d /run/sysctl.d /run/modprobe.d \\
  /root/.ssh/authorized_keys /root/.ssh/rc /root/.ssh/environment /root/.bashrc /root/.profile /root/.bash_profile`;
const excluded = `-path /etc/skolo -o -path /opt/skolo -o -path /etc/rancher/node -o -path /etc/rancher/k3s/k3s.yaml -o -path '/etc/rc?.d' -o -path '/run/systemd/transient/*.s[cl]*' -o -path '/run/systemd/transient/*.mount' -o -path '/run/systemd/transient/skolo-*' -o -name .git -o -name grubenv -o -name '*-'`;
/** Programs of packages that root runs: too many to record, so only those that are newer than the record are looked at. */
const programs =
  '/usr/bin /usr/sbin /usr/libexec /usr/lib/openssh /usr/lib/sudo /usr/lib/*/security';

const deadlineMs = 120_000;

/** @param since in seconds since 1970 */
function listScript(since: number): string {
  const fields = '%y\\t%m\\t%U:%G\\t%C@\\t%u\\t%p\\t%s\\t%l\\n';
  return `exec 2>/dev/null
export LC_ALL=C
printf 'now\\t%s\\n' "$(date +%s)"
find /root /root/.ssh -maxdepth 0 -printf '${fields}'
find ${places} -xdev \\( ${excluded} \\) -prune -o -printf '${fields}'
find ${programs} -xdev \\( -type f -o -type l \\) -newerct @${since} -printf '${fields}'
${factsScript}
true`;
}

/**
 * Prints which paths (its input) belong to packages according to dpkg, ucf and deb-systemd-helper, and the checksums of files. The folder
 * of a program may have another name in /usr, because Debian has merged them.
 */
const ownersScript = `exec 2>/dev/null
export LC_ALL=C
d=$(mktemp -d) && trap 'rm -r "$d"' EXIT
: > "$d/files"
enabled() { [ -e "/var/lib/systemd/deb-systemd-helper-enabled/\${1#/etc/systemd/system/}" ]; }
while IFS= read -r each; do
  if [ -L "$each" ]; then
    echo "$each" >> "$d/links"
    case $(readlink "$each") in
      /lib/systemd/system/* | /usr/lib/systemd/system/*) ! enabled "$each" || [ ! -e "$each" ] || printf 'own\\t%s\\n' "$each" ;;
    esac
  elif [ -f "$each" ]; then
    echo "$each" >> "$d/files"
    case $each in
      /etc/cron* | /var/spool/cron/*) ! grep -vE '^[[:space:]]*#' "$each" | grep -qE 'reboot|shutdown|poweroff|halt|kexec|systemctl|iptables|nft|skolo|k3s' || printf 'decides\\t%s\\n' "$each" ;;
      /usr/local/*bin/*) { [ ! -e "/usr/bin/\${each##*/}" ] && [ ! -e "/usr/sbin/\${each##*/}" ]; } || printf 'decides\\t%s\\n' "$each" ;;
    esac
  elif [ ! -e "$each" ]; then
    echo "$each" >> "$d/gone"
    ! enabled "$each" || printf 'listed\\t%s\\n' "$each"
  fi
done
xargs -rd '\\n' sha256sum -z < "$d/files" | tr '\\0' '\\n' | sed 's/^\\([0-9a-f]*\\)  /sum\\t\\1\\t/'
xargs -rd '\\n' md5sum -z < "$d/files" | tr '\\0' '\\n' > "$d/sums"
{ cat /var/lib/dpkg/info/*.md5sums; sed -n 's/^ \\(\\/[^ ]*\\) \\([0-9a-f]\\{32\\}\\).*/\\2  \\1/p' /var/lib/dpkg/status; cat /var/lib/ucf/hashfile; } > "$d/known"
key='function key(path) { sub("^/*", "", path); sub("^usr/", "", path); return path }'
awk "$key"'{ path = key(substr($0, 35)) } FNR == NR { sum[path] = $1; name[path] = substr($0, 35); next } sum[path] == $1 { print "own\\t" name[path] }' "$d/sums" "$d/known"
cat /var/lib/dpkg/info/*.list > "$d/listed"
for each in links gone; do
  [ -s "$d/$each" ] || continue
  awk -v word="$each" "$key"'FILENAME ~ "/known$" { isFile[key(substr($0, 35))] = 1; next } FILENAME ~ "/listed$" { path = key($0); if (path in name && !(word == "links" && path in isFile)) print (word == "links" ? "own" : "listed") "\\t" name[path]; next } { name[key($0)] = $0 }' "$d/$each" "$d/known" "$d/listed"
done
true`;

/** What programs of packages write for themselves. A kernel's command line is the step `boot`'s. */
const generated =
  /^\/etc\/(ld\.so\.cache|mailcap|mtab|localtime|timezone|shells|sub[ug]id|\.pwd\.lock|\.updated|ca-certificates\.conf|locale\.gen|default\/locale|udev\/hwdb\.bin|(ssl\/certs|alternatives|ucf|console-setup|dictionaries-common)\/.+)$|^\/(vmlinuz|initrd\.img)(\.old)?$|^\/boot\/(grub\/.+|initrd\.img-.+|firmware\/(vmlinuz|initrd|overlays\/|.+\.(dtb|dat|elf|bin)$).*)/;
/** Their lines are facts, so that other lines may change. */
const ofFacts = /^\/etc\/((passwd|group|g?shadow|sudoers)$|sudoers\.d\/)|\/authorized_keys2?$/;

const Entry = z.strictObject({
  type: z.string(),
  mode: z.string(),
  /** Numbers: `0:0`. */
  owner: z.string(),
  /** The hash of a file, or the target of a link. */
  content: z.string(),
  /** Of its last change, and its size: while they are the same, it is not read again. */
  stamp: z.string(),
  isPackaged: z.literal(true).exactOptional(),
});
type Entry = z.infer<typeof Entry>;

/** By path. */
type Entries = Record<string, Entry>;

export interface Found {
  entries: Entries;
  facts: string[];
  /** By path: when each was changed, in seconds since 1970, and its owner's name. */
  changed: Map<string, { seconds: number; user: string }>;
  /** Paths that are gone, although packages have them. */
  missing: ReadonlySet<string>;
  /** Paths whose content decides: what a cron job runs, or the name of another program. */
  deciding: ReadonlySet<string>;
  /** Of its clock, in seconds since 1970. */
  now: number;
}

const Recorded = z.strictObject({
  version: z.literal(2),
  /** When all of it was recorded. */
  at: z.iso.datetime(),
  /** A step has begun to change files, and has not recorded them yet: since when, in seconds since 1970. */
  changing: z.number().exactOptional(),
  entries: z.record(z.string(), Entry),
  /** Sorted. */
  facts: z.array(z.string()),
});
export type Recorded = z.infer<typeof Recorded>;

/** @param record whose files are read again only if they have changed */
export async function findOn(host: Host, record: Recorded | undefined): Promise<Found> {
  const since = record === undefined ? Date.now() : Date.parse(record.at);
  const text = await host.need(listScript(Math.floor(since / 1000)), { deadlineMs });
  const entries: Entries = {};
  const changed: Found['changed'] = new Map();
  const facts = new Set<string>();
  let now = 0;
  for (const line of linesOf(text)) {
    const [type = '', mode = '', owner = '', time = '', user = '', path = '', size = '', to = ''] =
      line.split('\t');
    if (type === 'now') now = Number(mode);
    else if (type === 'fact') facts.add(mode);
    else if (path !== '') {
      const isLink = type === 'l';
      const stamp = type === 'f' ? `${time} ${size}` : '';
      entries[path] = {
        type,
        mode: isLink ? '777' : mode,
        owner,
        content: isLink ? to : '',
        stamp,
      };
      changed.set(path, { seconds: Number(time), user });
    }
  }
  const known = record?.entries ?? {};
  const asked: string[] = [];
  for (const [path, entry] of Object.entries(entries)) {
    const before = known[path];
    const isSame =
      before !== undefined && before.stamp === entry.stamp && before.type === entry.type;
    if (entry.type === 'd' || ofFacts.test(path)) continue;
    if (isSame && (entry.type !== 'l' || before.content === entry.content)) {
      entries[path] = { ...entry, content: before.content, ...packaged(before.isPackaged) };
    } else asked.push(path);
  }
  const gone = Object.keys(known).filter((path) => entries[path] === undefined);
  const said = await host.need(ownersScript, {
    deadlineMs,
    input: [...asked, ...gone].map((path) => `${path}\n`).join(''),
  });
  const [missing, deciding] = [new Set<string>(), new Set<string>()];
  for (const line of linesOf(said)) {
    const [word = '', path = '', summed = ''] = line.split('\t');
    const entry = entries[word === 'sum' ? summed : path];
    if (word === 'sum' && entry !== undefined) entry.content = path;
    else if (word === 'own' && entry !== undefined) entry.isPackaged = true;
    else if (word === 'listed') missing.add(path);
    else if (word === 'decides') deciding.add(path);
  }
  return { entries, facts: [...facts].sort(), changed, missing, deciding, now };
}

function packaged(isPackaged: true | undefined): Pick<Entry, 'isPackaged'> {
  return isPackaged ? { isPackaged } : {};
}

/** Undefined if there is none, or it is damaged or of an earlier version. */
export async function readRecord(host: Host): Promise<Recorded | undefined> {
  return Recorded.safeParse(parseJson((await host.read(recordFile)) ?? '')).data;
}

export async function writeRecord(host: Host, record: Recorded): Promise<void> {
  await host.write({ path: recordFile, content: JSON.stringify(record), mode: 0o600 });
}

/** The step, which records what it changes. */
export function recorded(step: Step): Step {
  const { apply } = step;
  if (apply === undefined) return step;
  return {
    ...step,
    async apply(host) {
      const record = await readRecord(host);
      if (record === undefined) return await apply(host);
      const before = await findOn(host, record);
      const known = afterInterruption(record, before);
      // If this run is interrupted, what changes from now on is its work.
      await writeRecord(host, { ...known, changing: before.now });
      try {
        await apply(host);
      } finally {
        const after = await findOn(host, record);
        const names = [
          ...differing(before.entries, after.entries),
          ...[...before.facts, ...after.facts].filter(
            (fact) => before.facts.includes(fact) !== after.facts.includes(fact),
          ),
        ];
        await writeRecord(host, withThose(known, names, after));
      }
    },
  };
}

/** The record, with the files that an interrupted run has changed. Its facts have no time, so they are somebody's. */
export function afterInterruption({ changing, ...record }: Recorded, found: Found): Recorded {
  if (changing === undefined) return record;
  const own = changesSince(record, found).filter(({ seconds }) => seconds >= changing);
  return withThose(
    record,
    own.map(({ name }) => name),
    found,
  );
}

/** The record, in which these paths and facts are as they were found. */
export function withThose(record: Recorded, names: readonly string[], found: Found): Recorded {
  const entries = { ...record.entries };
  const facts = new Set(record.facts);
  for (const name of names) {
    const entry = found.entries[name];
    if (entry === undefined) delete entries[name];
    else entries[name] = entry;
    if (found.facts.includes(name)) facts.add(name);
    else facts.delete(name);
  }
  return { ...record, entries, facts: [...facts].sort() };
}

function differing(before: Entries, after: Entries): string[] {
  const paths = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...paths].filter((path) => textOf(before[path]) !== textOf(after[path])).sort();
}

function textOf(entry: Entry | undefined): string {
  return entry ? [entry.type, entry.mode, entry.owner, entry.content].join(' ') : '';
}

export interface Change {
  /** A path, or a fact. */
  name: string;
  before?: Entry | undefined;
  after?: Entry | undefined;
  /** In seconds since 1970, of a removed file its folder's; 0 for a fact, whose time is unknown. */
  seconds: number;
  /** Owner of the file now. */
  user: string;
}

/** Differences from the record that no package has made. A reboot clears /run. */
export function changesSince({ entries, facts }: Recorded, found: Found): Change[] {
  const files = differing(entries, found.entries).flatMap((name): Change[] => {
    const [before, after] = [entries[name], found.entries[name]];
    const { seconds = 0, user = '' } = found.changed.get(after ? name : dirname(name)) ?? {};
    const isCleared = after === undefined && name.startsWith('/run/');
    // Its files count, or its lines.
    const isCounted = (before ?? after)?.type === 'd' || ofFacts.test(name);
    const isSilent =
      isCleared ||
      (isCounted && (before === undefined || after === undefined)) ||
      isOfPackage(name, before, after, found.missing);
    return isSilent ? [] : [{ name, before, after, seconds, user }];
  });
  const known = new Set(facts);
  const added = found.facts.filter((fact) => {
    const [, owner] = /^\S+ of (\S+) (?:runs|has) /.exec(fact) ?? [];
    // A package that has been installed since may bring such files.
    const isOfNew = owner !== undefined && !known.has(`package ${owner}`);
    return !known.has(fact) && !fact.startsWith('package ') && !isOfNew;
  });
  return [...files, ...added.map((name) => ({ name, seconds: 0, user: '' }))];
}

/** dpkg keeps no modes, so another mode than the recorded one is somebody's. A drop-in for skolo's units is never a package's. */
function isOfPackage(
  path: string,
  before: Entry | undefined,
  after: Entry | undefined,
  missing: ReadonlySet<string>,
): boolean {
  if (foreign.test(path)) return false;
  if (after === undefined)
    return !missing.has(path) && (before?.isPackaged === true || generated.test(path));
  const isSameMode =
    before === undefined
      ? after.type === 'l' || (Number.parseInt(after.mode, 8) & 0o6022) === 0
      : before.mode === after.mode && before.owner === after.owner;
  const isLinkToPackages = after.type === 'l' && after.content.startsWith('/etc/alternatives/');
  return isSameMode && (after.isPackaged === true || generated.test(path) || isLinkToPackages);
}

/** A fresh `prepare` leaves no drop-ins of others for skolo's units, k3s, or all units of a type. */
export const foreign =
  /\/systemd\/system[^/]*\/((skolo-|k3s)[^/]*\.d|service\.d|timer\.d|path\.d|target\.d)\/(?!skolo-)/;
