/** A jumphost and its steps, from the files on this workstation. */

import { access, readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { errorCode, orAborted } from '@skolo/base';
import { internetFetch } from '@skolo/base/internet';
import { type K3sRack, openJumphost, openServer } from '@skolo/fleet';
import { jumphostServices, namespaceOf, servicePorts } from '@skolo/rack/light';
import {
  type Download,
  downloader,
  type Guard,
  type Host,
  openHost,
  type Step,
  type UnknownSum,
} from '@skolo/setup/engine';
import { type ProgramSources, stepsOf, usesStep } from '@skolo/setup/jumphost';
import { type AskedService, k3sVersion } from '@skolo/setup/k3s';
import { Option } from 'commander';
import { parse } from 'yaml';
import { z } from 'zod';
import type { SkoloCommand } from '../../../command.ts';
import { CliError } from '../../../errors.ts';
import { plain } from '../../../output/text.ts';
import { hostOptions, openJumphostHost } from '../../../reach/machine-way.ts';
import {
  clustersFile,
  inClone,
  rackNamed,
  readRackOf,
  withJumphost,
} from '../../../reach/racks.ts';
import { userFolder } from '../../../workstation/workstation-files.ts';
import { accountManifests } from './accounts.ts';
import { overlayOf } from './overlay.ts';
import { clusterSecrets, publicKeyOf, secretFiles } from './secrets-part.ts';

export interface StepOptions {
  files?: string;
  images?: string;
  bundles?: string;
  k3s: string;
}

export interface PrepareOptions extends StepOptions {
  returnAfter: number;
  keepChange?: string[];
}

/** Options of all commands that inspect the steps. */
export function addStepOptions(command: SkoloCommand): SkoloCommand {
  return command
    .addOption(filesOption())
    .option(
      '--images <file>',
      "file that contains skolo's images, created by deploy/jumphost/save-images",
    )
    .addOption(bundlesOption())
    .option('--k3s <version>', 'k3s version for new installations', k3sVersion);
}

export function filesOption(): Option {
  return new Option(
    '--files <folder>',
    'download directory for Node and k3s; existing files are reused',
  );
}

export function bundlesOption(): Option {
  return new Option(
    '--bundles <folder>',
    'output of `npm run bundle` (default: out/bundle in your clone of skolo)',
  );
}

interface OpenStepsDeps {
  signal: AbortSignal;
  report(text: string): void;
  /** For another computer than the current jumphost. */
  ways?: K3sRack['ways'];
}

/** @throws FleetError @throws RackError @throws ComputerError @throws CliError */
export async function openSteps(
  command: SkoloCommand,
  name: string,
  options: PrepareOptions,
  { signal, report, ways }: OpenStepsDeps,
): Promise<{ host: Host; steps: Step[]; uses: Step }> {
  const { io } = command;
  const named = withJumphost(await rackNamed(command, name));
  const entry = ways === undefined ? named : { ...named, ways };
  const rack = await readRackOf(entry);
  const files = await fileNeeds(command, options, signal);
  const { host } = await openJumphostHost(command, entry, { signal });
  const components = await componentsOf(entry.overlay);
  const steps = stepsOf({
    rack,
    guard: guardOf(command, entry, options, signal),
    ...files,
    hasClockPod: components.has('chrony'),
    hasNfs: components.has('nfs'),
    accounts: accountManifests,
    rackKey: () => publicKeyOf(command, name, signal),
    secretFiles: secretFiles(command, name, host, signal),
    secrets: clusterSecrets(command, name, signal),
    overlay: overlayOf(command, name, { reason: 'skolo jumphost prepare', signal, report }),
    services,
    now: io.now,
    kept: options.keepChange ?? [],
  });
  return { host, steps, uses: usesStep({ rack, services }) };
}

/** The programs on this workstation. @throws CliError `npm run bundle` has not been run. */
export async function fileNeeds(command: SkoloCommand, options: StepOptions, signal: AbortSignal) {
  const { images, k3s } = options;
  return {
    download: downloadOf(command, options, signal),
    sources: await programSources(command, options),
    k3sVersion: k3s,
    ...(images !== undefined && { ownImages: resolve(command.io.folder, images) }),
  };
}

/** Confirms changes through a new session with the rack's jumphost. */
export function guardOf(
  { io }: SkoloCommand,
  rack: K3sRack,
  { returnAfter }: PrepareOptions,
  signal: AbortSignal,
): Guard {
  return {
    signal,
    returnSeconds: returnAfter / 1000,
    async newSession(stop, server) {
      const how = { env: io.env, mayAsk: io.canAsk, signal: stop };
      const jumphost = await (server === undefined
        ? openJumphost(rack, how)
        : openServer(rack, server, how));
      try {
        return { ...(await openHost(hostOptions(rack, jumphost, stop))), close: jumphost.close };
      } catch (error) {
        await jumphost.close();
        throw error;
      }
    },
  };
}

/** Downloads from publishers; a person at the terminal confirms unknown checksums. */
export function downloadOf(
  { io }: SkoloCommand,
  { files }: Pick<StepOptions, 'files'>,
  signal: AbortSignal,
): Download {
  const cache = userFolder(io.env, 'XDG_CACHE_HOME');
  const folder = resolve(io.folder, files ?? join(cache, 'skolo', 'files'));
  const confirm = (sum: UnknownSum) => confirmSum(io, sum, signal);
  return downloader({ folder, fetch: internetFetch, signal, confirm });
}

async function confirmSum(
  io: SkoloCommand['io'],
  { url, name, sha256 }: UnknownSum,
  signal: AbortSignal,
): Promise<boolean> {
  if (!io.canAsk) return false;
  io.err(plain(`${name}: the checksum comes from ${url}, the server that also provides the file:`));
  io.err(
    plain(
      `${sha256}; compare it with a checksum from another source, preferably over a different network`,
    ),
  );
  const answer = await orAborted(io.ask("Type 'same' if they match: "), signal);
  return answer?.trim() === 'same';
}

/** The output of `npm run bundle`, and `deploy` in the clone. @throws CliError It is missing. */
export async function programSources(
  command: SkoloCommand,
  { bundles }: Pick<StepOptions, 'bundles'>,
): Promise<ProgramSources> {
  const root = resolve(dirname(await clustersFile(command)), '../..');
  const folder = resolve(command.io.folder, bundles ?? join(root, 'out/bundle'));
  const deploy = join(root, 'deploy');
  await rejectMissing(deploy, inClone);
  await rejectMissing(join(folder, 'fallback'), `run npm run bundle in ${root}`);
  return { bundles: folder, deploy };
}

async function rejectMissing(folder: string, how: string): Promise<void> {
  await access(folder).catch((cause: unknown) => {
    if (errorCode(cause) !== 'ENOENT') throw cause;
    throw new CliError(`${folder}: no such directory; ${how}`, 1, { cause });
  });
}

const Kustomization = z.object({ components: z.array(z.string()).default([]) });

/** Names of their directories. */
async function componentsOf(overlay: string): Promise<Set<string>> {
  const file = join(overlay, 'kustomization.yaml');
  const { components } = Kustomization.parse(parse(await readFile(file, 'utf8')));
  return new Set(components.map((path) => basename(path)));
}

/** Those that say how they are. */
export const services: readonly AskedService[] = jumphostServices.map((name) => ({
  name,
  namespace: namespaceOf(name),
  metricsPort: servicePorts[name].metricsPort,
}));
