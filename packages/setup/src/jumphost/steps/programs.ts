/** Installs our own programs on the jumphost: the fallback, and the directories that pods mount. */

import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { count, lazily, sha256, shellWord } from '@skolo/base';
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
    check: checkByScript(`same() { cmp -s "$1" "$2" || echo "$2 is missing or outdated"; }
same ${opt}/deploy/jumphost/skolo.sysusers.conf /etc/sysusers.d/skolo.conf
same ${opt}/deploy/jumphost/skolo.tmpfiles.conf /etc/tmpfiles.d/skolo.conf
for each in ${units.join(' ')}; do
  same "${opt}/deploy/systemd/$each" "/etc/systemd/system/$each"
done
[ "$(id -u skolo 2>/dev/null)" = 10001 ] || echo 'the skolo user (10001) is missing'
# tmpfiles.d lists type, path, mode and owner of each folder.
if [ -e /etc/tmpfiles.d/skolo.conf ]; then
  while read -r type path mode user group _; do
    [ "$type" = d ] || continue
    [ "$(stat -c '%a %U %G' "$path" 2>/dev/null)" = "\${mode#0} $user $group" ] || echo "$path is missing, or has another owner or mode"
  done < /etc/tmpfiles.d/skolo.conf
fi
[ -e ${opt}/current/bin/node ] || echo '${opt}/current/bin/node is missing'
[ -e /usr/local/sbin/skolo-fallback ] || echo 'skolo-fallback is missing'`),
    async apply(host) {
      await host.need(install, { deadlineMs: 120_000 });
    },
  };
}
