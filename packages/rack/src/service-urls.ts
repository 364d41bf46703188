/** Where the services of a rack are found. */
import type { Machine, Rack } from './rack.ts';
import { type ServiceName, servicePorts } from './service-ports.ts';

/**
 * Where a service is found, by everyone: what rack.yaml says, else the jumphost. The agent runs on every machine, so
 * with a machine it is the one there.
 */
export function serviceUrl(rack: Rack, service: ServiceName, machine?: Machine): string {
  return found(rack, service, 'url', servicePorts[service].port, machine);
}

/** Where the metrics of a service are read. */
export function serviceMetricsUrl(rack: Rack, service: ServiceName, machine?: Machine): string {
  return found(rack, service, 'metricsUrl', servicePorts[service].metricsPort, machine);
}

function found(
  rack: Rack,
  service: ServiceName,
  key: 'url' | 'metricsUrl',
  port: number,
  machine?: Machine,
): string {
  if (service === 'swarming-client' && machine !== undefined) {
    const own = machine.swarming[key];
    return typeof own === 'string'
      ? own
      : `http://${hostOfUrl(machine.address ?? machine.name)}:${port}`;
  }
  return rack.services[service][key] ?? `http://${hostOfUrl(rack.jumphost.address)}:${port}`;
}

/** An address as it is written in a URL: IPv6 in brackets. */
export function hostOfUrl(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
