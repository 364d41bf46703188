/** Which ports the services listen on this time, and where rack.yaml says it. */
import type { ServiceName } from '@skolo/rack';
import { choosePort, host, isFree } from './ports.ts';
import { services } from './services/index.ts';
import { setValue } from './yaml-text.ts';

export interface Place {
  name: ServiceName;
  port: number;
  metricsPort: number;
  url: string;
  metricsUrl: string;
}

/** A place for each service. */
export async function choosePlaces(): Promise<Place[]> {
  const taken = new Set<number>();
  async function take(wanted: readonly number[]) {
    const port = await choosePort(wanted, taken);
    taken.add(port);
    return port;
  }
  const places: Place[] = [];
  for (const { name, ports, metricsPorts } of services) {
    const [port, metricsPort] = [await take(ports), await take(metricsPorts)];
    places.push({ name, port, metricsPort, url: urlOf(port), metricsUrl: urlOf(metricsPort) });
  }
  return places;
}

/** Whether nobody else listens there. */
export async function areFree(places: readonly Place[]): Promise<boolean> {
  for (const { port, metricsPort } of places) {
    if (!(await isFree(port)) || !(await isFree(metricsPort))) return false;
  }
  return true;
}

/** The text of rack.yaml with these places in it. */
export function withPlaces(text: string, places: readonly Place[]): string {
  return places.reduce((changed, { name, url, metricsUrl }) => {
    const withUrl = setValue(changed, ['services', name, 'url'], url);
    return setValue(withUrl, ['services', name, 'metricsUrl'], metricsUrl);
  }, text);
}

function urlOf(port: number): string {
  return port === 80 ? `http://${host}` : `http://${host}:${port}`;
}
