/** Decides the bot's dimensions: its own, replaced by those of the device or machine, and of rack.yaml. */

import type { DeviceView, Dimensions } from '../devices/device.ts';
import { validDimensions } from '../dimensions.ts';
import { type AgentView, type Given, noTasks } from './state.ts';

/**
 * Always valid for Swarming, and never without `id`, which the bot expects back unchanged. Ours replace the given ones, key by key;
 * `dimensions` of rack.yaml replace those of the device.
 */
export function dimensionsFor(given: Given, view: AgentView): Dimensions {
  const { machinePart } = view;
  const zone = machinePart?.metadata.zone;
  const all = validDimensions([
    ...Object.entries(given),
    ...Object.entries(found(view)),
    ...(zone === undefined ? [] : [['zone', zonesOf(zone)] as const]),
    ...Object.entries(machinePart?.swarming.dimensions ?? {}),
    // A changed dimension makes the bot poll immediately; state alone is up to two minutes late.
    ['skolo_health', [noTasks(view).verdict]],
  ]);
  return { ...all, id: idOf(given, view) };
}

function idOf({ id }: Given, { machine }: AgentView): readonly string[] {
  const isText = Array.isArray(id) && id.length === 1 && typeof id[0] === 'string' && id[0] !== '';
  return isText ? id : [machine];
}

/** Those of the attached device; without one, of the machine itself. A missing device keeps its last ones. */
function found({ devices, host }: AgentView): Dimensions {
  const attached = devices.filter(({ kind }) => kind !== 'none');
  const readings = attached.length > 0 ? attached : devices;
  const known = readings.flatMap((device) =>
    device.reading === undefined ? [] : [device.reading.dimensions],
  );
  const united = union(attached.length > 0 ? known : [host, ...known]);
  const count = androidDevices(attached);
  return count === 0 ? united : { ...united, android_devices: [String(count)] };
}

function union(all: readonly Dimensions[]): Dimensions {
  const values = new Map<string, string[]>();
  for (const [key, texts] of all.flatMap((dimensions) => Object.entries(dimensions))) {
    const known = values.get(key) ?? [];
    values.set(key, [...known, ...texts.filter((text) => !known.includes(text))]);
  }
  return Object.fromEntries(values);
}

function androidDevices(devices: readonly DeviceView[]): number {
  const isAndroid = ({ reading }: DeviceView) => reading?.dimensions.android_devices?.[0] === '1';
  return devices.filter(isAndroid).length;
}

/** `us-skolo-1`: us, us-skolo, us-skolo-1, like cloud bots. */
function zonesOf(zone: string): string[] {
  const parts = (zone.split('/').at(-1) ?? zone).split('-');
  return parts.map((_, index) => parts.slice(0, index + 1).join('-'));
}
