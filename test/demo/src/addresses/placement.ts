/** The ports that the services listen on this time, and their places in rack.yaml. */
import { type ServiceName, servicePorts } from '@skolo/rack';
import type { DemoService } from '../services/service.ts';
import { choosePort, isFree } from './ports.ts';
import type { YamlText } from './yaml-text.ts';

export interface Place {
  name: ServiceName;
  /** Address that it listens on. */
  host: string;
  port: number;
  metricsPort: number;
  url: string;
  metricsUrl: string;
  /** The machine of the agent. */
  machine?: string;
}

/** A place for each service at `host`; `machineHost` is the address of the machine with an agent. */
export async function choosePlaces(
  services: readonly DemoService[],
  host: string,
  machineHost = host,
): Promise<Place[]> {
  const taken = new Set<number>();
  async function take(wanted: readonly number[], at: string) {
    const port = await choosePort(wanted, at, taken);
    taken.add(port);
    return port;
  }
  const places: Place[] = [];
  for (const { name, otherPort, machine } of services) {
    const at = machine === undefined ? host : machineHost;
    const usual = servicePorts[name];
    const port = await take(otherPort === undefined ? [usual.port] : [usual.port, otherPort], at);
    const metricsPort = await take([usual.metricsPort], at);
    const [url, metricsUrl] = [urlOf(at, port), urlOf(at, metricsPort)];
    const place = { name, host: at, port, metricsPort, url, metricsUrl };
    places.push({ ...place, ...(machine !== undefined && { machine }) });
  }
  return places;
}

/** Whether no other process listens on it. */
export async function areFree(places: readonly Place[]): Promise<boolean> {
  for (const { host, port, metricsPort } of places) {
    if (!(await isFree(port, host)) || !(await isFree(metricsPort, host))) return false;
  }
  return true;
}

/** Writes these places into rack.yaml. */
export function writePlaces(rack: YamlText, places: readonly Place[]): void {
  for (const { name, url, metricsUrl, machine } of places) {
    if (machine !== undefined && !hasMachine(rack, machine)) continue;
    const section =
      machine === undefined
        ? (['services', name] as const)
        : (['machines', machine, 'swarming'] as const);
    rack.set([...section, 'url'], url);
    rack.set([...section, 'metricsUrl'], metricsUrl);
  }
}

/** Whether it has an entry with exactly this name, not one with a range. */
export function hasMachine(rack: YamlText, name: string): boolean {
  return rack.keysAt(['machines', name]).length > 0;
}

function urlOf(host: string, port: number): string {
  return port === 80 ? `http://${host}` : `http://${host}:${port}`;
}
