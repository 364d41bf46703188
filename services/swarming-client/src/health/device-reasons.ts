/** Decides when a phone prevents its machine from getting tasks: missing, battery low, too hot, not ready, given up. */

import { type DeviceReading, type DeviceView, type Dimensions, isOld } from '../devices/device.ts';
import type { HealthFacts, HealthSettings, Reason, ReasonCode } from './health.ts';

/** A reason before its start is determined. `began`: if something better than "now" is known. */
export type Finding = Omit<Reason, 'since'> & { began?: Date };

/** Whether a reason with that code existed before. */
export type Was = (code: ReasonCode, device?: string) => Reason | undefined;

/** Android's PowerManager.THERMAL_STATUS_SEVERE: it throttles itself so much that measurements are wrong. */
const severe = 3;
/** THERMAL_STATUS_MODERATE: the phone has recovered only below it. */
const moderate = 2;
const statusNames = ['none', 'light', 'moderate', 'severe', 'critical', 'emergency', 'shutdown'];

export function deviceReasons(
  view: DeviceView,
  facts: HealthFacts,
  settings: HealthSettings,
  was: Was,
): Finding[] {
  const { name } = view;
  const givenUp = facts.givenUp.get(name);
  const found: Finding[] = [];
  if (givenUp !== undefined) {
    const text = `needs attention: ${givenUp}`;
    found.push({ verdict: 'quarantined', code: 'needs-attention', text, device: name });
  }
  found.push(...presence(view, facts, settings));
  return [...found, ...figures(view, settings, was), ...setByHand(view, facts)];
}

function presence(
  { name, state, since, why, code, reading, readUptime = 0, notReadyUptime }: DeviceView,
  { rebooting, notBack }: HealthFacts,
  settings: HealthSettings,
): Finding[] {
  const asked = rebooting.get(name);
  if (asked !== undefined) {
    const text = 'rebooting after a task';
    // Planned, not a fault: machine-state counts `recovering` as lost time.
    return [{ verdict: 'maintenance', code: 'rebooting', text, device: name, began: asked }];
  }
  if (code !== undefined) {
    const what = state === 'missing' ? state : 'cannot be checked';
    const text = `${what}: ${why ?? 'for an unknown reason'}`;
    return [{ verdict: 'quarantined', code, text, device: name, began: since }];
  }
  if (state === 'unknown') {
    const text = 'state not known yet: the device has not been checked';
    return [{ verdict: 'maintenance', code: 'not-known', text, device: name, began: since }];
  }
  const lost = notBack.get(name);
  if (lost !== undefined) {
    const asBefore =
      reading?.isReady === false
        ? (reading.whyNotReady ?? 'the device is still booting')
        : 'the device is connected, but has not rebooted';
    const how = state === 'missing' ? (why ?? 'missing') : asBefore;
    const text = `not back from its reboot after a task: ${how}`;
    return [{ verdict: 'quarantined', code: 'not-back', text, device: name, began: lost }];
  }
  if (state === 'missing') {
    const text = `missing: ${why ?? 'for an unknown reason'}`;
    return [{ verdict: 'quarantined', code: 'missing', text, device: name, began: since }];
  }
  if (reading?.isReady !== false) return [];
  const { readySeconds } = settings.afterTask;
  const isStuck = readUptime - (notReadyUptime ?? readUptime) > readySeconds;
  const howLong = isStuck ? ` for more than ${readySeconds} s` : '';
  const text = `not ready${howLong}: ${reading.whyNotReady ?? 'still booting'}`;
  const verdict = isStuck ? 'quarantined' : 'recovering';
  return [{ verdict, code: 'not-ready', text, device: name }];
}

/** While figures cannot be read the last ones remain valid: an empty battery is not full because adb is gone. */
function figures(view: DeviceView, settings: HealthSettings, was: Was) {
  const { name, state, reading, batteryAt, heatAt } = view;
  if (reading === undefined) return [];
  const isThere = state === 'present';
  const found: Finding[] = [];
  const add: Add = (code, isTrouble, text) => {
    const before = was(code, name);
    const counts = isThere ? isTrouble(before !== undefined) : before !== undefined;
    if (counts) found.push({ verdict: 'recovering', code, text, device: name });
  };
  battery(reading, ageText(batteryAt, view), settings, add);
  heat(reading, ageText(heatAt, view), settings, add);
  return found;
}

const resets = [
  ['battery', 'battery level', 'dumpsys battery reset'],
  ['thermalStatus', 'thermal status', 'cmd thermalservice reset'],
] as const;

function setByHand({ name, reading }: DeviceView, { taskRunning }: HealthFacts): Finding[] {
  const set = resets.filter(([key]) => reading?.setByHand?.[key]);
  return set.map(([, what, command]) => ({
    // A test may do so, and the reboot after it ends that.
    verdict: taskRunning ? 'recovering' : 'quarantined',
    code: `set-by-hand:${what.replace(' ', '-')}`,
    text: `the ${what} was set manually; to measure it again, run \`adb shell ${command}\``,
    device: name,
  }));
}

function ageText(at: Date | undefined, view: DeviceView): string {
  return at && isOld(at, view) ? ` (last read at ${at.toISOString().slice(0, 16)}Z)` : '';
}

type Add = (code: ReasonCode, isTrouble: (was: boolean) => boolean, text: string) => void;

function battery(
  { batteryPercent: percent, dimensions }: DeviceReading,
  age: string,
  settings: HealthSettings,
  add: Add,
) {
  if (percent === undefined) return;
  const { batteryLowPercent: low, batteryGoodPercent: good } = thresholdsFor(settings, dimensions);
  const text = `battery low: ${rounded(percent)}%${age}, recovers at ${Math.max(low, good)}%`;
  add('battery-low', (before) => isLow(percent, { low, good }, before), text);
}

function heat(
  { temperatures, processorSensors = [], thermalStatus, dimensions }: DeviceReading,
  age: string,
  settings: HealthSettings,
  add: Add,
) {
  const limits = thresholdsFor(settings, dimensions);
  for (const [sensor, celsius] of Object.entries(temperatures)) {
    if (limits.ignoreSensors.includes(sensor)) continue;
    const { hot, cool } = processorSensors.includes(sensor)
      ? { hot: limits.hotProcessorCelsius, cool: limits.coolProcessorCelsius }
      : { hot: limits.hotCelsius, cool: limits.coolCelsius };
    const text = `too hot: ${sensor} ${rounded(celsius)} °C${age}, recovers below ${Math.min(hot, cool)} °C`;
    add(`hot:${sensor}`, (before) => isHot(celsius, { hot, cool }, before), text);
  }
  if (thermalStatus === undefined) return;
  const text = `too hot: the thermal status is ${statusNames[thermalStatus] ?? thermalStatus}${age}`;
  add('thermal-status', (before) => thermalStatus >= (before ? moderate : severe), text);
}

export function rounded(figure: number): string {
  return String(Math.round(figure * 10) / 10);
}

type Thresholds = HealthSettings['thresholds'];

/** The thresholds of all devices, with those of its model: the first `device_type` in rack.yaml. */
function thresholdsFor(
  { thresholds, deviceModels }: Pick<HealthSettings, 'thresholds' | 'deviceModels'>,
  dimensions: Dimensions | undefined,
): Thresholds {
  const types = dimensions?.device_type ?? [];
  const model = types.find((type) => Object.hasOwn(deviceModels, type));
  return { ...thresholds, ...(model !== undefined && deviceModels[model]) };
}

/**
 * A problem below `low`, until it is at `good` again. Between the two edges of a threshold the reason stays as it was, to avoid flapping.
 */
export function isLow(value: number, { low, good }: { low: number; good: number }, was: boolean) {
  return was ? value < Math.max(low, good) : value < low;
}

/** A problem above `hot`, until it is below `cool` again. */
export function isHot(value: number, { hot, cool }: { hot: number; cool: number }, was: boolean) {
  return was ? value >= Math.min(hot, cool) : value > hot;
}
