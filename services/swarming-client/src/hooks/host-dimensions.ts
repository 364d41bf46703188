/** This machine's own dimensions, used if no device is attached. */

import { cpus, machine } from 'node:os';
import { join } from 'node:path';
import { repeat } from '@skolo/base';
import type { RunCommand } from '@skolo/base/run-command';
import type { Dimensions } from '../devices/device.ts';
import { type Gpu, linuxDimensions, readCpuInfo } from '../devices/parse/linux.ts';
import { dimensions } from '../dimensions.ts';
import { namesIn, textOf } from '../host/quiet-files.ts';
import type { PartDeps } from '../part-deps.ts';

interface HostDimensionsOptions {
  signal: AbortSignal;
  /** Time limit for one program; 5 s by default. */
  timeoutMs?: number;
  /** Root of the system's files; `/` by default. */
  root?: string;
  /** As in `uname -m`, and the width of its programs; those of this process by default. */
  machine?: string;
  bits?: 32 | 64;
  cores?: number;
}

const nvidia = '10de';
/** Those whose driver is Mesa: Intel, AMD. */
const mesaVendors = ['8086', '1002'];

/**
 * Undetectable ones are omitted; only the signal's reason is thrown. It runs at most two programs (dpkg if there is such a GPU, docker):
 * once at the start and rarely afterwards is enough.
 */
export async function hostDimensions(
  run: RunCommand,
  options: HostDimensionsOptions,
): Promise<Dimensions> {
  const { signal, timeoutMs = 5000, root = '/' } = options;
  const text = async (path: string) => (await textOf(join(root, path))) ?? '';
  const succeeds = (file: string, args: readonly string[]) =>
    run(file, args, { timeoutMs, signal }).then(
      ({ status, stdout }) => (status === 0 ? stdout : undefined),
      () => undefined,
    );
  const gpus = await readPciGpus(root);
  const docker = await succeeds('docker', ['version']);
  const drivers = new Map<string, string>();
  const nvidiaVersion = (await text('sys/module/nvidia/version')).trim();
  if (nvidiaVersion !== '') drivers.set(nvidia, nvidiaVersion);
  if (gpus.some(({ vendor }) => mesaVendors.includes(vendor))) {
    const status = await succeeds('dpkg', ['-s', 'libgl1-mesa-dri']);
    const [, version] = /^Version: (\S+)/m.exec(status ?? '') ?? [];
    for (const vendor of mesaVendors) if (version !== undefined) drivers.set(vendor, version);
  }
  signal.throwIfAborted();
  const isGce = (await text('sys/class/dmi/id/product_name')).trim() === 'Google Compute Engine';
  return {
    ...linuxDimensions({
      osRelease: await text('etc/os-release'),
      debianVersion: await text('etc/debian_version'),
      machine: options.machine ?? machine(),
      bits: options.bits ?? (['arm', 'ia32', 'mips'].includes(process.arch) ? 32 : 64),
      cores: options.cores ?? (cpus().length || undefined),
      cpu: readCpuInfo(await text('proc/cpuinfo')),
      gpus,
      drivers,
    }),
    ...dimensions({
      // Not by asking a metadata server: that of the rack answers like Google's.
      gce: isGce ? ['1'] : [],
      docker_installed: docker === undefined ? [] : ['true'],
    }),
  };
}

/** From sysfs, which lspci also reads: it need not be installed. */
async function readPciGpus(root: string): Promise<Gpu[]> {
  const folder = join(root, 'sys/bus/pci/devices');
  const gpus: Gpu[] = [];
  for (const name of await namesIn(folder)) {
    const [kind = '', vendor = '', device = ''] = await Promise.all(
      ['class', 'vendor', 'device'].map((file) => textOf(join(folder, name, file))),
    );
    const [vendorId, deviceId] = [vendor, device].map(
      (id) => /^0x([0-9a-f]{4})$/.exec(id.trim())?.[1],
    );
    if (!kind.startsWith('0x03') || vendorId === undefined || deviceId === undefined) continue;
    gpus.push({ vendor: vendorId, device: deviceId });
  }
  return gpus;
}

type HostDimensionsDeps = Pick<PartDeps, 'run' | 'emit'>;

/** A driver is updated occasionally; a processor never is. */
const everySeconds = 3600;

/** The machine's own dimensions, read every hour while no device is attached to it. */
export class HostDimensions {
  private readonly deps: HostDimensionsDeps;
  private readonly ended = new AbortController();
  private known: Dimensions | undefined;
  /** Ends the readings; absent while they do not count. */
  private looking: AbortController | undefined;

  constructor(deps: HostDimensionsDeps) {
    this.deps = deps;
  }

  /** Undefined: not known yet, or not wanted. */
  get(): Dimensions | undefined {
    return this.looking && this.known;
  }

  /** Whether they count: a machine with a phone is not itself a test machine. */
  setWanted(isWanted: boolean): void {
    if (isWanted === (this.looking !== undefined) || this.ended.signal.aborted) return;
    this.looking?.abort(new Error('a device is attached'));
    this.looking = isWanted ? new AbortController() : undefined;
    if (this.looking === undefined) return;
    const signal = AbortSignal.any([this.ended.signal, this.looking.signal]);
    repeat(everySeconds * 1000, () => this.readDimensions(signal), signal);
  }

  stop(): void {
    this.ended.abort(new Error('the agent is stopping'));
  }

  private async readDimensions(signal: AbortSignal): Promise<void> {
    const { run, emit } = this.deps;
    this.known = await hostDimensions(run, { signal });
    emit({ type: 'facts' });
  }
}
