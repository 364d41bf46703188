/** Each image by itself: as kube/base starts it, on a network without a way out. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ServiceName, serviceNames } from '@skolo/rack';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { bundles } from '../../../../scripts/bundle/bundles.mjs';
import { buildArguments } from '../../../../scripts/release/images.mjs';
import { version } from '../bundles.ts';
import { baseName } from './base.ts';
import { imageName, images, type Target, targets } from './build.ts';
import { type Container, startContainer } from './container.ts';
import { useDocker } from './docker.ts';
import { readPodAlone } from './pod.ts';
import { rackOfOne } from './rack-of-one.ts';
import { type Relay, startRelay } from './relay.ts';
import { becomesReady, theEngine } from './testing.ts';

const Config = z.object({
  User: z.string(),
  Env: z.array(z.string()),
  WorkingDir: z.string(),
  Entrypoint: z.array(z.string()),
  Cmd: z.array(z.string()).nullable(),
  Volumes: z.looseObject({}).nullable().optional(),
  StopSignal: z.string().optional(),
});

type Skip = Parameters<typeof theEngine>[0];

let relay: Relay;
/** Takes questions to a DNS server and never answers, as where the internet connection is down. */
let silent: Container | undefined;
let etc: string;

beforeAll(async () => {
  const prepared = inject('prepared');
  if (prepared.is !== 'ready') return;
  const { access } = prepared;
  etc = join(access.dir, 'etc');
  await mkdir(etc);
  await writeFile(join(etc, 'rack.yaml'), rackOfOne);
  relay = await startRelay({
    docker: useDocker(access),
    image: baseName('amd64'),
    dir: access.dir,
    network: ['--network', 'bridge'],
  });
  const listen = "require('node:dgram').createSocket('udp4').bind(53)";
  const asNode = ['--init', '--entrypoint', 'node'];
  silent = await startContainer(access, baseName('amd64'), asNode, ['--eval', listen]);
});
afterAll(async () => {
  await silent?.remove();
  await relay?.close();
});

function nameOf(target: Target, skip: Skip): string {
  return imageName(theEngine(skip).access, target, 'amd64');
}

async function startReady(service: ServiceName, skip: Skip, resolver?: string) {
  const { access } = theEngine(skip);
  const pod = await readPodAlone(service, etc, resolver);
  const container = await startContainer(access, nameOf(service, skip), pod.args, pod.command);
  onTestFinished(() => container.remove());
  await becomesReady(container, relay, `http://${container.address}:${pod.metricsPort}`);
  return { container, pod };
}

/** What a shell in the image prints, as root. */
async function outputOf(image: string, script: string, skip: Skip): Promise<string> {
  const run = ['run', '--rm', '--network', 'none', '--user', '0', '--entrypoint', 'sh'];
  return theEngine(skip).docker([...run, image, '-c', script]);
}

interface File {
  type: string;
  mode: number;
  user: number;
  path: string;
}

const listings = new Map<string, Promise<File[]>>();

/** All that is in an image; listed once for all tests. */
function filesOf(image: string, skip: Skip): Promise<File[]> {
  const listed = listings.get(image) ?? listFiles(image, skip);
  listings.set(image, listed);
  return listed;
}

async function listFiles(image: string, skip: Skip): Promise<File[]> {
  const lines = await outputOf(image, `find / -xdev -printf '%y %m %U %p\\n'`, skip);
  return lines.split('\n').map((line) => {
    const [type = '', mode = '', user = '', ...path] = line.split(' ');
    return { type, mode: Number.parseInt(mode, 8), user: Number(user), path: path.join(' ') };
  });
}

async function configOf(target: Target, skip: Skip) {
  const { docker } = theEngine(skip);
  const image = nameOf(target, skip);
  return Config.parse(JSON.parse(await docker(['inspect', '--format', '{{json .Config}}', image])));
}

describe.each(serviceNames)('%s', (service) => {
  it('gets ready with nothing but what kube/base gives it', async ({ skip }) => {
    const { docker } = theEngine(skip);
    const { container, pod } = await startReady(service, skip);

    const status = await docker(['exec', container.name, 'cat', '/proc/1/status']);
    expect(status).toMatch(new RegExp(`^Uid:\\t${pod.user}\\t${pod.user}\\t`, 'm'));
    expect(await container.logs()).toMatch(
      new RegExp(`^\\{.*"version":"${version}","msg":"listening"`),
    );
  });

  it('ends without waiting for anything, also for a DNS answer', async ({ skip }) => {
    const { container } = await startReady(service, skip, silent?.address);

    // The engine sends SIGKILL then. The resolver waits for longer, and so does a service that finishes its work first.
    expect(await container.stop(120)).toMatchObject({ ExitCode: 0 });
  });

  it('is not root by itself, but for the agent and what needs port 80', async ({ skip }) => {
    const { User } = await configOf(service, skip);

    expect(User).toBe(service === 'swarming-client' ? '' : '10001:10001');
  });

  it('starts its own program, without a shell', async ({ skip }) => {
    const { Entrypoint, Cmd, WorkingDir, StopSignal, Volumes } = await configOf(service, skip);
    const nodeFlags = bundles.find(({ name }) => name === service)?.nodeFlags ?? [];
    const main = ['node', ...nodeFlags, `services/${service}/dist/main.js`];

    // The agent's tasks leave processes behind, and process 1 could not be killed by a watchdog.
    const haveInit = ['swarming-client', 'power-cycle-daemon', 'router-backup'];
    expect(Entrypoint).toEqual(haveInit.includes(service) ? ['tini', '--', ...main] : main);
    expect({ Cmd, WorkingDir, StopSignal, Volumes: Volumes ?? null }).toEqual({
      Cmd: null,
      WorkingDir: '/opt/skolo',
      StopSignal: 'SIGTERM',
      Volumes: null,
    });
  });
});

describe.each(images)('%s', (image) => {
  it('has programs that change the user of Debian alone', async ({ skip }) => {
    const ours = await filesOf(nameOf(image, skip), skip);
    const bases = await filesOf(baseName('amd64'), skip);
    const changing = (files: File[]) =>
      files.filter(({ type, mode }) => type === 'f' && mode & 0o6000).map(({ path }) => path);

    // Of openssh-client: for host-based authentication, and against being traced.
    const known = ['/usr/lib/openssh/ssh-keysign', '/usr/bin/ssh-agent', ...changing(bases)];
    expect(known).toContain('/usr/bin/su');
    expect(changing(ours).filter((path) => !known.includes(path))).toEqual([]);
  });

  it('has neither sources nor files that only a build needs', async ({ skip }) => {
    const files = await filesOf(nameOf(image, skip), skip);
    const paths = files.filter(({ type }) => type === 'f').map(({ path }) => path);
    const under = /^\/(root|home|tmp|etc\/skolo|work|var\/lib\/apt\/lists|var\/cache\/apt)\//;
    const usual = /^\/(root|home\/node)\/\.(bashrc|profile|bash_logout)$|\/lock$/;
    // The programs of the testbed are sources.
    const ours = paths.filter(
      (path) => path.startsWith('/opt/') && !path.includes('/kube/testbed/'),
    );

    expect(paths.filter((path) => under.test(path) && !usual.test(path))).toEqual([]);
    expect(ours.filter((path) => /\.(ts|map)$|\/node_modules\/|\.test\./.test(path))).toEqual([]);
    expect(ours.filter((path) => path.endsWith('.node'))).toEqual([]);
  });

  it('belongs to root, and only root may change it, but for its state', async ({ skip }) => {
    const files = await filesOf(nameOf(image, skip), skip);

    const foreign = files
      .filter(({ path }) => /^\/(opt|etc|usr|var\/lib\/skolo)(\/|$)/.test(path))
      .filter(({ type, user, mode }) => type !== 'l' && (user !== 0 || mode & 0o022));

    const hasState = image !== 'swarming-client' && image !== 'cli';
    expect(foreign.map(({ path, user }) => `${path} ${user}`)).toEqual(
      hasState ? [`/var/lib/skolo/${image} 10001`] : [],
    );
  });
});

it('swarming-client has the files that bots and their tasks need', async ({ skip }) => {
  const config = '/etc/swarming_config/oauth2_access_token_config.json';

  const found = await outputOf(
    nameOf('swarming-client', skip),
    `command -v sudo; ls /.dockerenv; cat ${config}`,
    skip,
  );

  expect(found).toContain('/opt/skolo/services/swarming-client/shim/sudo\n/.dockerenv\n');
  expect(found).toContain('/computeMetadata/v1/instance/service-accounts/default/token');
});

it('cli is the skolo command', async ({ skip }) => {
  const { access, docker } = theEngine(skip);
  const image = nameOf('cli', skip);
  const run = ['run', '--rm', '--read-only', '--network', 'none', '--cap-drop', 'ALL'];
  const folder = join(access.dir, 'racks');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'good.yaml'), rackOfOne);
  await writeFile(join(folder, 'bad.yaml'), rackOfOne.replace('198.18.64.101', '192.168.1.101'));
  const check = (name: string) =>
    docker([...run, `--volume=${folder}:/work:ro`, image, 'check', 'rack', name]);

  expect(await docker([...run, image, '--version'])).toBe(version);
  await expect(check('good.yaml')).resolves.toContain('rack4');
  await expect(check('bad.yaml')).rejects.toThrow(/192\.168\.1\.101/);
});

it('is not built from bundles of another version than its label has', async ({ skip }) => {
  const { access, docker } = theEngine(skip);
  const args = { BASE: baseName('amd64'), VERSION: '1.2.3' };
  const name = `${access.prefix}/other`;

  const built = docker(buildArguments({ target: 'cli', name, arch: 'amd64', args }));

  await expect(built).rejects.toThrow(
    'out/bundle: other version; run npm run bundle -- --version 1.2.3',
  );
});

it('builds fetch from mirrors of Debian and from nowhere else', ({ skip }) => {
  expect(theEngine(skip).rejected).toEqual([]);
});

// Otherwise, an image that is built on another day has other bytes.
describe.each(targets)('%s', (target) => {
  it('has users without the date of the build', async ({ skip }) => {
    const linesOf = async (image: string) =>
      (await outputOf(image, 'cat /etc/shadow', skip)).split('\n');
    const ofBase = new Set(await linesOf(baseName('amd64')));

    const added = (await linesOf(nameOf(target, skip))).filter((line) => !ofBase.has(line));

    expect(added.filter((line) => line.split(':')[2] !== '')).toEqual([]);
  });
});
