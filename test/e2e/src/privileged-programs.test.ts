/**
 * Programs that run as root, or with a capability, where another user may write. Such a user could put a link where the program expects
 * its file. Whoever adds such a program adds it to a list here, with the reason why that does no harm.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

/** Program (its capabilities): directory (who else may write there). */
const units: Record<string, string> = {
  'skolo-fallback.service (CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_KILL): /run/skolo-power-fence (skolo)':
    'reads one file, without following links, and writes none',
  'skolo-fallback.service (CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_KILL): /run/skolo/power-cycle-daemon (skolo)':
    'is never opened',
  'skolo-fallback.service (CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_KILL): /run/skolo/router-backup (skolo)':
    'is never opened',
  'skolo-jumphost-archive.service (CAP_DAC_READ_SEARCH): /var/lib/skolo/jumphost-archive (skolo)':
    'belongs to root; the program removes and creates only files with its names, and cannot override permissions',
  'skolo-metadata-server.service (CAP_NET_BIND_SERVICE): /dev/shm (everybody)':
    'uses one directory, after checking that it belongs to root alone',
  'skolo-swarming-client.service (all): / (everybody)':
    "tasks are root, too: the machine is the agent's",
};
/** File: directory of the node, or claim. */
const pods: Record<string, string> = {
  'kube/base/metadata-server/deployment.yaml: /dev/shm': 'as its unit',
  'kube/base/metadata-server/deployment.yaml: /var/lib/skolo/metadata-server':
    'belongs to root alone',
  'kube/base/swarming-client/daemonset.yaml: /dev/bus/usb': 'devices of the machine',
  'kube/base/swarming-client/daemonset.yaml: /var/lib/skolo/swarming-client':
    'belongs to root alone',
  'kube/components/chrony/deployment.yaml: /var/lib/skolo/chrony': 'belongs to root alone',
  'kube/components/iphones/kustomization.yaml: /run':
    "tasks are root, too: the machine is the agent's",
  'kube/components/iphones/kustomization.yaml: /var/lib/lockdown':
    "tasks are root, too: the machine is the agent's",
  'kube/racks/rack4/derived/swarming-client.yaml: /b/s':
    'tasks are root, too: the bot belongs to root',
};
/** Files that install or are programs of root, and name directories or owners. */
const scripts: Record<string, string> = {
  'packages/cli/src/commands/service/steps.ts':
    'creates a state directory if none exists, in /var/lib/skolo, which belongs to root',
  'packages/setup/src/engine/guarded-change.ts': 'a unit that runs scripts of root',
  'packages/setup/src/engine/only-root.sh':
    'runs a script only if users other than root cannot write it or anything on the way',
  'packages/setup/src/engine/host/write.sh': 'gives root a new file, where root writes',
  'packages/base/src/durable/files/atomic-file.ts':
    'sets the owner of a file that it has just created',
  'services/fallback/src/active/files.ts':
    "skolo-active: reads and replaces one file of the power-cycle daemon's, without following links",
  'services/fallback/src/existing/fence.ts': 'runs as skolo, which owns the journal',
  'services/fallback/src/kubernetes/folder-version.ts':
    'writes into /etc/skolo, which belongs to root',
  'packages/fleet/src/secrets/write.sh': 'writes into /etc/skolo, which belongs to root',
  'packages/setup/src/jumphost/effective/effects.ts':
    'gives directories of programs and keys, and those above them, back to root',
  'packages/setup/src/jumphost/image/first-boot.ts': 'a unit that writes where root writes',
  'packages/setup/src/jumphost/replace/place-state.sh':
    'creates a file in the copy of a state directory, after removing what the archive has there',
  'packages/setup/src/jumphost/replace/staging.ts':
    'gives a file of the copy to the owner in the archive, in a directory of root',
  'packages/setup/src/jumphost/steps/active.ts': 'units of skolo-active',
  'packages/setup/src/jumphost/steps/firewall.ts': 'a unit that reads rules of root',
  'packages/setup/src/jumphost/steps/nfs.ts':
    'sets the owner of a mount point in /srv/skolo, which belongs to root',
  'packages/setup/src/jumphost/steps/recovery.ts': 'a unit that starts a watchdog',
  'packages/setup/src/k3s/program/image-store-check.ts':
    "a unit that compares files of images; containerd's directories belong to root",
  'packages/setup/src/k3s/program/unit.ts': 'the unit of k3s',
  'packages/setup/src/k3s/upgrade/server-script.ts': 'a unit that runs a script of root',
  'packages/equipment/src/models/frr/backup.ts': 'lines that an operator types on a router',
  'packages/equipment/src/models/linux/put.sh': 'puts files into place, without following links',
  'packages/setup/src/pi/boot/clock.ts': 'a unit that sets the clock',
  'packages/setup/src/pi/boot/enrol.ts': 'units that write where root writes',
  'packages/setup/src/pi/boot/firstrun.ts':
    'writes into the home of a user who has not signed in yet',
  'packages/setup/src/pi/running/add-user.sh': 'writes into the home of a user who may become root',
  'packages/setup/src/pi/running/router.ts': 'units that read files of root',
};

const deploy = 'deploy/systemd';
const unitFiles = readdirSync(join(root, deploy)).filter((name) => name.endsWith('.service'));

/** Values of a setting in a unit. */
function setting(unit: string, key: string): string[] {
  const lines = read(join(deploy, unit)).matchAll(new RegExp(`^${key}=(.*)$`, 'gm'));
  return [...lines].flatMap(([, value = '']) => value.split(' ').filter(Boolean));
}

const userOf = (unit: string) => setting(unit, 'User')[0] ?? 'root';
const own = (unit: string) => [
  ...setting(unit, 'StateDirectory').map((name) => `/var/lib/${name}`),
  ...setting(unit, 'RuntimeDirectory').map((name) => `/run/${name}`),
];

/** Directories in which somebody else than root may write. */
const others = new Map<string, string>([
  ['/', 'everybody'],
  ['/dev/shm', 'everybody'],
  ...[...read('deploy/jumphost/skolo.tmpfiles.conf').matchAll(/^d (\S+) (\d+) (\S+) (\S+)/gm)]
    .filter(
      ([, , mode = '', user, group]) =>
        user !== 'root' || (group !== 'root' && isGroupWritable(mode)),
    )
    .map(([, path = '', , , group = '']): [string, string] => [path, group]),
  ...unitFiles
    .filter((unit) => userOf(unit) !== 'root')
    .flatMap((unit) => own(unit).map((path): [string, string] => [path, userOf(unit)])),
]);

function isGroupWritable(mode: string): boolean {
  return (Number.parseInt(mode, 8) & 0o020) !== 0;
}

/** Those that a program reaches which may write below a path. */
function reached(path: string): string[] {
  if (path === '/') return ['/ (everybody)'];
  return [...others]
    .filter(
      ([each]) =>
        (each !== '/' && `${each}/`.startsWith(`${path}/`)) ||
        (`${path}/`.startsWith(`${each}/`) && each !== '/'),
    )
    .map(([each, who]) => `${each} (${who})`);
}

it('of systemd are these', () => {
  const found = unitFiles.flatMap((unit) => {
    const user = userOf(unit);
    const ambient = setting(unit, 'AmbientCapabilities');
    if (user !== 'root' && ambient.length === 0) return [];
    const isStrict = setting(unit, 'ProtectSystem')[0] === 'strict';
    const written = setting(unit, 'ReadWritePaths').map((path) => path.replace(/^-/, ''));
    const bounds = setting(unit, 'CapabilityBoundingSet').join(' ');
    const capabilities =
      user !== 'root' ? ambient.join(' ') : /^~|^$/.test(bounds) ? 'all' : bounds;
    const paths = isStrict ? [...written, ...own(unit)] : ['/'];
    return [...new Set(paths.flatMap(reached))]
      .filter((each) => !each.endsWith(` (${user})`))
      .map((each) => `${unit} (${capabilities}): ${each}`);
  });

  expect(others.size).toBeGreaterThan(8);
  expect(found.toSorted()).toEqual(Object.keys(units).toSorted());
});

it('of Kubernetes are these', () => {
  const found = files('kube/*.yaml')
    .filter((file) => !file.startsWith('kube/testbed/'))
    .flatMap((file) => {
      const text = read(file);
      const isRoot = !/runAsNonRoot: true/.test(text) || /runAsUser: 0\b/.test(text);
      if (!isRoot && !/privileged: true|add: \[/.test(text)) return [];
      const volumes = text.matchAll(/(?:hostPath:\s+\{? ?path|claimName): ([^\s,}]+)/g);
      return [...volumes].map(([, path]) => `${file}: ${path}`);
    });

  expect(found.toSorted()).toEqual(Object.keys(pods).toSorted());
});

it('of a script, or of a unit that a package writes, are these', () => {
  const paths = [...others.keys()].filter((path) => path.startsWith('/var/lib/skolo/'));
  const places = new RegExp(
    String.raw`\[Service\]|\bchown\b|\binstall -d -o|(?:${paths.join('|')}|/var/lib/skolo/\$\{\w+\})\b(?!')`,
  );
  const patterns = ['packages/*.ts', 'packages/*.sh', 'services/fallback/*.ts'];
  const found = patterns
    .flatMap(files)
    .filter((file) => !/\.test\.ts$|\/(testing|bench)\//.test(file) && places.test(read(file)));

  expect(found.toSorted()).toEqual(Object.keys(scripts).toSorted());
});

/** Those that git knows, and new ones. */
function files(pattern: string): string[] {
  const list = ['ls-files', '-co', '--exclude-standard', '--deduplicate', pattern];
  return execFileSync('git', list, { cwd: root, encoding: 'utf8' }).trim().split('\n');
}
