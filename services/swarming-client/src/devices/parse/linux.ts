/** Derives dimensions of a Linux computer (`os`, `cpu`, `gpu`), and its temperatures, from the output of its programs. */
import { dimensions, versionsOf } from '../../dimensions.ts';
import type { Dimensions } from '../device.ts';
import { linesOf, plausibleCelsius, readAssignments } from './text.ts';

/**
 * The dimension `os` of a Linux system: `Linux`, `Debian`, `Debian-12`, `Debian-12.4`.
 *
 * @param osRelease /etc/os-release, see os-release(5)
 * @param debianVersion /etc/debian_version, which is more exact if ID is debian or raspbian; for a testing release it is a name
 */
export function osNames(osRelease: string, debianVersion = ''): string[] {
  const fields = readAssignments(osRelease);
  const id = fields.get('ID')?.trim() ?? '';
  if (id === '') return ['Linux'];
  const exact = /^(debian|raspbian)$/.test(id)
    ? /^\d+(\.\d+)*$/.exec(debianVersion.trim())?.[0]
    : undefined;
  const version = exact ?? fields.get('VERSION_ID')?.trim();
  return ['Linux', ...versionsOf(id.charAt(0).toUpperCase() + id.slice(1), version)];
}

/** The part of /proc/cpuinfo that Swarming's names are derived from. */
interface CpuInfo {
  vendor?: string | undefined;
  name?: string | undefined;
}

/** The first of several processors; ARM's `Hardware` and `Model` are in a separate paragraph at the end. */
export function readCpuInfo(text: string): CpuInfo {
  const values = new Map<string, string>();
  for (const line of linesOf(text)) {
    const [, key, value] = /^([^:]*\S)\s*:\s*(.*\S)\s*$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined && !values.has(key)) values.set(key, value);
  }
  const vendor = values.get('vendor_id');
  if (vendor !== undefined) return { name: values.get('model name'), vendor };
  if (values.get('isa')?.includes('mips')) return { name: values.get('cpu model') };
  return { name: values.get('Hardware')?.replace(/ \(Flattened Device Tree\)$/, '') };
}

/** By `uname -m`; the names are luci-py's (`swarming_bot/api/os_utilities.py`). */
const families: readonly [RegExp, string][] = [
  [/^(x86_64|amd64|i[3-6]86)$/, 'x86'],
  [/^(aarch64|arm64)$/, 'arm64'],
  [/^mips/, 'mips'],
];

/** From most to least precise. */
const intelModels = [
  / ([a-zA-Z]\d-\d{4}[A-Z]{0,2} [vV]\d) /,
  / ([a-zA-Z]\d-\d{4}[A-Z]{0,2}) /,
  / ([A-Z]\d{4}[A-Z]{0,2}) /,
  / ((?:[A-Z][a-z]+ ){1,8}GCE)/,
];

/**
 * The dimension `cpu`: `x86`, `x86-64`, `x86-64-i7-9750H`; for a Raspberry Pi `arm64`, `arm64-64`, `arm`, `arm-64`, and for a 32-bit one
 * `armv7l`, `armv7l-32`, `arm`, `arm-32`, each with its model if the kernel reports it.
 *
 * @param bits those of its programs, not of its kernel: a Pi may have a 64-bit kernel under a 32-bit system
 */
export function cpuNames(machine: string, bits: 32 | 64, { vendor, name }: CpuInfo): string[] {
  const first = families.find(([pattern]) => pattern.test(machine))?.[1] ?? machine;
  if (first === '') return [];
  const model = vendor === 'GenuineIntel' ? intelModel(name ?? '') : name;
  const withModel = model?.trim().replace(/\s+/g, '_');
  const isArm = first.startsWith('arm');
  return [
    first,
    `${first}-${bits}`,
    ...(withModel ? [`${first}-${bits}-${withModel}`] : []),
    ...(isArm && first !== 'arm' ? ['arm', `arm-${bits}`] : []),
  ];
}

function intelModel(name: string): string | undefined {
  for (const pattern of intelModels) {
    const [, model] = pattern.exec(name) ?? [];
    if (model !== undefined) return model;
  }
  return undefined;
}

export interface Gpu {
  /** Four hexadecimal digits each. */
  vendor: string;
  device: string;
}

/**
 * Display controllers (class 03xx) in the output of `lspci -mm -nn`:
 * `01:00.0 "VGA compatible controller [0300]" "NVIDIA Corporation [10de]" "GP106 [1c03]" -ra1 "" ""`.
 */
export function readGpus(text: string): Gpu[] {
  const gpus: Gpu[] = [];
  for (const line of linesOf(text)) {
    const [, kind, vendor, device] = /^\S+ "([^"]*)" "([^"]*)" "([^"]*)"/.exec(line) ?? [];
    const [kindId, vendorId, deviceId] = [idIn(kind), idIn(vendor), idIn(device)];
    if (!kindId?.startsWith('03') || vendorId === undefined || deviceId === undefined) continue;
    gpus.push({ vendor: vendorId, device: deviceId });
  }
  return gpus;
}

function idIn(field = ''): string | undefined {
  return /\[([0-9a-f]{4})\]$/.exec(field)?.[1];
}

/** The dimension `gpu`. @param driver version by vendor */
export function gpuNames(gpus: readonly Gpu[], driver: ReadonlyMap<string, string>): string[] {
  if (gpus.length === 0) return ['none'];
  const names = gpus.flatMap(({ vendor, device }) => {
    const version = driver.get(vendor);
    const both = `${vendor}:${device}`;
    return version === undefined ? [vendor, both] : [vendor, both, `${both}-${version}`];
  });
  return [...new Set(names)].sort();
}

interface SysfsSensors {
  temperatures: Readonly<Record<string, number>>;
  processorSensors: readonly string[];
  batteryPercent?: number | undefined;
}

/** All other zones of computers are in or near a processor, whatever their names. */
const outside = /batt|skin|case|ambient/i;

const path = /^\/sys\/class\/(thermal|power_supply)\/([^/]+)\/(\w+):(.*)$/;

/**
 * `grep -H .` over /sys/class/thermal/thermal_zoneN/{type,temp} and /sys/class/power_supply/NAME/{type,scope,capacity}: each line is
 * `PATH:VALUE`. `temp` is in thousandths of a degree (Documentation/ABI/testing/sysfs-class-thermal), `capacity` in percent. A supply with
 * the scope `Device` is the battery of a mouse or a pen.
 */
export function readSysfsSensors(text: string): SysfsSensors {
  const nodes = new Map<string, Map<string, string>>();
  for (const line of linesOf(text)) {
    const [, kind, node, file, value] = path.exec(line) ?? [];
    if (kind === undefined || node === undefined || file === undefined) continue;
    const key = `${kind}/${node}`;
    const values = nodes.get(key) ?? new Map<string, string>();
    nodes.set(key, values.set(file, (value ?? '').trim()));
  }
  const temperatures = new Map<string, number>();
  const percents: number[] = [];
  for (const [key, values] of nodes) {
    if (key.startsWith('thermal/')) addZone(temperatures, key, values);
    const percent = Number(values.get('capacity') || Number.NaN);
    const isBattery = values.get('type') === 'Battery' && values.get('scope') !== 'Device';
    if (isBattery && percent >= 0 && percent <= 100) percents.push(percent);
  }
  return {
    temperatures: Object.fromEntries(temperatures),
    processorSensors: [...temperatures.keys()].filter((name) => !outside.test(name)),
    batteryPercent: percents.length > 0 ? Math.min(...percents) : undefined,
  };
}

/** Several zones may have the same type: the hottest counts. */
function addZone(
  temperatures: Map<string, number>,
  key: string,
  values: ReadonlyMap<string, string>,
): void {
  const celsius = plausibleCelsius(Number(values.get('temp') || Number.NaN) / 1000);
  if (celsius === undefined) return;
  const name = values.get('type') || key.slice('thermal/'.length);
  temperatures.set(name, Math.max(celsius, temperatures.get(name) ?? 0));
}

interface LinuxFacts {
  osRelease: string;
  debianVersion: string;
  /** As in `uname -m`. */
  machine: string;
  /** Of its programs. */
  bits: 32 | 64;
  cores: number | undefined;
  cpu: CpuInfo;
  gpus: readonly Gpu[];
  /** Version of the graphics driver by vendor. */
  drivers: ReadonlyMap<string, string>;
}

/** A Linux computer's dimensions, as Swarming's own bot names them. */
export function linuxDimensions(facts: LinuxFacts): Dimensions {
  const { cores, osRelease, debianVersion, machine, bits, cpu, gpus, drivers } = facts;
  return dimensions({
    os: osNames(osRelease, debianVersion),
    cores: [cores === undefined ? undefined : String(cores)],
    cpu: cpuNames(machine, bits, cpu),
    gpu: gpuNames(gpus, drivers),
  });
}
