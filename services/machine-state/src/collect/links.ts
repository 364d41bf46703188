/** Knows which ports of switches have a link, as router-backup reads it from them on request. One reading of a switch a minute. */
import { routerBackupApi } from '@skolo/api';
import { errorText, settlesWithin } from '@skolo/base';
import type { PartDeps } from '../part-deps.ts';
import { serviceClient } from './service-apis.ts';

type Known = ReadonlyMap<string, boolean> | string;

interface Reading {
  /** Uptime in seconds. */
  at: number;
  known: Known;
  running?: Promise<void> | undefined;
}

const everySeconds = 60;
/** A switch may take longer: what it answers is known the next time. */
const waitMs = 4000;
const timeoutMs = 60_000;
const mostBytes = 16 * 1024 * 1024;
const api = { connectedHosts: routerBackupApi.connectedHosts };

export class Links {
  private readonly deps: Pick<PartDeps, 'rack' | 'clock'>;
  private readonly readings = new Map<string, Reading>();

  constructor(deps: Links['deps']) {
    this.deps = deps;
  }

  /** What is known about these switches after at most 4 s. */
  async of(equipment: Iterable<string>): Promise<ReadonlyMap<string, Known>> {
    const readings = [...new Set(equipment)].map((name) => [name, this.reading(name)] as const);
    await settlesWithin(waitMs, Promise.all(readings.map(([, { running }]) => running)));
    return new Map(readings.map(([name, { known }]) => [name, known]));
  }

  private reading(name: string): Reading {
    const now = this.deps.clock.uptime();
    const found = this.readings.get(name);
    if (found?.running !== undefined || (found && now - found.at < everySeconds)) return found;
    const reading: Reading = { at: now, known: found?.known ?? 'it is being read' };
    this.readings.set(name, reading);
    reading.running = this.read(name)
      .then((known) => {
        reading.known = known;
      })
      .finally(() => {
        reading.running = undefined;
      });
    return reading;
  }

  /** Never throws. */
  private async read(equipment: string): Promise<Known> {
    try {
      const options = { timeoutMs, mostBytes };
      const client = await serviceClient(this.deps.rack(), 'router-backup', api, options);
      const { ports } = await client.connectedHosts({ params: { equipment } });
      return new Map(ports.map(({ name, up }) => [name, up]));
    } catch (error) {
      return errorText(error);
    }
  }
}
