/** The engine that images are built and run in: one of the test's own, or one that runs here already. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { peer } from '@skolo/simulators';
import { type Docker, type DockerAccess, useDocker } from './docker.ts';
import { type OwnEngine, startOwnEngine, whyNoNamespaces } from './own-engine.ts';

/** What a test needs to know of the engine; plain data, since it goes from process to process. */
export interface EngineAccess extends DockerAccess {
  /** For sockets and other files that containers see, too. */
  dir: string;
  /** In front of the names of all that is made in an engine which is not our own. */
  prefix: string;
}

interface Engine {
  access: EngineAccess;
  close(): Promise<void>;
}

/** Where the base image and Debian's packages are kept, for all clones of this user. */
export const cacheDir: string = join(
  process.env.XDG_CACHE_HOME || join(homedir(), '.cache'),
  'skolo',
  'test-images',
);

// Not /tmp, which may be in memory.
const parent = '/var/tmp';
const start = 'skolo-engine-';
const prefix = `skolo-test-${process.pid}`;

/**
 * Root with dockerd installed gets an engine of the test's own; else the one behind DOCKER_HOST, or at Docker's usual
 * place, is used. A text is the reason why there is none.
 */
export async function openEngine(): Promise<Engine | string> {
  if (peer('docker') === undefined) return 'docker is not installed';
  await removeLeftovers();
  const dir = await mkdtemp(join(parent, start));
  const close = () => rm(dir, { recursive: true, force: true, maxRetries: 5 });
  try {
    await writeFile(join(dir, 'owner'), String(process.pid));
    const configDir = await makeConfig(dir);
    const engine = await startOrFind(configDir, dir);
    if (typeof engine === 'string') {
      await close();
      return engine;
    }
    return {
      access: { host: engine.host, configDir, dir, prefix },
      async close() {
        await engine.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startOrFind(
  configDir: string,
  dir: string,
): Promise<{ host: string; close(): Promise<void> } | string> {
  const own = await startOwn(dir);
  if (typeof own !== 'string') return own;
  const host = process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock';
  if (!host.startsWith('unix://')) return `${own}, and DOCKER_HOST is not on this computer`;
  const docker = useDocker({ host, configDir });
  try {
    await docker(['version']);
  } catch {
    return `${own}, and no container engine answers at ${host}`;
  }
  return { host, close: () => removeImages(docker) };
}

/** Of an engine that stays. */
async function removeImages(docker: Docker): Promise<void> {
  const filter = ['--filter', `reference=${prefix}/*`, '--filter', `reference=${prefix}/*/*`];
  const names = await docker(['images', ...filter, '--format', '{{.Repository}}:{{.Tag}}']);
  if (names !== '') await docker(['rmi', '--force', ...names.split('\n')]);
}

/** Or why there is none. */
async function startOwn(dir: string): Promise<OwnEngine | string> {
  const dockerd = peer('dockerd');
  if (dockerd === undefined) return 'dockerd is not installed';
  if (process.getuid?.() !== 0) return 'a container engine of our own needs root';
  const why = await whyNoNamespaces();
  if (why !== undefined) return `a container engine of our own cannot be had here (${why})`;
  try {
    return await startOwnEngine(dockerd, dir);
  } catch (error) {
    if (!/driver not supported/.test(String(error))) throw error;
    return `the file system of ${parent} cannot hold layers of images (overlay2)`;
  }
}

/** An empty one but for buildx, which newer clients build with. */
async function makeConfig(dir: string): Promise<string> {
  const configDir = join(dir, 'config');
  const plugins = join(configDir, 'cli-plugins');
  await mkdir(plugins, { recursive: true });
  const buildx = peer('buildx');
  if (buildx !== undefined) await symlink(buildx, join(plugins, 'docker-buildx'));
  return configDir;
}

/** What a run left behind that was killed. Its engine has ended with it. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(parent)) {
    const dir = join(parent, name);
    if (!name.startsWith(start)) continue;
    const owner = Number(await readFile(join(dir, 'owner'), 'utf8').catch(() => ''));
    if (owner > 0 && !existsSync(`/proc/${owner}`)) {
      // Of another user, it stays.
      await rm(dir, { recursive: true, force: true }).catch(() => {});
    }
  }
}
