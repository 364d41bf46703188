import type { Dimensions } from './device.ts';
import { dimensions } from './dimensions.ts';
import { type CpuInfo, cpuNames } from './parse/cpuinfo.ts';
import { type Gpu, gpuNames } from './parse/lspci.ts';
import { osNames } from './parse/os-release.ts';

export interface LinuxFacts {
  osRelease: string;
  debianVersion: string;
  /** As `uname -m` says it. */
  machine: string;
  /** Of its programs. */
  bits: 32 | 64;
  cores: number | undefined;
  cpu: CpuInfo;
  gpus: readonly Gpu[];
  /** Version of the graphics driver by vendor. */
  drivers: ReadonlyMap<string, string>;
}

/** The dimensions of a computer with Linux, as Swarming's own bot names them. */
export function linuxDimensions(facts: LinuxFacts): Dimensions {
  const { cores, osRelease, debianVersion, machine, bits, cpu, gpus, drivers } = facts;
  return dimensions({
    os: osNames(osRelease, debianVersion),
    cores: [cores === undefined ? undefined : String(cores)],
    cpu: cpuNames(machine, bits, cpu),
    gpu: gpuNames(gpus, drivers),
  });
}
