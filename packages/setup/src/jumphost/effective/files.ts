/** Lists the files and facts of a jumphost, and which files belong to packages. */
import { script } from '@skolo/base';
import { type Host, linesOf } from '@skolo/setup/engine';
import { z } from 'zod';
import { factsScript } from './facts.ts';

/**
 * Configuration, and programs that precede the distribution's. skolo's and k3s's programs write in the excluded folders, and other steps
 * check them. `.git` belongs to etckeeper, a name that ends with `-` is a backup by passwd(1), and systemd ignores the links of init
 * scripts that have a unit. Only units of systemd-run are transient by order of somebody.
 */
const places = `/etc /boot /boot/firmware /vmlinuz /initrd.img /lib/systemd /lib/udev /lib/modprobe.d /usr/lib/sysctl.d /usr/lib/tmpfiles.d \\
  /usr/bin/node /usr/local/bin /usr/local/sbin /usr/local/etc /usr/local/lib/systemd /opt /var/spool/cron \\
  /run/systemd/system /run/systemd/system.control /run/systemd/shutdown /run/systemd/transient /run/systemd/network /run/udev/rules.d /run/sysctl.d /run/modprobe.d /run/nologin \\
  /var/lib/rancher/k3s/server/manifests /var/lib/rancher/k3s/agent/etc/containerd/*.tmpl /root/.config/systemd /var/lib/systemd/linger \\
  /root/.ssh/authorized_keys /root/.ssh/rc /root/.ssh/environment /root/.profile /root/.bash[_r][!h]*`;
const excluded = `-path /etc/skolo -o -path '/opt/skolo/*/*' -o -path /etc/rancher/node -o -path /etc/rancher/k3s/k3s.yaml -o -path '/etc/rc?.d' -o -path '/run/systemd/transient/*.s[cl]*' -o -path '/run/systemd/transient/*.mount' -o -path '/run/systemd/transient/skolo-*' -o -name .git -o -name grubenv -o -name '*-'`;
/** Files of packages that root runs or trusts: too many to record, so only those that are newer than the record are looked at. */
const ofPackages = `/usr -xdev -path /usr/local -prune -o \\( -type f -o -type l \\) \\( -perm /111 -o -name '*.so*' -o -name '*.p[lmyt]*' -o -path '*.d/*' -o -path '/usr/share/keyrings/*' -o -path '/usr/share/dbus-1/*' \\) ! -name '*.pyc'`;

const deadlineMs = 120_000;

/** @param since in seconds since 1970 */
function listScript(since: number): string {
  const fields = '%y\\t%m\\t%U:%G\\t%C@\\t%u\\t%p\\t%s\\t%l\\n';
  return `exec 2>/dev/null
export LC_ALL=C
printf 'now\\t%s\\n' "$(date +%s)"
find /root /root/.ssh -maxdepth 0 -printf '${fields}'
find ${places} -xdev \\( ${excluded} \\) -prune -o -printf '${fields}'
find ${ofPackages} -newerct @${since} -printf '${fields}'
${factsScript}
true`;
}

const owners = script(new URL('./owners.sh', import.meta.url));

/** Their lines are facts, so that other lines may change. */
export const ofFacts =
  /^\/etc\/((passwd|group|g?shadow|sudoers)$|sudoers\.d\/)|\/authorized_keys2?$/;

export const Entry = z.strictObject({
  type: z.string(),
  mode: z.string(),
  /** Numbers: `0:0`. */
  owner: z.string(),
  /** The hash of a file, or the target of a link. */
  content: z.string(),
  /** Of its last change, and its size; of a link its target. While it is the same, the file is not read again. */
  stamp: z.string(),
  isPackaged: z.literal(true).exactOptional(),
});
export type Entry = z.infer<typeof Entry>;

/** By path. */
export type Entries = Record<string, Entry>;

export interface Found {
  entries: Entries;
  /** Sorted. */
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

/** @param record whose files are read again only if they have changed */
export async function findOn(
  host: Host,
  record?: { at: string; entries: Entries },
): Promise<Found> {
  const known = record?.entries ?? {};
  const since = record === undefined ? Date.now() : Date.parse(record.at);
  const text = await host.need(listScript(Math.floor(since / 1000)), { deadlineMs });
  const entries: Entries = {};
  const changed: Found['changed'] = new Map();
  const facts = new Set<string>();
  const asked: string[] = [];
  let now = 0;
  for (const line of linesOf(text)) {
    const [type = '', mode = '', owner = '', time = '', user = '', path = '', size = '', to = ''] =
      line.split('\t');
    if (type === 'now') now = Number(mode);
    else if (type === 'fact') facts.add(mode);
    else if (path !== '') {
      const isLink = type === 'l';
      const stamp = isLink ? to : type === 'f' ? `${time} ${size}` : '';
      const entry = { type, mode: isLink ? '777' : mode, owner, content: isLink ? to : '', stamp };
      const before = known[path];
      const isSame = before?.stamp === stamp && before.type === type;
      entries[path] = isSame ? { ...before, mode: entry.mode, owner } : entry;
      if (!isSame && type !== 'd' && !ofFacts.test(path)) asked.push(path);
      changed.set(path, { seconds: Number(time), user });
    }
  }
  const gone = Object.keys(known).filter((path) => entries[path] === undefined);
  const said = await host.need(owners, {
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
