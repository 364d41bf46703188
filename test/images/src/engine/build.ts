import { join } from 'node:path';
import { serviceNames } from '@skolo/rack';
import { peer } from '@skolo/simulators';
import { buildArguments } from '../../../../scripts/release/images.mjs';
import { type Arch, baseName, makeBase } from './base.ts';
import { startDebianProxy } from './debian-proxy.ts';
import { useDocker } from './docker.ts';
import { cacheDir, type EngineAccess } from './engine.ts';
import { startRelay } from './relay.ts';

/** The services, and the command. */
export const images = [...serviceNames, 'cli'] as const;

/** The stages of the Dockerfile that become images: also what a component of kube/ brings. */
export const targets = [...images, 'chrony'] as const;

export type Target = (typeof targets)[number];

/** The name of an image that was built. */
export function imageName({ prefix }: EngineAccess, target: Target, arch: Arch): string {
  return `${prefix}/${target}:${arch}`;
}

interface Builder {
  /** Builds and names these. */
  build(targets: readonly Target[]): Promise<void>;
  /** What they asked for and did not get, since it is no mirror of Debian. */
  rejected: readonly string[];
  close(): Promise<void>;
}

/**
 * Makes ready what images are built from: the base image in the engine, and the only way out of the builder's network, to
 * Debian's mirrors. Bundles are in `out/bundle` already.
 */
export async function openBuilder(access: EngineAccess, arch: Arch): Promise<Builder> {
  const mmdebstrap = peer('mmdebstrap');
  if (mmdebstrap === undefined) throw new Error('mmdebstrap is not installed');
  const docker = useDocker(access);
  const proxy = await startDebianProxy(join(cacheDir, 'packages'));
  const opened: { close(): Promise<void> }[] = [proxy];
  const close = async () => {
    for (const one of opened.reverse()) await one.close();
  };
  try {
    // What passes connections on need not be emulated.
    for (const one of new Set<Arch>(['amd64', arch])) {
      const base = await makeBase(one, { dir: cacheDir, mmdebstrap, proxy: proxy.url });
      await docker(['load', '--quiet', '--input', base]);
    }
    const relay = await startRelay({
      docker,
      image: baseName('amd64'),
      dir: access.dir,
      network: ['--network', 'bridge'],
      ports: { 3128: proxy.port },
    });
    opened.push(relay);
    const address = '{{.NetworkSettings.IPAddress}}';
    const host = await docker(['inspect', '--format', address, relay.container]);
    // http_proxy is known to every builder, and no part of what it makes.
    const args = { BASE: baseName(arch), http_proxy: `http://${host}:3128` };
    return {
      async build(wanted) {
        const one = (target: Target) =>
          docker(buildArguments({ target, name: imageName(access, target, arch), arch, args }));
        // One after the other they wait for the disk, and for Debian.
        await Promise.all(wanted.map(one));
      },
      rejected: proxy.rejected,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
