/** What is healthy for one device: the thresholds of all, and what its model has differently. */
import type { MachineSlice } from '@skolo/rack/slice';
import type { Dimensions } from '../devices/device.ts';

type Settings = MachineSlice['swarming'];
export type Thresholds = Settings['thresholds'];
export type ModelSettings = Pick<Settings, 'thresholds' | 'deviceModels'>;

/** By `device_type`: the first of its values that rack.yaml knows. */
export function thresholdsFor(
  { thresholds, deviceModels }: ModelSettings,
  dimensions: Dimensions | undefined,
): Thresholds {
  const types = dimensions?.device_type ?? [];
  const model = types.find((type) => Object.hasOwn(deviceModels, type));
  const own = model === undefined ? {} : (deviceModels[model] ?? {});
  const figure = (key: Exclude<keyof Thresholds, 'ignoreSensors'>) => {
    const value = own[key];
    return typeof value === 'number' ? value : thresholds[key];
  };
  return {
    batteryLowPercent: figure('batteryLowPercent'),
    batteryGoodPercent: figure('batteryGoodPercent'),
    hotCelsius: figure('hotCelsius'),
    coolCelsius: figure('coolCelsius'),
    hotProcessorCelsius: figure('hotProcessorCelsius'),
    coolProcessorCelsius: figure('coolProcessorCelsius'),
    ignoreSensors: texts(own.ignoreSensors) ?? thresholds.ignoreSensors,
  };
}

function texts(value: unknown): string[] | undefined {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : undefined;
}
