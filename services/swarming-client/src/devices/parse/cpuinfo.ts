import { linesOf } from './lines.ts';

/** What /proc/cpuinfo says of the processor that Swarming's names are made of. */
export interface CpuInfo {
  vendor?: string;
  name?: string;
}

/** Of several processors the first; `Hardware` and `Model` of ARM are in a paragraph of their own, at the end. */
export function readCpuInfo(text: string): CpuInfo {
  const values = new Map<string, string>();
  for (const line of linesOf(text)) {
    const [, key, value] = /^([^:]*\S)\s*:\s*(.*\S)\s*$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined && !values.has(key)) values.set(key, value);
  }
  const vendor = values.get('vendor_id');
  if (vendor !== undefined) return named(values.get('model name'), vendor);
  if (values.get('isa')?.includes('mips')) return named(values.get('cpu model'));
  return named(values.get('Hardware')?.replace(/ \(Flattened Device Tree\)$/, ''));
}

function named(name: string | undefined, vendor?: string): CpuInfo {
  return { ...(vendor !== undefined && { vendor }), ...(name !== undefined && { name }) };
}

/** By what `uname -m` says; the names are luci-py's (`swarming_bot/api/os_utilities.py`). */
const families: readonly [RegExp, string][] = [
  [/^(x86_64|amd64|i[3-6]86)$/, 'x86'],
  [/^(aarch64|arm64)$/, 'arm64'],
  [/^mips/, 'mips'],
];

/** From the most precise to the least. */
const intelModels = [
  / ([a-zA-Z]\d-\d{4}[A-Z]{0,2} [vV]\d) /,
  / ([a-zA-Z]\d-\d{4}[A-Z]{0,2}) /,
  / ([A-Z]\d{4}[A-Z]{0,2}) /,
  / ((?:[A-Z][a-z]+ )+GCE)/,
];

/**
 * The dimension `cpu`: `x86`, `x86-64`, `x86-64-i7-9750H`; of a Raspberry Pi `arm64`, `arm64-64`, `arm`, `arm-64`, and of
 * one with 32 bits `armv7l`, `armv7l-32`, `arm`, `arm-32`, each with its model where the kernel tells.
 *
 * @param bits of its programs, not of its kernel: a Pi may have a kernel of 64 bits under a system of 32
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
