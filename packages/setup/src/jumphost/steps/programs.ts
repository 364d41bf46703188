/** Installs our own programs on the jumphost: the fallback, and the directories that pods mount. */

import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { count, lazily, script, sha256, shellWord, withArguments } from '@skolo/base';
import { checkByScript, type Host, type Step } from '@skolo/setup/engine';

const opt = '/opt/skolo';
/** Below /opt/skolo, where nothing else writes. */
const folders = [
  'deploy',
  'packages/fallback',
  'services/metadata-server',
  'services/power-cycle-daemon',
  'services/router-backup',
];

/** Local directories: the output of `npm run bundle`, and `deploy` from the same commit. */
export interface ProgramSources {
  /** Contains a directory for each bundle. */
  bundles: string;
  deploy: string;
}

interface Entry {
  /** Below /opt/skolo. */
  path: string;
  content: Buffer;
  mode: number;
}

/** @throws Error A directory is missing; the message contains the command that creates it. */
async function readPrograms({ bundles, deploy }: ProgramSources): Promise<Entry[]> {
  const found = await Promise.all([
    readTree(deploy, 'deploy'),
    ...folders.slice(1).map((folder) => {
      const name = folder.split('/').at(-1) ?? '';
      return readTree(join(bundles, name, 'opt/skolo', folder), folder);
    }),
  ]);
  return found.flat();
}

async function readTree(from: string, to: string): Promise<Entry[]> {
  const entries = await readdir(from, { recursive: true, withFileTypes: true });
  const files = entries.filter((each) => each.isFile());
  return await Promise.all(
    files.map(async (each) => {
      const file = join(each.parentPath, each.name);
      const isProgram = ((await stat(file)).mode & 0o100) !== 0;
      const path = join(to, file.slice(from.length));
      return { path, content: await readFile(file), mode: isProgram ? 0o755 : 0o644 };
    }),
  );
}

/** Installs them in /opt/skolo. Only changed files are transferred. */
export function programsStep(sources: ProgramSources): Step {
  const wanted = lazily(() => readPrograms(sources));
  return {
    name: 'programs',
    about: `the fallback and its services are installed in ${opt}`,
    async check(host) {
      const { changed, extra } = await compare(host, await wanted());
      const differs = [
        ...(changed.length > 0
          ? [`${count(changed.length, 'file')} missing from ${opt} or outdated`]
          : []),
        ...(extra.length > 0
          ? [`${count(extra.length, 'file')} in ${opt} from another version`]
          : []),
      ];
      return { differs };
    },
    async apply(host) {
      const { changed, extra } = await compare(host, await wanted());
      for (const { path, content, mode } of changed) {
        await host.write({ path: `${opt}/${path}`, content, mode });
      }
      if (extra.length === 0) return;
      await host.need(`cd ${opt} && xargs -0 rm -f --`, { input: extra.join('\0') });
    },
  };
}

async function compare(host: Host, wanted: readonly Entry[]) {
  const text = await host.need(
    `cd ${opt} 2>/dev/null || exit 0
find ${folders.map(shellWord).join(' ')} -type f -printf '%m %U %p\\n' 2>/dev/null | while read -r mode owner path; do
  echo "$mode $owner $(sha256sum < "$path" | cut -c -64) $path"
done`,
  );
  const there = new Map(
    text.split('\n').flatMap((line): [string, string][] => {
      const [, key, path] = /^(\S+ \S+ \S+) (.+)$/.exec(line) ?? [];
      return key === undefined || path === undefined ? [] : [[path, key]];
    }),
  );
  const keyOf = ({ mode, content }: Entry) => `${mode.toString(8)} 0 ${sha256(content)}`;
  const names = new Set(wanted.map(({ path }) => path));
  return {
    changed: wanted.filter((each) => there.get(each.path) !== keyOf(each)),
    extra: [...there.keys()].filter((path) => !names.has(path)),
  };
}

const units = [
  'skolo-metadata-server.service',
  'skolo-power-cycle-daemon.service',
  'skolo-power-fence.service',
  'skolo-fallback.service',
  'skolo-fallback.timer',
  'skolo-jumphost-archive.service',
  'skolo-jumphost-archive.path',
  'skolo-k3s-certificates.service',
  'skolo-k3s-certificates.timer',
];
const install = `${opt}/deploy/jumphost/install`;

/** Creates the user, directories and units with deploy/jumphost/install. */
export function unitsStep(): Step {
  return {
    name: 'units',
    about:
      'the skolo user, its directories and systemd units exist, and the fallback timer is running',
    check: checkByScript(
      withArguments(script(new URL('./verify-units.sh', import.meta.url)), opt, ...units),
    ),
    async apply(host) {
      await host.need(install, { deadlineMs: 120_000 });
    },
  };
}
