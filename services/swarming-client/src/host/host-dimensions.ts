/** The dimensions of this machine itself: they count where no device is attached. */
import { readdir, readFile } from 'node:fs/promises';
import { cpus, machine } from 'node:os';
import { join } from 'node:path';
import type { Logger } from '@skolo/common/light';
import type { Dimensions } from '../devices/device.ts';
import { type Gpu, linuxDimensions, readCpuInfo } from '../devices/parse/linux.ts';
import { dimensions } from '../dimensions.ts';
import type { RunCommand } from '../run-command.ts';

export interface HostDimensionsOptions {
  signal: AbortSignal;
  /** Of one program that is asked; 5 s by default. */
  timeoutMs?: number;
  /** Where the files of the system are; `/` by default. */
  root?: string;
  /** As `uname -m` says it, and the width of its programs; those of this process by default. */
  machine?: string;
  bits?: 32 | 64;
  cores?: number;
}

const nvidia = '10de';
/** Those whose driver is Mesa: Intel, AMD. */
const mesaVendors = ['8086', '1002'];

/**
 * What cannot be found out is left out; nothing is thrown but the reason of the signal. It asks at most two programs (dpkg
 * where there is such a GPU, docker): once at the start and then rarely is enough.
 */
export async function hostDimensions(
  run: RunCommand,
  options: HostDimensionsOptions,
): Promise<Dimensions> {
  const { signal, timeoutMs = 5000, root = '/' } = options;
  const text = (path: string) => readFile(join(root, path), 'utf8').catch(() => '');
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
    const told = await succeeds('dpkg', ['-s', 'libgl1-mesa-dri']);
    const [, version] = /^Version: (\S+)/m.exec(told ?? '') ?? [];
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
      // Not by asking a metadata server: that of the rack answers as Google's does.
      gce: isGce ? ['1'] : [],
      docker_installed: docker === undefined ? [] : ['true'],
    }),
  };
}

/** By sysfs, where lspci reads it, too: it need not be installed. */
async function readPciGpus(root: string): Promise<Gpu[]> {
  const folder = join(root, 'sys/bus/pci/devices');
  const names = await readdir(folder).catch(() => []);
  const gpus: Gpu[] = [];
  for (const name of names.sort()) {
    const [kind = '', vendor = '', device = ''] = await Promise.all(
      ['class', 'vendor', 'device'].map((file) =>
        readFile(join(folder, name, file), 'utf8').catch(() => ''),
      ),
    );
    const [vendorId, deviceId] = [vendor, device].map(
      (id) => /^0x([0-9a-f]{4})$/.exec(id.trim())?.[1],
    );
    if (!kind.startsWith('0x03') || vendorId === undefined || deviceId === undefined) continue;
    gpus.push({ vendor: vendorId, device: deviceId });
  }
  return gpus;
}

/** What the machine itself is, for Swarming: asked now and then, where no device is attached to it. */
export interface HostFactsDeps {
  run: RunCommand;
  onChange: () => void;
  log: Pick<Logger, 'info'>;
}

/** A driver is updated now and then; a processor never. */
const everyMs = 3600_000;

export class HostFacts {
  private readonly deps: HostFactsDeps;
  private readonly ended = new AbortController();
  private known: Dimensions | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isWanted = false;

  constructor(deps: HostFactsDeps) {
    this.deps = deps;
  }

  /** Undefined: not known yet, or nobody wants to know. */
  dimensions(): Dimensions | undefined {
    return this.isWanted ? this.known : undefined;
  }

  /** Whether they count: a machine with a phone is no test machine itself. */
  wanted(isWanted: boolean): void {
    if (isWanted === this.isWanted) return;
    this.isWanted = isWanted;
    clearTimeout(this.timer);
    if (isWanted) void this.look();
  }

  stop(): void {
    this.ended.abort(new Error('the agent stops'));
    clearTimeout(this.timer);
  }

  private async look(): Promise<void> {
    const { signal } = this.ended;
    if (signal.aborted) return;
    // Throws nothing but the reason of the signal.
    this.known = await hostDimensions(this.deps.run, { signal }).catch(() => this.known);
    if (signal.aborted || !this.isWanted) return;
    this.deps.onChange();
    // A look that began before it was unwanted for a while has set one, too.
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.look(), everyMs);
  }
}
