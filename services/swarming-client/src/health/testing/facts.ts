/** Facts and settings for tests: everything is well, except what a test sets. */
import type { MachinePart } from '@skolo/rack/machine-part';
import type { DeviceReading, DeviceView } from '../../devices/device.ts';
import type { HealthFacts, HealthSettings } from '../health.ts';

export const settings: HealthSettings & Pick<MachinePart['swarming'], 'repair'> = {
  thresholds: {
    batteryLowPercent: 30,
    batteryGoodPercent: 40,
    hotCelsius: 35,
    hotProcessorCelsius: 80,
    coolProcessorCelsius: 65,
    coolCelsius: 32,
    ignoreSensors: [],
  },
  deviceModels: {},
  host: {
    diskLowPercent: 5,
    diskGoodPercent: 8,
    hotCelsius: 80,
    coolCelsius: 70,
    clockOffsetSeconds: 10,
  },
  afterTask: { reboot: true, readySeconds: 300 },
  repair: {
    steps: ['adb-reconnect', 'adb-restart', 'device-reboot', 'usb-cycle', 'power-cycle'],
    afterSeconds: 120,
    pauseSeconds: 60,
    usbOffSeconds: 1,
    rounds: 2,
  },
};

export const noon = new Date('2026-11-20T12:00:00Z');

export function minutes(count: number): Date {
  return new Date(noon.getTime() + count * 60_000);
}

export function phone(
  reading: Partial<DeviceReading> = {},
  view: Partial<DeviceView> = {},
): DeviceView {
  return {
    name: 'phone',
    fullName: 'rpi-1-phone',
    kind: 'android',
    state: 'present',
    since: noon,
    readAt: noon,
    reading: { dimensions: { device_type: ['walleye'] }, temperatures: {}, ...reading },
    ...view,
  };
}

export function gone(why = 'offline'): DeviceView {
  return phone({}, { state: 'missing', why });
}

export function facts(differently: Partial<HealthFacts> = {}): HealthFacts {
  return {
    now: noon,
    devices: [],
    host: { disk: { freeBytes: 90, sizeBytes: 100 }, celsius: 40 },
    orders: [],
    holds: [],
    stopping: false,
    taskRunning: false,
    rebooting: new Map(),
    notBack: new Map(),
    givenUp: new Map(),
    ...differently,
  };
}
