/** Reads the machine itself periodically: disk, temperature, power supply, clock. */

import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode, repeat } from '@skolo/base';
import type { RunCommand } from '@skolo/base/run-command';
import type { Clock, Emit } from '@skolo/common/light';
import type { HostReading } from './sensors.ts';
import { processorCelsius, type RaspberryPower, RaspberryPowerReader } from './sensors.ts';

interface HostWatchDeps {
  /** The bot's directory, whose disk counts; undefined: not known yet. It need not exist. */
  botDir: () => string | undefined;
  readSeconds: () => number;
  run: RunCommand;
  clock: Pick<Clock, 'uptime'>;
  /** Its clock minus the jumphost's, in seconds; undefined: not known. */
  clockOffset: () => number | undefined;
  emit: Emit<{ type: 'facts' }>;
  /** Usually /sys. */
  sys?: string;
}

/** Weak power comes and goes with the load; it has ended once it has not been seen for this long. */
const powerTroubleSeconds = 120;

export class HostWatch {
  private readonly deps: HostWatchDeps;
  private readonly power: RaspberryPowerReader;
  private readonly sys: string;
  private last: HostReading = {};
  private readonly seenAt = new Map<keyof RaspberryPower, number>();
  private readonly ended = new AbortController();

  constructor(deps: HostWatchDeps) {
    this.deps = deps;
    this.sys = deps.sys ?? '/sys';
    this.power = new RaspberryPowerReader({ sys: this.sys, run: deps.run });
  }

  start(): void {
    repeat(
      () => this.deps.readSeconds() * 1000,
      () => this.read(),
      this.ended.signal,
    );
  }

  stop(): void {
    this.ended.abort();
  }

  reading(): HostReading {
    return { ...this.last, clockOffsetSeconds: this.deps.clockOffset() };
  }

  /** Rejected only if stopped. */
  async read(): Promise<HostReading> {
    const { signal } = this.ended;
    const botDir = this.deps.botDir();
    const [disk, celsius, power] = await Promise.all([
      botDir === undefined ? undefined : diskOf(botDir),
      processorCelsius(this.sys),
      this.power.read(signal),
    ]);
    this.last = {
      disk,
      celsius,
      isUnderVoltage: this.lasting('isUnderVoltage', power),
      isThrottled: this.lasting('isThrottled', power),
    };
    this.deps.emit({ type: 'facts' });
    return this.reading();
  }

  private lasting(what: keyof RaspberryPower, power: RaspberryPower): boolean | undefined {
    const now = this.deps.clock.uptime();
    if (power[what]) this.seenAt.set(what, now);
    const at = this.seenAt.get(what);
    if (at !== undefined && now - at < powerTroubleSeconds) return true;
    return power[what] === undefined ? undefined : false;
  }
}

/** For the file system that contains, or will contain, the directory. */
async function diskOf(folder: string): Promise<HostReading['disk']> {
  try {
    const { bsize, bavail, blocks } = await statfs(folder);
    return { freeBytes: bavail * bsize, sizeBytes: blocks * bsize };
  } catch (error) {
    return errorCode(error) === 'ENOENT' && dirname(folder) !== folder
      ? diskOf(dirname(folder))
      : undefined;
  }
}
