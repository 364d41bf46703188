/**
 * Restores a jumphost's state from a copy to the spare: first into a staging directory, where it is verified, then into place.
 * Each step may be interrupted and run again.
 */
import { nodeCommand, parseJson, script, shellWord, withArguments } from '@skolo/base';
import { type Host, linesOf, type Step } from '@skolo/setup/engine';
import { removeAgent, unitFile } from '@skolo/setup/k3s';
import { z } from 'zod';
import { machineHistory, type Part, parts } from './parts.ts';

/** On the same disk as /var/lib, so that a rename moves it into place. */
const folder = '/var/lib/skolo-replace';
export const staged = `${folder}/copy`;
/** Contains the ID of the copy that is complete in `staged`. */
const copied = `${folder}/copied`;
/** Contains the ID of the copy that is in place. */
const placed = `${folder}/placed`;
const copyMs = 3_600_000;

/** The source of the old jumphost's state. */
export interface StateCopy {
  /** For people. */
  title: string;
  /** Unique for each copy. */
  id: string;
  /** RFC 3339, when it was made. */
  time: string;
  /** A tar, as router-backup archives a jumphost; or the root of its disk, mounted on the spare. */
  from: { tar: Buffer } | { disk: string };
  /** From an older archive, if that in `from` does not contain it. */
  history?: OlderHistory | undefined;
}

/** The machine history, as a file in a tar. */
export interface OlderHistory {
  /** RFC 3339, when its archive was made. */
  time: string;
  content: Buffer;
  mode: number;
  uid: number;
  gid: number;
}

/** Copies it into a directory on the spare. */
export function copyStep({ title, id, from, history }: StateCopy): Step {
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
      if ('disk' in from) await host.need(fromDisk(from.disk), { deadlineMs: copyMs });
      else {
        const archive = `${folder}/archive.tar`;
        await host.write({ path: archive, content: from.tar, mode: 0o600 });
        await host.need(
          `tar -xpf ${archive} --numeric-owner -C ${staged} && rm ${archive} && sync -f ${staged}`,
          { deadlineMs: copyMs },
        );
      }
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

function fromDisk(disk: string): string {
  return `set -eu
cd ${shellWord(disk)}
for each in var/lib/skolo var/lib/rancher/k3s/server etc/rancher etc/ssh/ssh_host_*; do
  [ -e "$each" ] || continue
  mkdir -p ${staged}/"$(dirname "$each")"
  cp -a "$each" ${staged}/"$each"
done
# k3s recreates them.
rm -rf ${staged}/var/lib/rancher/k3s/server/manifests ${staged}/var/lib/rancher/k3s/server/static
sync -f ${staged}`;
}

export interface FoundState {
  /** The time is RFC 3339, undefined if the part is missing. */
  parts: (Part & { time: string | undefined })[];
  /** Files that are damaged, or are missing from the archive because they were unreadable when it was created. */
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
  const about = About.safeParse(
    parseJson((await host.read(`${staged}/skolo-jumphost.json`)) ?? ''),
  );
  return {
    parts: parts.map((part, at) => {
      const isHistory = part.path === machineHistory;
      const isThere = said[at] === 'yes' && !(isHistory && damage !== '');
      const from = isHistory ? (history?.time ?? time) : time;
      return { ...part, time: isThere ? from : undefined };
    }),
    left: [
      ...(damage === '' ? [] : [{ path: `/${machineHistory}`, why: `it is damaged: ${damage}` }]),
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
}

/** Moves the state from that directory into place. The spare's previous files are kept in `old`. */
export function placeStep({ copy, keepOff }: PlaceNeeds): Step {
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
      const mark = JSON.stringify({ time: copy.time, keepOff });
      const place = script(new URL('./place-state.sh', import.meta.url));
      await host.need(withArguments(place, folder, mark));
      await host.write({ path: placed, content: `${copy.id}\n`, mode: 0o600 });
    },
  };
}

/** Removes the copy, because it contains secrets. */
export async function removeCopy(host: Host): Promise<void> {
  await host.need(`rm -rf ${staged} ${folder}/archive.tar ${copied}`, { deadlineMs: copyMs });
}
