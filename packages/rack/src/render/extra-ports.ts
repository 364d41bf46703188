/** Ports that a service has only where rack.yaml turns them on: doors of the power-cycle daemon, notices for the backup. */
import type { Json, Rack } from '../rack.ts';
import type { DerivedFile } from './derived-file.ts';

/** Ports below are root's, where nothing else is said. */
export const lowPorts = 1024;

export interface ExtraPort {
  service: 'power-cycle-daemon' | 'router-backup';
  /** Its name in the Service. */
  name: string;
  port: number;
  protocol: 'TCP' | 'UDP';
  /** Networks that may use it; absent: the equipment of the rack. */
  allow?: string[];
}

/** What is turned on. */
export function extraPortsOf(rack: Rack): ExtraPort[] {
  const { doors } = rack.services['power-cycle-daemon'];
  const { syslogPort, trapPort } = rack.services['router-backup'].notices;
  const ports: ExtraPort[] = [];
  for (const name of ['pdudaemon', 'report'] as const) {
    const door = doors[name];
    if (door === undefined) continue;
    const { port, allow } = door;
    ports.push({ service: 'power-cycle-daemon', name, port, protocol: 'TCP', allow });
  }
  const notices = { syslog: syslogPort, 'snmp-trap': trapPort };
  for (const [name, port] of Object.entries(notices)) {
    if (port === undefined) continue;
    ports.push({ service: 'router-backup', name, port, protocol: 'UDP' });
  }
  return ports;
}

/**
 * They are added to the Service that the rack sees. Ports of notices are mostly below 1024, where the pod's user may listen
 * only where it is said.
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
    about: `Ports of ${service} that rack.yaml turns on.`,
    objects: [{ apiVersion: 'v1', kind: 'Service', metadata: { name: service }, spec: { ports } }],
    use: { kind: 'Service', name: service },
  };
}

/** The list of sysctls is replaced as a whole; kube/base has none for this service. */
function lowPortsPatch(service: string): DerivedFile {
  const sysctls: Json = [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '0' }];
  return {
    name: `low-ports-${service}.yaml`,
    about: `${service} is not root, and has a port below 1024.`,
    objects: [
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: service },
        spec: { template: { spec: { securityContext: { sysctls } } } },
      },
    ],
    use: { kind: 'Deployment', name: service },
  };
}
