/** Decides the URL of each service, from rack.yaml or its default port on the jumphost. */

import { type ServiceName, servicePorts } from '../schema/service-ports.ts';
import type { Machine, Rack } from './rack.ts';

/**
 * The URL of a service, from rack.yaml or else on the jumphost. With a machine, the URL of its agent.
 */
export function serviceUrl(rack: Rack, service: ServiceName, machine?: Machine): string {
  return urlOf(rack, service, 'url', servicePorts[service].port, machine);
}

/** The metrics URL of a service. */
export function serviceMetricsUrl(rack: Rack, service: ServiceName, machine?: Machine): string {
  return urlOf(rack, service, 'metricsUrl', servicePorts[service].metricsPort, machine);
}

function urlOf(
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

/** An address for a URL: IPv6 in brackets. */
export function hostOfUrl(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
