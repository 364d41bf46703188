/**
 * Decides whether a Raspberry Pi has too little power (under-voltage) or is throttled, from any available source.
 *
 * Sources: "vcgencmd get_throttled" of the Raspberry Pi documentation (bit 0 under-voltage, 1 frequency capped, 2 throttled,
 * 3 soft temperature limit; the same 16 bits higher: has happened since boot); the firmware driver of the Raspberry Pi kernel
 * (drivers/firmware/raspberrypi.c: the sysfs file holds the same number as hexadecimal digits); drivers/hwmon/raspberrypi-hwmon.c
 * (hwmon `rpi_volt`, `in0_lcrit_alarm`).
 */
import { join } from 'node:path';
import { CommandFailed, type RunCommand } from '@skolo/base/run-command';
import { namesIn, textOf } from './quiet-files.ts';

/** What is known about the machine itself. Unreadable values are absent. */
export interface HostReading {
  /** The disk of the bot's directory. */
  disk?: { freeBytes: number; sizeBytes: number } | undefined;
  /** °C of the processor. */
  celsius?: number | undefined;
  /** Under-voltage now (a Raspberry Pi's own sensor). */
  isUnderVoltage?: boolean | undefined;
  /** The processor is throttled now, by heat or weak power. */
  isThrottled?: boolean | undefined;
  /** Its clock minus the jumphost's, in seconds. */
  clockOffsetSeconds?: number | undefined;
}

export interface RaspberryPower {
  isUnderVoltage?: boolean;
  /** Capped or throttled. The soft limit of a Pi 3B+, from 60 °C on, is normal and does not count. */
  isThrottled?: boolean;
}

interface RaspberryPowerDeps {
  /** Usually /sys. */
  sys: string;
  run: RunCommand;
}

const firmwareFile = 'devices/platform/soc/soc:firmware/get_throttled';
const timeoutMs = 5000;

export class RaspberryPowerReader {
  private readonly deps: RaspberryPowerDeps;
  /** It is not installed: this is not checked every 30 s. */
  private hasNoCommand = false;

  constructor(deps: RaspberryPowerDeps) {
    this.deps = deps;
  }

  /** Only throws the signal's reason. Unreadable values are absent. */
  async read(signal?: AbortSignal): Promise<RaspberryPower> {
    const bits = bitsIn(await textOf(join(this.deps.sys, firmwareFile)));
    if (bits !== undefined) return meaning(bits);
    const alarm = await this.alarm();
    const printed = bitsIn(await this.ask(signal));
    if (printed !== undefined) return meaning(printed);
    return alarm === undefined ? {} : { isUnderVoltage: alarm };
  }

  private async alarm(): Promise<boolean | undefined> {
    const folder = join(this.deps.sys, 'class/hwmon');
    for (const chip of await namesIn(folder)) {
      if ((await textOf(join(folder, chip, 'name')))?.trim() !== 'rpi_volt') continue;
      const alarm = (await textOf(join(folder, chip, 'in0_lcrit_alarm')))?.trim();
      if (alarm === '0' || alarm === '1') return alarm === '1';
    }
    return undefined;
  }

  private async ask(signal: AbortSignal | undefined): Promise<string | undefined> {
    if (this.hasNoCommand) return undefined;
    try {
      const { stdout } = await this.deps.run('vcgencmd', ['get_throttled'], { timeoutMs, signal });
      return stdout;
    } catch (error) {
      signal?.throwIfAborted();
      this.hasNoCommand = error instanceof CommandFailed && error.code === 'missing';
      return undefined;
    }
  }
}

/** `throttled=0x50005` as printed by the program, `50005` by the kernel. */
function bitsIn(text: string | undefined): number | undefined {
  const [, digits] = /^(?:throttled=)?(?:0x)?([0-9a-f]{1,8})$/i.exec(text?.trim() ?? '') ?? [];
  return digits === undefined ? undefined : Number.parseInt(digits, 16);
}

function meaning(bits: number): Required<RaspberryPower> {
  return { isUnderVoltage: (bits & 0b1) !== 0, isThrottled: (bits & 0b110) !== 0 };
}

/** Zones and chips of the processor; others belong to the disk, the radio, the board. */
const zones = /^(cpu|soc|x86_pkg_temp|k10temp|bcm2835_thermal)/i;
const chips = /^(cpu_thermal|coretemp|k10temp|zenpower)$/;

/**
 * °C of the hottest sensor of the processor; undefined: not known. Sources: Documentation/ABI/testing/sysfs-class-thermal
 * (`temp` is in thousandths of a °C, `type` names the zone) and sysfs-class-hwmon (`temp*_input`, `name` names the chip).
 */
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

/** None if it is not a temperature that a running processor can have. */
function degreesIn(text: string | undefined): number[] {
  if (text === undefined || !/^-?\d+\s*$/.test(text)) return [];
  const degrees = Number(text) / 1000;
  return degrees > -50 && degrees < 200 ? [degrees] : [];
}
