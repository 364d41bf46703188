/** Each image by itself: as kube/base starts it, on a network without a way out. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { services } from '../bundles.ts';
import { root } from '../paths.ts';
import { baseName } from './base.ts';
import { imageName, type Target, targets } from './build.ts';
import { becomesReady, startContainer } from './container.ts';
import { useDocker } from './docker.ts';
import { readPod } from './pod.ts';
import { type Relay, startRelay } from './relay.ts';
import { theEngine } from './testing.ts';

const rack = `rack: rack4
network: { subnet: 198.18.64.0/24 }
jumphost: { name: jumphost-rack4, address: 198.18.64.8 }
machines:
  rpi-1: { kind: rpi, address: 198.18.64.101 }
services:
  swarming-client: { server: "http://127.0.0.1:9" }
`;

const Config = z.object({
  User: z.string(),
  Env: z.array(z.string()),
  WorkingDir: z.string(),
  Entrypoint: z.array(z.string()),
  Cmd: z.array(z.string()).nullable(),
  Volumes: z.looseObject({}).nullable().optional(),
  StopSignal: z.string().optional(),
});

let relay: Relay;
let etc: string;

beforeAll(async () => {
  const prepared = inject('prepared');
  if (prepared.is !== 'ready') return;
  const { access } = prepared;
  etc = join(access.dir, 'etc');
  await mkdir(etc);
  await writeFile(join(etc, 'rack.yaml'), rack);
  relay = await startRelay({
    docker: useDocker(access),
    image: baseName('amd64'),
    dir: access.dir,
    network: ['--network', 'bridge'],
  });
});
afterAll(() => relay?.close());

/** Lines of what a shell in the image prints, as root. */
async function linesIn(image: string, script: string, skip: Parameters<typeof theEngine>[0]) {
  const { docker } = theEngine(skip);
  const run = ['run', '--rm', '--network', 'none', '--user', '0', '--entrypoint', 'sh'];
  const said = await docker([...run, image, '-c', script]);
  return said === '' ? [] : said.split('\n').sort();
}

async function configOf(target: Target, skip: Parameters<typeof theEngine>[0]) {
  const { access, docker } = theEngine(skip);
  const said = await docker([
    'inspect',
    '--format',
    '{{json .Config}}',
    imageName(access, target, 'amd64'),
  ]);
  return Config.parse(JSON.parse(said));
}

describe.each(services)('%s', (service) => {
  it('gets ready with nothing but what kube/base gives it, and ends within a second', async ({
    skip,
  }) => {
    const { access, docker } = theEngine(skip);
    const pod = await readPod(service, etc);
    const image = imageName(access, service, 'amd64');
    const agent = ['--rack', '/etc/skolo/rack.yaml', '--machine', 'rpi-1'];
    const isAgent = service === 'swarming-client';
    const args = isAgent ? [...pod.args, `--volume=${etc}:/etc/skolo:ro`] : pod.args;
    const container = await startContainer(access, image, args, isAgent ? agent : []);
    onTestFinished(() => container.remove());

    await becomesReady(container, relay, `http://${container.address}:${pod.metricsPort}`);

    const status = await docker(['exec', container.name, 'cat', '/proc/1/status']);
    expect(status).toMatch(new RegExp(`^Uid:\\t${pod.user}\\t${pod.user}\\t`, 'm'));
    // Another exit code is that of SIGKILL, which follows when the second is over.
    expect(await container.stop(1)).toMatchObject({ Status: 'exited', ExitCode: 0 });
  });

  it('is not root by itself, but for the agent and what needs port 80', async ({ skip }) => {
    const { User } = await configOf(service, skip);

    expect(User).toBe(service === 'swarming-client' ? '' : '10001:10001');
  });

  it('starts its own program, without a shell', async ({ skip }) => {
    const { Entrypoint, Cmd, WorkingDir, StopSignal, Volumes } = await configOf(service, skip);
    const main = ['node', `services/${service}/dist/main.js`];

    expect(Entrypoint).toEqual(
      service === 'swarming-client' ? ['tini', '-s', '--', ...main] : main,
    );
    expect({ Cmd, WorkingDir, StopSignal, Volumes: Volumes ?? null }).toEqual({
      Cmd: null,
      WorkingDir: '/opt/skolo',
      StopSignal: 'SIGTERM',
      Volumes: null,
    });
  });
});

describe.each(targets)('%s', (target) => {
  it('has programs that change the user of Debian alone', async ({ skip }) => {
    const { access } = theEngine(skip);
    const find = 'find / -xdev -type f -perm /6000';
    const ours = await linesIn(imageName(access, target, 'amd64'), find, skip);
    const bases = await linesIn(baseName('amd64'), find, skip);

    // Of openssh-client: for host-based authentication, and against being traced.
    const known = ['/usr/lib/openssh/ssh-keysign', '/usr/bin/ssh-agent'];
    expect(bases).toContain('/usr/bin/su');
    expect(ours.filter((file) => !bases.includes(file) && !known.includes(file))).toEqual([]);
  });

  it('has neither sources nor what only a build needs', async ({ skip }) => {
    const { access } = theEngine(skip);
    const folders = [
      '/opt',
      '/root',
      '/home',
      '/tmp',
      '/etc/skolo',
      '/var/lib/apt/lists',
      '/var/cache/apt',
    ];
    const paths = folders.map((folder) => `-path '${folder}/*'`).join(' -or ');
    const find = `find / -xdev -type f \\( ${paths} \\)`;
    const files = await linesIn(imageName(access, target, 'amd64'), find, skip);
    const allowed = /^\/opt\/skolo\/|^\/(root|home\/node)\/\.(bashrc|profile|bash_logout)$|\/lock$/;

    expect(files.filter((file) => !allowed.test(file))).toEqual([]);
    const opt = files.filter((file) => file.startsWith('/opt/'));
    expect(opt.some((file) => file.endsWith('.node'))).toBe(true);
    expect(opt.filter((file) => /\.(ts|map)$|\/node_modules\/|\.test\./.test(file))).toEqual([]);
    // The native library of this platform, and of no other.
    expect(opt.filter((file) => /\/native\/(?!linux-x64\/)/.test(file))).toEqual([]);
  });
});

it('everything in /opt/skolo belongs to root, and only root may change it', async ({ skip }) => {
  const { access } = theEngine(skip);
  const find =
    'find /opt /etc /usr /var/lib/skolo -xdev -not -type l \\( -not -user 0 -or -perm /022 \\)';

  for (const target of targets) {
    const others = await linesIn(imageName(access, target, 'amd64'), find, skip);
    const expected = services
      .filter((service) => service === target && service !== 'swarming-client')
      .map((service) => `/var/lib/skolo/${service}`);
    expect(others.filter((file) => !file.startsWith('/etc/chrony'))).toEqual(expected);
  }
});

it('swarming-client has what bots and their tasks look for', async ({ skip }) => {
  const { access } = theEngine(skip);
  const image = imageName(access, 'swarming-client', 'amd64');

  const said = await linesIn(
    image,
    'command -v sudo; ls /.dockerenv; cat /etc/swarming_config/oauth2_access_token_config.json',
    skip,
  );

  expect(said).toContain('/opt/skolo/services/swarming-client/shim/sudo');
  expect(said).toContain('/.dockerenv');
  expect(said.join('')).toContain('/computeMetadata/v1/instance/service-accounts/default/token');
});

it('cli is the skolo command', async ({ skip }) => {
  const { access, docker } = theEngine(skip);
  const image = imageName(access, 'cli', 'amd64');
  const run = ['run', '--rm', '--read-only', '--network', 'none', '--cap-drop', 'ALL'];
  const manifest: unknown = JSON.parse(
    await readFile(join(root, 'packages/cli/package.json'), 'utf8'),
  );
  const { version } = z.object({ version: z.string() }).parse(manifest);
  const folder = join(access.dir, 'racks');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'good.yaml'), rack);
  await writeFile(join(folder, 'bad.yaml'), rack.replace('198.18.64.101', '192.168.1.101'));
  const check = (name: string) =>
    docker([...run, `--volume=${folder}:/work:ro`, image, 'rack', 'check', name]);

  expect(await docker([...run, image, '--version'])).toBe(version);
  await expect(check('good.yaml')).resolves.toContain('rack4');
  await expect(check('bad.yaml')).rejects.toThrow(/192\.168\.1\.101/);
});

it('builds fetch from mirrors of Debian and from nowhere else', ({ skip }) => {
  expect(theEngine(skip).refused).toEqual([]);
});
