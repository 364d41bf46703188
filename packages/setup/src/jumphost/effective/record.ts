/**
 * Decides whose a file or fact of a jumphost is: a package's, skolo's, or somebody's. Each step of `prepare` records what it has changed,
 * and a package's files match the checksums of dpkg and ucf, so the rest is somebody's.
 */
import { dirname } from 'node:path/posix';
import { parseJson } from '@skolo/base';
import type { Host, Step } from '@skolo/setup/engine';
import { z } from 'zod';
import { isOfCluster, respondingCluster } from './facts.ts';
import { type Entries, Entry, type Found, findOn, ofFacts } from './files.ts';

const recordFile = '/var/lib/skolo-steps/prepared.json';

/** What programs of packages write for themselves. A kernel's command line is the step `boot`'s. */
const generated =
  /^\/etc\/(ld\.so\.cache|mailcap|mtab|localtime|timezone|shells|sub[ug]id|\.pwd\.lock|\.updated|ca-certificates\.conf|locale\.gen|default\/locale|udev\/hwdb\.bin|(ssl\/certs|alternatives|ucf|console-setup|dictionaries-common)\/.+)$|^\/(vmlinuz|initrd\.img)(\.old)?$|^\/boot\/(grub\/.+|initrd\.img-.+|firmware\/(vmlinuz|initrd|overlays\/|.+\.(dtb|dat|elf|bin)$).*)/;
const Recorded = z.strictObject({
  version: z.literal(3),
  /** When all of it was recorded. */
  at: z.iso.datetime(),
  /** A step has begun to change files, and has not recorded them yet: since when, in seconds since 1970, and what the facts were. */
  changing: z.strictObject({ since: z.number(), facts: z.array(z.string()) }).exactOptional(),
  entries: z.record(z.string(), Entry),
  /** Sorted. */
  facts: z.array(z.string()),
});
export type Recorded = z.infer<typeof Recorded>;

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
      const changing = { since: before.now, facts: before.facts };
      await writeRecord(host, { ...known, changing });
      try {
        await apply(host);
      } finally {
        const after = await findOn(host, record);
        const names = [
          ...differing(before.entries, after.entries),
          ...differingFacts(before.facts, after.facts),
        ];
        await writeRecord(host, withThose(known, names, after));
      }
    },
  };
}

/** The record, with the files and facts that an interrupted run has changed. */
export function afterInterruption({ changing, ...record }: Recorded, found: Found): Recorded {
  if (changing === undefined) return record;
  const files = changesSince(record, found).filter(({ seconds }) => seconds >= changing.since);
  const names = files.map(({ name }) => name);
  return withThose(record, [...names, ...differingFacts(changing.facts, found.facts)], found);
}

/** The record, in which these paths and facts are as they were found. */
export function withThose(record: Recorded, names: readonly string[], found: Found): Recorded {
  const entries = { ...record.entries };
  const [facts, are] = [new Set(record.facts), new Set(found.facts)];
  for (const name of names) {
    const entry = found.entries[name];
    if (entry === undefined) delete entries[name];
    else entries[name] = entry;
    if (are.has(name)) facts.add(name);
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

/** A step that starts k3s has not created the objects that are visible from then on. */
function differingFacts(before: readonly string[], after: readonly string[]): string[] {
  const [was, is] = [new Set(before), new Set(after)];
  const isSeen = was.has(respondingCluster) && is.has(respondingCluster);
  const facts = [
    ...before.filter((fact) => !is.has(fact)),
    ...after.filter((fact) => !was.has(fact)),
  ];
  return facts.filter((fact) => isSeen || !isOfCluster(fact));
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
    const isUncompared = isOfCluster(fact) && !known.has(respondingCluster);
    // A new kernel may have more settings.
    const setting = /^sysctl \S+ /.exec(fact)?.[0] ?? '';
    const isOfKernel = setting !== '' && !facts.some((each) => each.startsWith(setting));
    const isSilent = known.has(fact) || isOfNew || isUncompared || isOfKernel;
    return !isSilent && !fact.startsWith('package ');
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
  const isForeignLink = alternative.test(path) && after && !ofPackages.test(after.content);
  if (foreign.test(path) || isForeignLink) return false;
  if (after === undefined)
    return !missing.has(path) && (before?.isPackaged === true || generated.test(path));
  const isSameMode =
    before === undefined
      ? after.type === 'l' || (Number.parseInt(after.mode, 8) & 0o6022) === 0
      : before.mode === after.mode && before.owner === after.owner;
  const isLinkToPackages = after.type === 'l' && after.content.startsWith('/etc/alternatives/');
  return isSameMode && (after.isPackaged === true || generated.test(path) || isLinkToPackages);
}

const alternative = /^\/etc\/alternatives\//;
const ofPackages = /^\/(usr\/(?!local\/)|etc\/|s?bin\/|lib)/;

/** A fresh `prepare` leaves no drop-ins of others for skolo's units, k3s and its settings, or all units of a type. */
export const foreign =
  /\/systemd\/system[^/]*\/((skolo-|k3s)[^/]*\.d|service\.d|timer\.d|path\.d|target\.d)\/(?!skolo-)|^\/etc\/rancher\/k3s\/config\.yaml\.d\//;
