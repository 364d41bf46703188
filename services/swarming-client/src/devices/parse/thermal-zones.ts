import { plausibleCelsius } from './celsius.ts';
import { linesOf } from './lines.ts';

export interface SysfsSensors {
  temperatures: Readonly<Record<string, number>>;
  processorSensors: readonly string[];
  batteryPercent?: number;
}

/** All other zones of computers are in or beside a processor, whatever their vendors call them. */
const outside = /batt|skin|case|ambient/i;

const path = /^\/sys\/class\/(thermal|power_supply)\/([^/]+)\/(\w+):(.*)$/;

/**
 * `grep -H .` over /sys/class/thermal/thermal_zoneN/{type,temp} and /sys/class/power_supply/NAME/{type,scope,capacity}: each
 * line is `PATH:VALUE`. `temp` is in thousandths of a degree (Documentation/ABI/testing/sysfs-class-thermal), `capacity`
 * in percent. A supply with the scope `Device` is the battery of a mouse or a pen.
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
    ...(percents.length > 0 && { batteryPercent: Math.min(...percents) }),
  };
}

/** Several zones may have one type: the hottest tells. */
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
