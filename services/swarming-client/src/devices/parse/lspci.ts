import { linesOf } from './lines.ts';

export interface Gpu {
  /** Four hexadecimal digits each. */
  vendor: string;
  device: string;
}

/**
 * Display controllers (class 03xx) in what `lspci -mm -nn` prints:
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
