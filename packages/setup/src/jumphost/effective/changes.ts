/** Decides which changes by others since `prepare` are problems: those that affect how the jumphost boots, what runs or who can sign in. */
import { basename, dirname } from 'node:path/posix';
import { parseJson, shellWord } from '@skolo/base';
import { existingUnitsFolder } from '@skolo/rack/jumphost';
import { type Check, type Host, linesOf, type Step } from '@skolo/setup/engine';
import { z } from 'zod';
import {
  afterInterruption,
  type Change,
  changesSince,
  filesOf,
  readRecord,
  writeRecord,
} from './baseline.ts';
import { unitsThatMatter } from './units.ts';

/** Every other change is information. */
const decisive: readonly [what: string, paths: RegExp][] = [
  [
    'which units run, and how',
    /\/systemd\/(?!network\/)|^\/etc\/(init\.d|default\/(?!grub)|apt|chrony|environment|rancher)|^\/usr\/local\/s?bin/,
  ],
  [
    'how the jumphost boots',
    /^\/(boot|vmlinuz|initrd|etc\/(fstab|crypttab|hostname|mod(ules|probe)|initramfs|default\/grub|grub|sysctl|udev|network|netplan|NetworkManager|cloud|ld\.so\.(preload|conf))|.*\/(sysctl|modprobe|udev|systemd\/network))/,
  ],
  [
    'who can sign in',
    /^\/(root|etc\/(ssh|pam|security|sudo|passwd|group|g?shadow|nsswitch|hosts|nologin|login|shells|profile|bash))/,
  ],
];

/** A fresh `prepare` leaves no drop-ins of others for skolo's units, k3s, or all units of a type. */
const foreign =
  /\/systemd\/system[^/]*\/((skolo-|k3s)[^/]*\.d|service\.d|timer\.d|path\.d|target\.d)\/(?!skolo-)/;

/** By which a unit starts. */
const startLink = /\.(wants|requires)\/[^/]+$/;

interface ChangesNeeds {
  /** The operator confirms all changes. */
  keepsChanges: boolean;
  now(): number;
}

export function changesStep({ keepsChanges, now }: ChangesNeeds): Step {
  return {
    name: 'changes',
    about: 'nobody else has changed what decides about boot, units and access',
    async check(host) {
      const record = await readRecord(host);
      if (record === undefined) return { differs: ['what prepare leaves is not recorded yet'] };
      if (record.changing !== undefined)
        return { differs: ['prepare was interrupted before it recorded its changes'] };
      const changes = changesSince(record.entries, await filesOf(host));
      if (!keepsChanges) return judge(changes, record.at, await existingUnits(host));
      return { differs: changes.map(textOf) };
    },
    async apply(host) {
      const record = await readRecord(host);
      const found = await filesOf(host);
      if (record === undefined || keepsChanges) {
        const kept = Object.entries(found.entries).filter(
          ([path]) => keepsChanges || !foreign.test(path),
        );
        const at = new Date(now()).toISOString();
        await writeRecord(host, { version: 1, at, entries: Object.fromEntries(kept) });
        return;
      }
      const known = afterInterruption(record, found);
      await writeRecord(host, known);
      const repairs = changesSince(known.entries, found).flatMap((each) => repairOf(each) ?? []);
      if (repairs.length > 0)
        await host.need(`set -e\n${repairs.join('\n')}\nsystemctl daemon-reload`);
    },
  };
}

/** Of an existing system, which the step `existing-system` judges, also after a cut-over to skolo. */
async function existingUnits(host: Host): Promise<ReadonlySet<string>> {
  const lines = linesOf(await host.need(`cat ${existingUnitsFolder}/*.json 2>/dev/null || true`));
  return new Set(lines.flatMap((line) => Units.safeParse(parseJson(line)).data ?? []));
}

const Units = z.array(z.string());

function judge(changes: readonly Change[], since: string, existing: ReadonlySet<string>): Check {
  const repairable = changes.filter((each) => repairOf(each) !== undefined);
  const left = new Set(changes.filter((each) => repairOf(each) === undefined));
  const byHand = decisive.flatMap(([what, paths]) => {
    const some = [...left].filter(
      (each) => paths.test(each.path) && !isForeignStop(each) && !isOf(existing, each),
    );
    for (const each of some) left.delete(each);
    if (some.length === 0) return [];
    return [
      `others have changed files that decide ${what}: ${listed(some)}; undo each change, or run prepare with --keep-changes if all are intended`,
    ];
  });
  const others =
    left.size === 0 ? '' : `changed by others since ${since.slice(0, 16)}Z: ${listed([...left])}`;
  if (repairable.length + byHand.length === 0) return { differs: [], note: others };
  return {
    differs: repairable.map(textOf),
    byHand: [...byHand, ...(others === '' ? [] : [`information: ${others}`])],
  };
}

/** A unit of others no longer starts, such as that of an existing system after `skolo jumphost rollback --cut-over`. */
function isForeignStop({ path, after }: Change): boolean {
  return after === undefined && startLink.test(path) && !unitsThatMatter.test(path);
}

/** Its file, its drop-ins, or the link by which it starts. */
function isOf(units: ReadonlySet<string>, { path }: Change): boolean {
  return units.has(basename(path)) || units.has(basename(dirname(path), '.d'));
}

const mostListed = 20;

function listed(changes: readonly Change[]): string {
  const shown = changes.slice(0, mostListed).map(textOf).join(', ');
  return changes.length > mostListed ? `${shown}, ${changes.length - mostListed} more` : shown;
}

function textOf({ path, before, after, seconds, user }: Change): string {
  const time = new Date(seconds * 1000).toISOString().slice(0, 16);
  if (after === undefined) return `${path} was removed (${time}Z)`;
  const isSame = before?.type === after.type && before.content === after.content;
  const how = before === undefined ? 'added' : 'changed';
  const what = isSame
    ? `has mode ${after.mode} and owner ${after.owner} instead of ${before.mode} and ${before.owner}`
    : `was ${how}`;
  return `${path} ${what} (owner ${user}, ${time}Z)`;
}

/** A command that restores a mode, an owner, or the link by which a unit that matters starts; undefined if only its content could. */
function repairOf({ path, before, after }: Change): string | undefined {
  if (before === undefined || !decisive.some(([, paths]) => paths.test(path))) return undefined;
  const file = shellWord(path);
  if (before.type === 'l' && startLink.test(path) && unitsThatMatter.test(path))
    return `mkdir -p ${shellWord(dirname(path))} && ln -sfn ${shellWord(before.content)} ${file}`;
  if (after === undefined || before.type !== after.type || before.type === 'l') return undefined;
  if (before.content !== after.content) return undefined;
  return `chown ${before.owner} ${file} && chmod ${before.mode} ${file}`;
}
