/**
 * Microcontrollers behind a debug probe (CMSIS-DAP, ST-Link, J-Link), for PyOCD.
 *
 * rack.yaml: `device: { kind: pyocd, serial: 066EFF… }`, its name in `swarming: { dimensions: { device_type: […] } }`.
 * USB shows whether the probe is present, at no cost; PyOCD itself (`pyocd json --probes`) is run only when the USB devices have changed or
 * do not suffice, because its start takes several seconds on a Raspberry Pi. If it is not installed, hangs or knows nothing, the probe
 * counts as present.
 */
import { z } from 'zod';
import { dimensions } from '../dimensions.ts';
import type { AttachedDevice, Device, DeviceDeps, DeviceReading } from './device.ts';
import { Missing, retried, WrongEntry } from './look.ts';
import { listUsb, type UsbDevice } from './usb.ts';

const Probes = z.object({
  boards: z.array(
    z.object({
      unique_id: z.string(),
      board_name: z.string().nullish(),
      target: z.string().nullish(),
    }),
  ),
});
type Board = z.output<typeof Probes>['boards'][number];

/** For a probe whose target PyOCD does not know. */
const anyTarget = 'cortex_m';

export function pyocd({ serial }: AttachedDevice, deps: DeviceDeps): Device {
  /** USB shows this probe: when it no longer does, the probe has been unplugged. */
  let isOnUsb = false;
  let asked: { of: string; boards: readonly Board[] | undefined } | undefined;

  async function boardsOf(usb: readonly UsbDevice[], signal: AbortSignal) {
    const of = usb
      .map(({ path, serial: its }) => `${path} ${its}`)
      .sort()
      .join();
    if (asked?.of !== of || asked.boards === undefined) {
      asked = { of, boards: await askPyocd(deps, signal) };
    }
    return asked.boards;
  }

  async function read(signal: AbortSignal): Promise<DeviceReading> {
    const probes = (await listUsb(deps.sysfs)).filter(isProbe);
    const isSeen = probes.some(
      (probe) => serial === undefined || isSameProbe(probe.serial, serial),
    );
    isOnUsb ||= isSeen;
    const boards = await boardsOf(probes, signal);
    if (isOnUsb && !isSeen && !boards?.length)
      throw new Missing('unplugged: no longer connected over USB');
    const fitting = boards?.filter(
      ({ unique_id: id }) => serial === undefined || isSameProbe(id, serial),
    );
    if (!isSeen && fitting?.length === 0) {
      const others = boards?.map(({ unique_id: id }) => id).join(', ');
      throw new Missing(
        `not attached: no debug probe${serial === undefined ? '' : ` with the serial number ${serial}`} was found${others ? `; attached: ${others}` : ''}`,
      );
    }
    const ids = fitting?.map(({ unique_id: id }) => id) ?? [];
    if (ids.length > 1 || (boards === undefined && serial === undefined && probes.length > 1)) {
      const names = ids.length > 0 ? ids : probes.map((probe) => probe.serial ?? probe.path);
      throw new WrongEntry(
        `${names.length} probes are attached (${names.join(', ')}); set \`serial\` in rack.yaml to select one`,
      );
    }
    const board = fitting?.[0];
    const target = board?.target === anyTarget ? undefined : board?.target;
    const found = serial ?? board?.unique_id ?? probes[0]?.serial;
    return {
      dimensions: dimensions({
        device_type: [board?.board_name ?? undefined, target ?? undefined],
      }),
      serial: found,
      temperatures: {},
    };
  }

  return { read: retried(read), repairs: {} };
}

/** Undefined: no answer. */
async function askPyocd({ run, settings }: DeviceDeps, signal: AbortSignal) {
  try {
    const timeoutMs = settings().commandSeconds * 1000;
    const { status, stdout } = await run('pyocd', ['json', '--probes'], { timeoutMs, signal });
    if (status !== 0) return undefined;
    return Probes.safeParse(JSON.parse(stdout)).data?.boards;
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

export function isSameProbe(one: string | undefined, other: string): boolean {
  return one?.toLowerCase() === other.toLowerCase();
}

/** By USB vendor and product; CMSIS-DAP probes have it in their names, as specified. */
const probeIds: readonly [vendor: string, product: RegExp][] = [
  ['0483', /^37(44|48|4a|4b|4d|4e|4f|52|53|54|55|57)$/],
  ['1366', /./],
  ['2e8a', /^000[4c]$/],
  ['0d28', /^0204$/],
];

export function isProbe({ vendor, product, name }: UsbDevice): boolean {
  if (/CMSIS[- ]?DAP/i.test(name)) return true;
  return probeIds.some(([its, products]) => its === vendor && products.test(product));
}
