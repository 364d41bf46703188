/**
 * Restores a jumphost's state from a copy to the spare: first its parts into a staging directory, where they are verified, then into
 * place. Each step may be interrupted and run again.
 */
import { dirname } from 'node:path';
import { nodeCommand, parseJson, script, withArguments } from '@skolo/base';
import type { Secret } from '@skolo/base/secrets';
import { neverArchived } from '@skolo/rack/jumphost';
import { type Host, type LocalFile, linesOf, type Step } from '@skolo/setup/engine';
import { removeAgent, unitFile } from '@skolo/setup/k3s';
import { z } from 'zod';
import { droppedSettings, knownSettings } from './known-settings.ts';
import {
  database,
  machineHistory,
  type Part,
  parts,
  placedPaths,
  settings,
  token,
} from './parts.ts';

/** On the same disk as /var/lib, so that a rename moves it into place. */
const folder = '/var/lib/skolo-replace';
export const staged = `${folder}/copy`;
/** Contains the ID of the copy that is complete in `staged`. */
const copied = `${folder}/copied`;
/** Contains the ID of the copy that is in place. */
const placed = `${folder}/placed`;
const unpacked = `${folder}/unpacked`;
/** In an archive: which jumphost it is from, and what was omitted. */
const aboutFile = 'skolo-jumphost.json';
const backupState = 'var/lib/skolo/router-backup';
const copyMs = 3_600_000;

/** The source of the old jumphost's state. */
export interface StateCopy {
  /** For people. */
  title: string;
  /** Unique for each copy. */
  id: string;
  /** RFC 3339, when it was made. */
  time: string;
  /**
   * A tar, as router-backup archives a jumphost, and whether it is authenticated; or the root of its disk, mounted on the spare. Only
   * the disk and an authenticated archive are trusted with the keys of the cluster.
   */
  from: { tar: LocalFile; isAuthenticated: boolean } | { disk: string };
  /** From an older archive, if that in `from` does not contain it. */
  history?: OlderHistory | undefined;
}

/** The machine history, as a file in a tar. */
export interface OlderHistory {
  /** RFC 3339, when its archive was made. */
  time: string;
  content: LocalFile;
  mode: number;
  uid: number;
  gid: number;
}

/** Whether the copy may contain the keys of the cluster. */
export function isTrusted({ from }: Pick<StateCopy, 'from'>): boolean {
  return 'disk' in from || from.isAuthenticated;
}

/** Copies its parts into a directory on the spare. */
export function copyStep(copy: StateCopy): Step {
  const { title, id, from, history } = copy;
  const stage = (place: string, how: 'disk' | 'foreign' | 'unpacked') =>
    withArguments(stageParts, place, staged, how, ...placedPaths(isTrusted(copy)), aboutFile);
  return {
    name: 'copy',
    about: `the old jumphost's state is copied from ${title}`,
    async check(host) {
      const found = await host.need(
        `cat ${placed} 2>/dev/null || cat ${copied} 2>/dev/null || true`,
      );
      return {
        differs: found.trim() === id ? [] : ['the copy is not on the spare yet'],
        note: title,
      };
    },
    async apply(host) {
      await host.need(`rm -rf ${folder} && mkdir -p -m 0700 ${folder} ${staged}`, {
        deadlineMs: copyMs,
      });
      let others: string;
      if ('disk' in from)
        others = await host.need(stage(from.disk, 'disk'), { deadlineMs: copyMs });
      else {
        const archive = `${folder}/archive.tar`;
        await host.write({ path: archive, content: from.tar, mode: 0o600 });
        await host.need(
          `mkdir ${unpacked} && tar -xpf ${archive} --numeric-owner -C ${unpacked} && rm ${archive}`,
          { deadlineMs: copyMs },
        );
        const how = from.isAuthenticated ? 'unpacked' : 'foreign';
        others = await host.need(stage(unpacked, how), { deadlineMs: copyMs });
        const never = neverArchived.map((name) => `${staged}/${backupState}/${name}`);
        await host.need(`rm -rf ${unpacked} ${never.join(' ')}`, { deadlineMs: copyMs });
      }
      await keepKnownSettings(host, linesOf(others));
      if (history !== undefined) {
        const { content, mode, uid, gid } = history;
        const path = `${staged}/${machineHistory}`;
        await host.write({ path, content, mode });
        await host.need(`chown ${uid}:${gid} ${path} && sync -f ${staged}`);
      }
      await host.write({ path: copied, content: `${id}\n`, mode: 0o600 });
    },
  };
}

const stageParts = script(new URL('./stage-parts.sh', import.meta.url));

async function keepKnownSettings(host: Host, others: readonly string[]): Promise<void> {
  const path = `${staged}/${settings}`;
  const text = await host.read(path);
  if (text === undefined && others.length === 0) return;
  await host.write({ path, content: knownSettings(text ?? '', others), mode: 0o600 });
}

export interface FoundState {
  /** The time is RFC 3339, undefined if the part is missing. */
  parts: (Part & { time: string | undefined })[];
  /** Files that are damaged, settings that are not taken over, and files that were unreadable when the archive was created. */
  left: { path: string; why: string }[];
}

/** As router-backup writes it into an archive. */
const About = z.object({ left: z.array(z.object({ path: z.string(), why: z.string() })) });

/** The parts in the copy. @throws ComputerError */
export async function findState(
  host: Host,
  { time, history }: Pick<StateCopy, 'time' | 'history'>,
): Promise<FoundState> {
  const lines = parts.map(
    ({ path }) => `set -- ${path}; if [ -e "$1" ]; then echo yes; else echo no; fi`,
  );
  // After it has been moved into place, at its final path.
  const there = `if [ -e ${placed} ]; then cd /; else cd ${staged}; fi`;
  const said = linesOf(await host.need(`${there}\n${lines.join('\n')}`));
  const damage = (await host.need(`${there}\n${historyScript}`, { deadlineMs: copyMs })).trim();
  const about = About.safeParse(parseJson((await host.read(`${staged}/${aboutFile}`)) ?? ''));
  const kept = await host.need(`${there}; cat ${settings} 2>/dev/null || true`);
  return {
    parts: parts.map((part, at) => {
      const isHistory = part.path === machineHistory;
      const isThere = said[at] === 'yes' && !(isHistory && damage !== '');
      const from = isHistory ? (history?.time ?? time) : time;
      return { ...part, time: isThere ? from : undefined };
    }),
    left: [
      ...(damage === '' ? [] : [{ path: `/${machineHistory}`, why: `it is damaged: ${damage}` }]),
      ...droppedSettings(kept).map((what) => ({
        path: what.startsWith('key ') ? `/${settings}` : `/${dirname(settings)}/${what}`,
        why: `${what.startsWith('key ') ? `its ${what}` : 'it'} is not taken over; if the cluster requires it, add it on the new jumphost`,
      })),
      ...(about.data?.left ?? []),
    ],
  };
}

/** Prints why SQLite cannot use the machine history, if it is there. machine-state then begins a new one. */
const historyScript = `[ ! -e ${machineHistory} ] || ${nodeCommand(
  `import { DatabaseSync } from 'node:sqlite';
let found;
try {
  const db = new DatabaseSync('${machineHistory}', { readOnly: true });
  found = Object.values(db.prepare('PRAGMA quick_check(1)').get())[0];
} catch (error) { found = error.message; }
if (found !== 'ok') console.log(String(found).split('\\n')[0]);`,
  [],
)}`;

interface PlaceNeeds {
  copy: Pick<StateCopy, 'id' | 'time'>;
  /** The old jumphost's outlets, which the power-cycle daemon keeps off. */
  keepOff: readonly string[];
  /** From the store, for a copy without one. */
  token: Secret | undefined;
}

/** Moves the state from that directory into place. The spare's previous files are kept in `old`. */
export function placeStep({ copy, keepOff, token: stored }: PlaceNeeds): Step {
  return {
    name: 'state',
    about: "the old jumphost's state is in place",
    async check(host) {
      const isPlaced = (await host.read(placed))?.trim() === copy.id;
      return { differs: isPlaced ? [] : ['the state is not in place yet'] };
    },
    async apply(host) {
      // A machine in the rack cannot also be its jumphost.
      const isAgent = (await host.run(`[ -e ${unitFile('agent')} ]`)).code === 0;
      if (isAgent) await removeAgent(host);
      const has = async (path: string) => (await host.run(`[ -e ${staged}/${path} ]`)).code === 0;
      if (stored !== undefined && (await has(database)) && !(await has(token))) {
        await host.write({ path: `${staged}/${token}`, content: stored.reveal(), mode: 0o600 });
      }
      const mark = JSON.stringify({ time: copy.time, keepOff });
      const place = script(new URL('./place-state.sh', import.meta.url));
      await host.need(withArguments(place, folder, mark));
      await host.write({ path: placed, content: `${copy.id}\n`, mode: 0o600 });
    },
  };
}

/** Removes the copy, because it contains secrets. */
export async function removeCopy(host: Host): Promise<void> {
  await host.need(`rm -rf ${staged} ${unpacked} ${folder}/archive.tar ${copied}`, {
    deadlineMs: copyMs,
  });
}
