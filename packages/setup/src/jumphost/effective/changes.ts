/** Decides which changes by others since `prepare` are problems: those that affect boot, units, root, access or packets. */
import { basename, dirname } from 'node:path/posix';
import { parseJson } from '@skolo/base';
import { existingUnitsFolder } from '@skolo/rack/jumphost';
import { type Check, type Host, linesOf, type Step } from '@skolo/setup/engine';
import { z } from 'zod';
import { isOfCluster, respondingCluster } from './facts.ts';
import { type Found, findOn } from './files.ts';
import {
  afterInterruption,
  type Change,
  changesSince,
  foreign,
  type Recorded,
  readRecord,
  withThose,
  writeRecord,
} from './record.ts';
import { unitsThatMatter } from './units.ts';

/** Besides jobs and programs that decide by their content or name. */
const ofRoot =
  /^\/(usr\/(?!local\/)|usr\/local\/s?bin\/(k3s|skolo)|etc\/(ld\.so\.(preload|conf)|rc\.local|binfmt|polkit|alternatives)|opt\/skolo|root\/\.config|var\/lib\/systemd)/;

/** Every other change is information. The patterns are of paths and of facts (facts.ts). */
const decisive: readonly [what: string, names: RegExp][] = [
  [
    'which units run, and how',
    /\/systemd\/(?!network\/)|^systemd environment |^apt |^\/etc\/(init\.d|default\/(?!grub)|apt|chrony|environment)|^\S*\/rancher\//,
  ],
  [
    'how the jumphost boots',
    /^\/(boot|vmlinuz|initrd|etc\/(fstab|crypttab|adjtime|hostname|mod(ules|probe)|initramfs|default\/grub|grub|sysctl|udev|network|netplan|NetworkManager|cloud)|.*\/(sysctl|modprobe|udev|systemd\/network))|^mount /,
  ],
  [
    'who can become root or sign in',
    /^\/(root\/\.ssh|etc\/(ssh|pam|security|sudo|passwd|group|g?shadow|nsswitch|hosts\.|nologin|login)|run\/nologin)|^\S+ (is|has|accepts|runs|of|trusts) |^sudoers: /,
  ],
  ['what root runs', ofRoot],
  ['where packets go', /^(nft|ip6?tables-legacy:|ip|sysctl) /],
  // Those in namespaces of others do not affect skolo.
  ['what the cluster permits', /^object (?!.* in (?!skolo|kube-)\S+, by )/],
];

/** By which a unit starts. */
const startLink = /\.(wants|requires)\/[^/]+$/;

/** Other tables drop packets that the rack may need, so even a fresh `prepare` does not accept them. */
const drops = /^(nft|ip6?tables).*(drop|reject)/i;

interface ChangesNeeds {
  /** What the operator confirms: paths, and facts as they are printed. */
  kept: readonly string[];
  now(): number;
}

export function changesStep({ kept, now }: ChangesNeeds): Step {
  return {
    name: 'changes',
    isAlone: true,
    about: 'nobody else has changed what decides about boot, units, access and packets',
    async check(host) {
      const record = await readRecord(host);
      if (record === undefined) return { differs: ['what prepare leaves is not recorded yet'] };
      if (record.changing !== undefined)
        return { differs: ['prepare was interrupted before it recorded its changes'] };
      const found = await findOn(host, record);
      const unseen = unseenIn(record, found).length > 0;
      const changes = changesSince(record, found);
      const confirmed = changes.filter(({ name }) => kept.includes(name));
      const others = changes.filter(({ name }) => !kept.includes(name));
      const differs = confirmed.map(textOf);
      if (unseen) differs.push('objects in the cluster are not recorded yet');
      return { differs, ...judge(others, record.at, await existingUnits(host), found.deciding) };
    },
    async apply(host) {
      const record = await readRecord(host);
      const found = await findOn(host, record);
      const before = record ? afterInterruption(record, found) : fresh(found, now());
      const known = withThose(before, [...kept, ...unseenIn(before, found)], found);
      await writeRecord(host, known);
    },
  };
}

/** Objects of a cluster that did not respond when the rest was recorded. */
function unseenIn({ facts }: Recorded, found: Found): string[] {
  return facts.includes(respondingCluster) ? [] : found.facts.filter(isOfCluster);
}

/** Everything that a first `prepare` accepts without being asked. */
function fresh({ entries, facts }: Found, now: number): Recorded {
  const accepted = Object.entries(entries).filter(([path]) => !foreign.test(path));
  return {
    version: 3,
    at: new Date(now).toISOString(),
    entries: Object.fromEntries(accepted),
    facts: facts.filter((fact) => !drops.test(fact)),
  };
}

/** Of an existing system, which the step `existing-system` judges, also after a cut-over to skolo. */
async function existingUnits(host: Host): Promise<ReadonlySet<string>> {
  const lines = linesOf(await host.need(`cat ${existingUnitsFolder}/*.json 2>/dev/null || true`));
  return new Set(lines.flatMap((line) => Units.safeParse(parseJson(line)).data ?? []));
}

const Units = z.array(z.string());

function judge(
  changes: readonly Change[],
  since: string,
  existing: ReadonlySet<string>,
  deciding: ReadonlySet<string>,
): Pick<Check, 'byHand' | 'note'> {
  const left = new Set(changes);
  const byHand = decisive.flatMap(([what, names]) => {
    const some = [...left].filter(
      (each) =>
        (names.test(each.name) || (names === ofRoot && deciding.has(each.name))) &&
        !isForeignStop(each) &&
        !isOf(existing, each),
    );
    for (const each of some) left.delete(each);
    if (some.length === 0) return [];
    return [
      `others have changed what decides ${what}: ${listed(some)}; undo each change, or confirm it with prepare --keep-change, followed by its path or text`,
    ];
  });
  const others =
    left.size === 0 ? '' : `changed by others since ${since.slice(0, 16)}Z: ${listed([...left])}`;
  if (byHand.length === 0) return { note: others };
  return { byHand: [...byHand, ...(others === '' ? [] : [`information: ${others}`])] };
}

/** A unit of others no longer starts, such as that of an existing system after `skolo jumphost rollback --cut-over`. */
function isForeignStop({ name, after }: Change): boolean {
  return after === undefined && startLink.test(name) && !unitsThatMatter.test(name);
}

/** Its file, its drop-ins, or the link by which it starts. */
function isOf(units: ReadonlySet<string>, { name }: Change): boolean {
  return units.has(basename(name)) || units.has(basename(dirname(name), '.d'));
}

function listed(changes: readonly Change[], most = 20): string {
  const shown = changes.slice(0, most).map(textOf).join(', ');
  return changes.length > most ? `${shown}, ${changes.length - most} more` : shown;
}

function textOf({ name, before, after, seconds, user }: Change): string {
  if (before === undefined && after === undefined) return `\`${name}\``;
  const time = new Date(seconds * 1000).toISOString().slice(0, 16);
  if (after === undefined) return `${name} was removed`;
  const isSame = before?.type === after.type && before.content === after.content;
  const added = programsOfPackages.test(name) ? 'added or changed' : 'added';
  const how = before === undefined ? added : 'changed';
  const what = isSame
    ? `has mode ${after.mode} and owner ${after.owner} instead of ${before.mode} and ${before.owner}`
    : `was ${how}`;
  return `${name} ${what} (owner ${user}, ${time}Z)`;
}

/** They are not recorded. */
const programsOfPackages = /^\/usr\/(?!local\/)/;
