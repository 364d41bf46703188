/** Renders optional ports of rack.yaml: endpoints of the power-cycle daemon, notices for the router backup, enrolment of machines. */
import type { Json, Rack } from '../rack/rack.ts';
import { type DerivedFile, podPatch } from './derived-file.ts';
import { networksOf } from './networks.ts';

/** Lower ports require root by default. */
export const lowPorts = 1024;

interface ExtraPort {
  service: 'power-cycle-daemon' | 'router-backup' | 'machine-state';
  /** Name in the Service. */
  name: string;
  port: number;
  protocol: 'TCP' | 'UDP';
  /** Networks that may use it; absent: the equipment of the rack. */
  allow?: string[];
}

export function extraPortsOf(rack: Rack): ExtraPort[] {
  const { endpoints } = rack.services['power-cycle-daemon'];
  const { syslogPort, trapPort } = rack.services['router-backup'].notices;
  const ports: ExtraPort[] = [];
  if (endpoints.pdudaemon !== undefined) {
    const { port, allow } = endpoints.pdudaemon;
    ports.push({ service: 'power-cycle-daemon', name: 'pdudaemon', port, protocol: 'TCP', allow });
  }
  const notices = { syslog: syslogPort, 'snmp-trap': trapPort };
  for (const [name, port] of Object.entries(notices)) {
    if (port === undefined) continue;
    ports.push({ service: 'router-backup', name, port, protocol: 'UDP' });
  }
  const { enrolment } = rack.services['machine-state'];
  if (enrolment !== undefined) {
    const { port } = enrolment;
    const allow = networksOf(rack);
    ports.push({ service: 'machine-state', name: 'enrolment', port, protocol: 'TCP', allow });
  }
  return ports;
}

/**
 * Adds them to the Service. Ports for notices are mostly below 1024, on which the pod's user may listen only with a
 * sysctl.
 */
export function extraPorts(rack: Rack): DerivedFile[] {
  const all = extraPortsOf(rack);
  return [...new Set(all.map(({ service }) => service))].flatMap((service) => {
    const ports = all.filter((port) => port.service === service);
    const isLow = service === 'router-backup' && ports.some(({ port }) => port < lowPorts);
    return [servicePatch(service, ports), ...(isLow ? [lowPortsPatch(service)] : [])];
  });
}

function servicePatch(service: string, extra: readonly ExtraPort[]): DerivedFile {
  const ports = extra.map(({ name, port, protocol }) => ({
    name,
    port,
    targetPort: port,
    protocol,
  }));
  return {
    name: `ports-${service}.yaml`,
    about: `Ports of ${service} that rack.yaml enables.`,
    objects: [{ apiVersion: 'v1', kind: 'Service', metadata: { name: service }, spec: { ports } }],
    use: { kind: 'Service', name: service },
  };
}

/** Replaces the whole list of sysctls; kube/base has none for this service. */
function lowPortsPatch(service: string): DerivedFile {
  const sysctls: Json = [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '0' }];
  return {
    name: `low-ports-${service}.yaml`,
    about: `Lets ${service}, which does not run as root, listen on a port below 1024.`,
    objects: [podPatch(service, { securityContext: { sysctls } })],
    use: { kind: 'Deployment', name: service },
  };
}
