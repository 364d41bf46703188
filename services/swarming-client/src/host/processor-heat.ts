/**
 * The temperature of the processor, from the kernel. Sources: Documentation/ABI/testing/sysfs-class-thermal (`temp` is in
 * thousandths of a °C, `type` names the zone) and sysfs-class-hwmon (`temp*_input`, likewise; `name` names the chip).
 */
import { join } from 'node:path';
import { namesIn, textOf } from './raspberry-power.ts';

/** Zones and chips of the processor; others are of the disk, the radio, the board. */
const zones = /^(cpu|soc|x86_pkg_temp|k10temp|bcm2835_thermal)/i;
const chips = /^(cpu_thermal|coretemp|k10temp|zenpower)$/;

/** °C of its hottest sensor; undefined: nothing tells. */
export async function processorCelsius(sys: string): Promise<number | undefined> {
  const zoneDir = join(sys, 'class/thermal');
  const found: number[] = [];
  for (const zone of await namesIn(zoneDir)) {
    if (!zone.startsWith('thermal_zone')) continue;
    if (!zones.test((await textOf(join(zoneDir, zone, 'type'))) ?? '')) continue;
    found.push(...degreesIn(await textOf(join(zoneDir, zone, 'temp'))));
  }
  if (found.length > 0) return Math.max(...found);
  const chipDir = join(sys, 'class/hwmon');
  for (const chip of await namesIn(chipDir)) {
    if (!chips.test((await textOf(join(chipDir, chip, 'name')))?.trim() ?? '')) continue;
    for (const file of await namesIn(join(chipDir, chip))) {
      if (/^temp\d+_input$/.test(file)) {
        found.push(...degreesIn(await textOf(join(chipDir, chip, file))));
      }
    }
  }
  return found.length > 0 ? Math.max(...found) : undefined;
}

/** None where it is no temperature that a running processor can have. */
function degreesIn(text: string | undefined): number[] {
  if (text === undefined || !/^-?\d+\s*$/.test(text)) return [];
  const degrees = Number(text) / 1000;
  return degrees > -50 && degrees < 200 ? [degrees] : [];
}
